"""What is shown: the newest frame, its views as pictures; nobody waits for it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from owner import frame

from ainet_core.page.live import Live
from ainet_core.page.picture import picture


def test_a_silent_camera_has_no_picture_and_a_blend_of_one_is_that_one():
    both = frame()
    assert picture(replace(both, rgb=None), "rgb", 960) is None
    assert picture(replace(both, thermal=None), "thermal", 960) is None
    assert picture(replace(both, rgb=None, thermal=None), "blend", 960) is None
    rgb = picture(replace(both, thermal=None), "blend", 960)
    assert np.array_equal(rgb, both.rgb)


@pytest.mark.parametrize("view", ["rgb", "thermal", "blend"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_every_view_has_the_shape_of_the_rgb_image_at_most_so_wide(view, kind):
    made = frame(height=240, width=320)
    made = replace(made, thermal=made.thermal.astype(kind)[:100, :77])
    assert picture(made, view, 960).shape == (240, 320, 3)
    small = picture(made, view, 160)
    assert small.shape == (120, 160, 3)
    assert small.dtype == np.uint8


def test_thermal_alone_is_shown_in_the_shape_that_the_box_is_in():
    made = replace(frame(), rgb=None)  # RGB is silent; the box stays in its pixels
    assert picture(made, "thermal", 960).shape == (120, 160, 3)
    false_colour = replace(made, thermal=np.zeros((60, 80, 3), np.uint8))
    assert picture(false_colour, "thermal", 960).shape == (120, 160, 3)


def test_news_hold_what_came_since():
    live = Live()
    assert live.since(0).frame is None
    for number in range(5):
        live.show(frame(number, score=number / 10))
    live.tell({"state": "tracking"})
    news = live.since(3)
    assert (news.number, news.values) == (5, {"state": "tracking"})
    assert [score.score for score in news.scores] == [0.3, 0.4]
    assert live.since(5).scores == []
    assert live.since(5).version == news.version == 6


def test_showing_a_frame_takes_microseconds_beside_readers():
    live, ended = Live(), threading.Event()

    def read() -> None:
        while not ended.is_set():
            live.since(0)
            time.sleep(0.001)

    readers = [threading.Thread(target=read, daemon=True) for _ in range(4)]
    for reader in readers:
        reader.start()
    made, took = frame(), []
    for _ in range(300):
        begun = time.perf_counter()
        live.show(made)
        took.append(time.perf_counter() - begun)
        time.sleep(0.001)
    ended.set()
    for reader in readers:
        reader.join()
    assert np.median(took) < 0.0005


def test_a_status_that_belongs_to_a_frame_comes_with_it():
    live, changes = Live(), []
    live.tell({"state": "before"})
    live.on_change(lambda: changes.append(True))
    live.show(frame(1), {"state": "with it"})
    news = live.since(0)
    assert (news.number, news.values) == (1, {"state": "with it"})
    live.show(frame(2))
    assert live.since(1).values == {"state": "with it"}
    assert len(changes) == 2  # nobody sees the frame without its status
