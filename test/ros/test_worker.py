"""Mailbox and worker: newest pair only, one answer each, nothing ends the thread."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from robot import header, picture
from trivial_node import TrivialTracker

from ainet_core.imaging.registration import Alignment
from ainet_ros.conversions import image_message
from ainet_ros.mailbox import HAND_OVER_S, Mailbox
from ainet_ros.pairing import Pair
from ainet_ros.reading import PairReader
from ainet_ros.worker import Worker

BOX = (10.0, 10.0, 20.0, 30.0)


def pair(stamp: float, value: int = 90, encoding: str = "rgb8") -> Pair:
    rgb = picture(stamp=stamp, value=value)
    rgb.encoding = encoding
    return Pair(rgb, picture(stamp=stamp, encoding="mono8"), time.monotonic())


def second(answer) -> int:
    return answer.pair.rgb.header.stamp.sec


class Run:
    def __init__(self, tracker=None) -> None:
        self.answers, self.warnings = [], []
        self.mailbox = Mailbox()
        self.tracker = tracker or TrivialTracker()
        self.tracker.updates = 10  # past its warm-up
        self.worker = Worker(
            self.tracker,
            self.mailbox,
            self.answers.append,
            lambda text, kind: self.warnings.append(text),
            lambda: None,
        )

    def wait(self, count: int) -> None:
        end = time.monotonic() + 10
        while len(self.answers) < count:
            assert time.monotonic() < end
            time.sleep(0.005)


@pytest.fixture
def run():
    made = Run()
    yield made
    assert made.worker.stop()


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (500, 10, 20, 20), (float("nan"), 0, 1, 1)])
def test_a_refused_target_leaves_the_one_before(run, box):
    run.mailbox.set_target(BOX)
    run.mailbox.put(pair(1))
    run.worker.start()
    run.wait(1)
    run.mailbox.set_target(box)
    run.mailbox.put(pair(2))
    run.wait(2)
    assert "target refused: box must" in run.worker.progress.trouble
    assert run.answers[1].box.tolist() == list(BOX)
    assert run.answers[1].target_id == 1


def test_a_pair_that_cannot_be_read_is_answered_empty_and_the_next_tracked(run):
    run.mailbox.set_target(BOX)
    run.mailbox.put(pair(1))
    run.worker.start()
    run.wait(1)
    broken = pair(2, encoding="nonsense")
    broken.thermal.encoding = "nonsense"
    run.mailbox.put(broken)
    run.wait(2)
    assert run.answers[1].box is None
    assert run.worker.progress.state == "error"
    assert [text.split(" refused")[0] for text in run.warnings] == ["RGB image", "thermal image"]
    run.mailbox.put(pair(3))
    run.wait(3)
    assert run.answers[2].box is not None
    assert run.worker.progress.failed == 1
    assert run.worker.progress.trouble == ""


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_with_one_image_that_cannot_be_read_the_other_camera_goes_on(run, camera):
    run.mailbox.set_target(BOX)
    run.mailbox.put(pair(1))
    run.worker.start()
    run.wait(1)
    broken = pair(2)
    getattr(broken, camera).data = getattr(broken, camera).data[:7]
    run.mailbox.put(broken)
    run.wait(2)
    assert run.answers[1].box.tolist() == list(BOX)
    assert run.answers[1].images.cameras == ("thermal" if camera == "rgb" else "rgb")
    assert "image refused: data has 7 bytes" in run.worker.progress.trouble
    run.mailbox.put(pair(3))
    run.wait(3)
    assert run.worker.progress.trouble == ""
    assert run.worker.progress.failed == 1


def test_a_target_set_in_rgb_silence_is_in_pixels_of_the_last_rgb_image():
    class Sizes(TrivialTracker):
        seen: list = []

        def init(self, rgb, thermal, box):
            self.seen.append(("init", rgb is not None, thermal.shape[:2]))
            super().init(rgb, thermal, box)

        def update(self, rgb, thermal):
            self.seen.append(("update", rgb is not None, thermal.shape[:2]))
            return super().update(rgb, thermal)

    run = Run(Sizes())
    run.worker.start()
    small = picture(80, 60, stamp=2, encoding="mono8")
    run.mailbox.put(pair(1))
    run.wait(1)
    for stamp in (2, 3):
        alone = Pair(None, picture(80, 60, stamp=stamp, encoding="mono8"), time.monotonic())
        run.mailbox.put(alone)
        run.wait(stamp)
        if stamp == 2:
            run.mailbox.set_target(BOX)  # on the newest pair, which is this one
    both = Pair(picture(stamp=4), small, time.monotonic())
    run.mailbox.put(both)
    run.wait(4)
    # Stretched to the RGB image's 160x120 until the tracker has seen the target there itself.
    assert run.tracker.seen[-3:] == [
        ("init", False, (120, 160)), ("update", False, (120, 160)), ("update", True, (60, 80)),
    ]  # fmt: skip
    assert run.worker.progress.pixels == "rgb"
    assert run.worker.stop()


def test_a_frozen_thermal_camera_is_told_once(run):
    run.worker.start()
    for stamp in range(1, 10):
        run.mailbox.put(pair(stamp))
        run.wait(stamp)
    assert run.worker.progress.frozen == 8
    assert sum("in a row are equal" in text for text in run.warnings) == 1


def test_a_tracker_that_always_raises_says_how_to_load_it_anew():
    class Lost(TrivialTracker):
        def update(self, rgb, thermal):
            raise RuntimeError("CUDA error: the device is lost")

    run = Run(Lost())
    run.worker.start()
    run.mailbox.set_target(BOX)
    for stamp in range(1, 13):
        run.mailbox.put(pair(stamp))
        run.wait(stamp)
    assert [answer.box is None for answer in run.answers] == [False] + [True] * 11
    assert run.worker.progress.state == "error"
    assert "11 times in a row: deactivate, cleanup and configure" in run.worker.progress.trouble
    assert run.worker.stop()


def test_a_pair_of_the_last_second_is_found_by_its_stamp_while_a_detector_is_there(run):
    run.mailbox.put(pair(1))
    run.mailbox.put(pair(2))
    assert run.mailbox.find(1_000_000_000, 0) is None
    run.mailbox.keeps_history = True
    for stamp in (3, 4, 5):
        run.mailbox.put(pair(stamp))
    found = run.mailbox.find(4_010_000_000, 20_000_000)
    assert second(SimpleNamespace(pair=found)) == 4
    assert run.mailbox.find(4_030_000_000, 20_000_000) is None
    run.mailbox.reset(forget_pairs=True)
    assert run.mailbox.find(4_000_000_000, 0) is None


def test_a_tracker_that_raises_does_not_end_the_thread():
    run = Run(TrivialTracker("raises"))
    run.worker.start()
    run.mailbox.set_target(BOX)
    for stamp in range(1, 6):
        run.mailbox.put(pair(stamp))
        run.wait(stamp)
    found = [answer.box is not None for answer in run.answers]
    assert found == [True, False, True, False, True]
    assert "on purpose" in run.warnings[0]
    assert run.worker.stop()


def test_the_first_pair_is_kept_for_the_target_that_waits(run):
    run.mailbox.set_target(BOX)
    assert run.mailbox.target_waits
    run.mailbox.put(pair(1))
    run.mailbox.put(pair(2))
    run.mailbox.put(pair(3))
    run.worker.start()
    run.wait(2)
    assert [second(answer) for answer in run.answers] == [1, 3]
    assert run.mailbox.skipped == 1
    assert run.mailbox.pairs == 3


def test_only_the_newest_pair_is_kept_and_the_others_are_counted(run):
    for stamp in range(1, 8):
        run.mailbox.put(pair(stamp))
    run.worker.start()
    run.wait(1)
    assert [second(answer) for answer in run.answers] == [7]
    assert run.mailbox.skipped == 6
    assert run.worker.progress.processed == 1


def test_a_target_set_between_pairs_starts_on_the_newest_one(run):
    run.worker.start()
    run.mailbox.put(pair(1))
    run.wait(1)
    assert run.answers[0].box is None
    run.mailbox.set_target(BOX)
    run.mailbox.put(pair(2))
    run.wait(2)
    assert run.answers[1].box.tolist() == list(BOX)
    assert [second(answer) for answer in run.answers] == [1, 2]  # the first is not answered twice


def test_lost_is_an_empty_answer_and_found_again_a_box(run):
    run.worker.start()
    run.mailbox.set_target(BOX)
    for stamp, value in ((1, 90), (2, 0), (3, 90)):
        run.mailbox.put(pair(stamp, value))
        run.wait(stamp)
    assert [answer.box is not None for answer in run.answers] == [True, False, True]


class Slow(TrivialTracker):
    """Stays inside an update until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go = threading.Event(), threading.Event()

    def update(self, rgb, thermal):
        self.inside.set()
        self.go.wait(10)
        return super().update(rgb, thermal)


def run_inside_an_update() -> Run:
    """The worker has answered the first pair and holds the second."""
    run = Run(Slow())
    run.worker.start()
    run.mailbox.set_target(BOX)
    run.mailbox.put(pair(1))
    run.wait(1)
    run.mailbox.put(pair(2))
    assert run.tracker.inside.wait(10)
    return run


@pytest.mark.parametrize("then", ["another target", "a reset"])
def test_a_pair_in_hand_is_not_skipped_with_the_target_set_on_it(then):
    """It is answered, so that it must not be counted among the skipped as well."""
    run = run_inside_an_update()
    run.mailbox.set_target(BOX)  # on the newest pair, which the worker holds
    run.mailbox.reset() if then == "a reset" else run.mailbox.set_target(BOX)
    run.tracker.go.set()
    run.wait(2)
    assert run.worker.stop()
    assert run.mailbox.skipped == 0
    assert run.worker.progress.processed == run.mailbox.pairs == 2


def test_a_reset_during_an_update_makes_its_result_stale():
    run = run_inside_an_update()
    run.mailbox.reset()
    run.tracker.go.set()
    run.wait(2)
    assert run.answers[1].box is None
    assert run.worker.progress.state == "no target"
    assert run.worker.stop()


def test_an_answer_is_shown_after_it_was_sent_and_timed():
    happened: list[str] = []
    run = Run()
    worker = Worker(
        run.tracker, run.mailbox, lambda answer: happened.append("sent"),
        lambda text, kind: None, lambda: None,
        show=lambda answer: happened.append(f"shown, {len(worker.progress.latency)} timed"),
    )  # fmt: skip
    worker.start()
    run.mailbox.put(pair(1))
    end = time.monotonic() + 10
    while len(happened) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert worker.stop()
    assert happened == ["sent", "shown, 1 timed"]


def test_every_new_target_has_a_new_id(run):
    run.worker.start()
    for stamp in (1, 2):
        run.mailbox.set_target(BOX)
        run.mailbox.put(pair(stamp * 10))
        run.wait(stamp)
    assert [answer.target_id for answer in run.answers] == [1, 2]


def test_while_disabled_pairs_are_skipped_and_the_target_stays(run):
    run.worker.start()
    run.mailbox.set_target(BOX)
    run.mailbox.put(pair(1))
    run.wait(1)
    run.mailbox.enable(False)
    for stamp in (2, 3, 4):
        run.mailbox.put(pair(stamp))
    run.mailbox.enable(True)
    run.wait(2)
    assert [second(answer) for answer in run.answers] == [1, 4]
    assert run.mailbox.skipped == 2
    assert np.array_equal(run.answers[1].box, BOX)


def test_every_pair_is_processed_or_counted():
    random = np.random.default_rng(0)

    class Unsteady(TrivialTracker):
        def update(self, rgb, thermal):
            time.sleep(rgb[0, 0, 0] % 5 * 1e-3)  # as long as the cameras' period, now and then
            return super().update(rgb, thermal)

    run = Run(Unsteady())
    run.worker.start()
    for stamp in range(1, 400):
        run.mailbox.put(pair(stamp, value=int(random.integers(90, 100))))
        if random.random() < 0.2:
            run.mailbox.set_target(BOX)
        if random.random() < 0.05:
            run.mailbox.reset(forget_pairs=random.random() < 0.5)
        time.sleep(random.random() * 0.003)
    time.sleep(0.3)
    assert run.worker.stop()
    assert run.worker.progress.processed + run.mailbox.skipped == run.mailbox.pairs == 399
    seconds = [second(answer) for answer in run.answers]
    assert seconds == sorted(set(seconds))


def pair_of(rgb: np.ndarray, thermal: np.ndarray) -> Pair:
    stamp = header(1.0)
    images = image_message(rgb, "rgb8", stamp), image_message(thermal, "mono8", stamp)
    return Pair(*images, time.monotonic())


def test_thermal_is_brought_into_the_rgb_view():
    """A spot at the top left of the thermal image lies in the middle of the RGB one."""
    homography = np.array([[4.0, 0, 40], [0, 4, 20], [0, 0, 1]])
    reader = PairReader(lambda *_: None, Alignment(homography, (30, 40), (120, 160)))
    rgb = np.full((120, 160, 3), 90, np.uint8)
    thermal = np.zeros((30, 40), np.uint8)
    thermal[10:12, 10:12] = 200
    warped = reader.read(pair_of(rgb, thermal)).thermal
    rows, columns = np.nonzero(warped > 60)
    seen = (np.array([columns.mean(), rows.mean()]) + 0.5) * 160 / warped.shape[1]
    np.testing.assert_allclose(seen, np.array([10.5, 10.5]) * 4 + [40, 20] + 0.5, atol=3)


def test_an_alignment_of_other_sizes_makes_thermal_silent_and_says_so():
    said = []
    alignment = Alignment(np.diag([4.0, 4.0, 1.0]), (30, 40), (120, 160))
    reader = PairReader(lambda sentence, kind: said.append(sentence), alignment)
    rgb, thermal = np.zeros((120, 160, 3), np.uint8), np.zeros((60, 80), np.uint8)
    images = reader.read(pair_of(rgb, thermal))
    assert images.thermal is None
    assert images.rgb is not None
    assert "made with thermal images of 40 x 30 pixels, got 80 x 60: calibrate again" in said[0]


def test_who_brings_a_pair_leaves_the_interpreter_to_a_worker_that_waits(monkeypatch) -> None:
    mailbox, slept, taken = Mailbox(), [], []
    monkeypatch.setattr("ainet_ros.mailbox.time", SimpleNamespace(sleep=slept.append))
    mailbox.put(pair(1))  # nobody waits: who brings it goes on at once
    assert not slept
    assert mailbox.take() is not None
    waiting = threading.Thread(target=lambda: taken.append(mailbox.take()))
    waiting.start()
    end = time.monotonic() + 10
    while not mailbox._worker_waits and time.monotonic() < end:
        time.sleep(0.001)
    mailbox.put(pair(2))
    waiting.join(10)
    assert taken[0] is not None
    assert slept == [HAND_OVER_S]
