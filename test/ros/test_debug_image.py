"""The debug image is drawn beside the tracker: who looks must not slow it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from rclpy.lifecycle import LifecycleNode
from robot import header, picture

from ainet_ros import debug_image
from ainet_ros.answers import Answer, Images
from ainet_ros.debug_image import DebugImage
from ainet_ros.pairing import Pair
from ainet_ros.parameters import Settings

pytestmark = pytest.mark.dds


def answer(stamp: float) -> Answer:
    images = Images(np.full((48, 64, 3), 90, np.uint8))
    pair = Pair(picture(64, 48, stamp), None, 0.0)
    return Answer(pair, np.array([4.0, 4, 20, 20]), images=images, box_size=(48, 64))


@pytest.fixture
def shown(robot):
    """A started DebugImage that somebody watches."""
    node = LifecycleNode("ainet")
    made = DebugImage(node)
    node.trigger_configure()
    node.trigger_activate()
    made.start()
    robot.watch_debug_image()
    robot.wait("a subscriber", lambda: node.count_subscribers("ainet/debug_image"))
    time.sleep(0.2)
    yield made
    made.stop()
    node.destroy_node()


def test_nobody_waits_for_a_picture_and_the_newest_is_drawn(shown, robot, monkeypatch):
    quick = debug_image.drawn

    def slow(*arguments):
        time.sleep(0.5)
        return quick(*arguments)

    monkeypatch.setattr(debug_image, "drawn", slow)
    began = time.monotonic()
    for number in range(50):
        shown.show(answer(1.0 + number), Settings(debug_image_rate=0.0))
    assert time.monotonic() - began < 0.4  # one drawing alone takes longer
    last = header(50.0).stamp
    robot.wait("the newest", lambda: robot.debug and robot.debug[-1].header.stamp == last)
    assert len(robot.debug) <= 3


def test_no_more_are_drawn_than_the_rate_lets_and_the_last_is_drawn(shown, robot):
    ten, began = Settings(debug_image_rate=10.0), time.monotonic()
    for number in range(60):
        shown.show(answer(1.0 + number), ten)
        time.sleep(0.01)
    last = header(60.0).stamp
    robot.wait("the newest", lambda: robot.debug and robot.debug[-1].header.stamp == last)
    assert len(robot.debug) <= 2 + 10 * (time.monotonic() - began)
    assert len(robot.debug) >= 4


def test_a_picture_that_is_due_begins_with_an_answer(shown, monkeypatch):
    """Then the tracker rests: at any other time it would have to share the cores."""
    begun, shows = [], []
    monkeypatch.setattr(debug_image, "drawn", lambda *_: begun.append(time.monotonic()))
    settings = Settings(debug_image_rate=1 / 0.26)  # due between two answers
    for number in range(25):
        shows.append(time.monotonic())
        shown.show(answer(1.0 + number), settings)
        time.sleep(0.1)
    since = [min(late for show in shows if (late := began - show) >= 0) for began in begun]
    assert len(begun) >= 5
    assert np.median(since) < 0.02, since


def test_without_a_rate_every_answer_that_can_be_drawn_is(shown, robot):
    for number in range(20):
        shown.show(answer(1.0 + number), Settings(debug_image_rate=0.0))
        time.sleep(0.03)
    robot.wait("most of them", lambda: len(robot.debug) >= 15)


def test_a_rate_does_not_keep_it_from_ending(shown):
    shown.show(answer(1.0), Settings(debug_image_rate=0.01))
    time.sleep(0.1)
    shown.show(answer(2.0), Settings(debug_image_rate=0.01))  # due in 100 s
    began = time.monotonic()
    shown.stop()
    assert time.monotonic() - began < 2.0


def test_a_picture_that_cannot_be_drawn_is_not_the_last(shown, robot, monkeypatch):
    def broken(*_):
        raise RuntimeError("no paint")

    with monkeypatch.context() as patch:
        patch.setattr(debug_image, "drawn", broken)
        shown.show(answer(1.0), Settings())
        time.sleep(0.3)
    shown.show(answer(2.0), Settings())
    robot.wait("the next", lambda: robot.debug)
    assert robot.debug[0].header.stamp == header(2.0).stamp


def test_stopped_it_draws_no_more_and_can_be_started_again(shown, robot):
    shown.stop()
    shown.show(answer(1.0), Settings())
    time.sleep(0.3)
    assert not robot.debug
    shown.start()
    shown.show(answer(2.0), Settings())
    robot.wait("a picture", lambda: robot.debug)
