"""The tracker's border, and that what it is told ends where it should."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig, preset_config
from ainet_core.tracking.search import SearchPlan
from ainet_core.tracking.target_state import StateThresholds
from ainet_core.tracking.tracker import (
    Tracker,
    TrackerSettings,
    choose_device,
    shipped_weights,
)

CONFIG = ModelConfig(
    width=32, depth=2, heads=2, template_size=32, search_size=64, head_width=16, state_size=4
)
RGB = np.full((120, 160, 3), 90, np.uint8)
THERMAL = np.full((60, 80), 90, np.uint8)
BOX = (60.0, 40.0, 20.0, 30.0)


@pytest.fixture(name="tracker")
def _tracker() -> Tracker:
    torch.manual_seed(0)
    return Tracker(AINet(CONFIG), "cpu")


@pytest.mark.parametrize(
    ("rgb", "thermal", "message"),
    [
        (RGB[..., 0], THERMAL, r"rgb must be .H, W, 3. uint8 in RGB order, got shape .120, 160."),
        (RGB.astype(np.float32), THERMAL, "got shape .120, 160, 3. float32"),
        ([[1]], THERMAL, "got list"),
        (RGB, THERMAL.astype(np.float64), "uint8, uint16 or float32, got shape .60, 80. float64"),
        (RGB, np.zeros((4, 5, 2), np.uint8), "got shape .4, 5, 2."),
        (RGB[:0], THERMAL, "got shape .0, 160, 3."),
        (None, None, "got None for both"),
    ],
)
def test_refuses_wrong_images(tracker: Tracker, rgb, thermal, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tracker.init(rgb, thermal, BOX)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "4 finite numbers"),
        ("box", "4 finite numbers"),
        ((1, 2, float("nan"), 4), "4 finite numbers"),
        ((1, 2, 0, 4), "w, h > 0"),
        ((500, 2, 10, 10), "must overlap the 160x120 image"),
    ],
)
def test_refuses_wrong_boxes(tracker: Tracker, box, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tracker.init(RGB, THERMAL, box)


def test_refuses_update_before_init(tracker: Tracker) -> None:
    with pytest.raises(RuntimeError, match=r"call init\(\) first"):
        tracker.update(RGB, THERMAL)


def test_refuses_an_update_without_any_image(tracker: Tracker) -> None:
    tracker.init(RGB, THERMAL, BOX)
    with pytest.raises(ValueError, match="rgb None, thermal None"):
        tracker.update(None, None)


def test_refuses_a_camera_that_never_saw_the_target(tracker: Tracker) -> None:
    tracker.init(RGB, None, BOX)
    with pytest.raises(ValueError, match="that has seen the target"):
        tracker.update(None, THERMAL)


def test_says_how_to_get_missing_weights() -> None:
    assert shipped_weights("base") is None
    with pytest.raises(FileNotFoundError, match="no weights ship for preset 'base'.*ainet train"):
        Tracker.from_preset("base")
    with pytest.raises(ValueError, match="got 'huge'"):
        Tracker.from_preset("huge")


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:99", "cuda:x"])
def test_refuses_devices_that_are_not_there(device: str) -> None:
    with pytest.raises(ValueError, match="device"):
        choose_device(device)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_takes_every_kind_of_thermal_image(tracker: Tracker, dtype, channels) -> None:
    thermal = np.ones((60, 80, *channels), dtype)
    tracker.init(RGB, thermal, BOX)
    target = tracker.update(RGB, thermal)
    assert target.box.shape == (4,)
    assert 0 <= target.score <= 1
    assert sorted(target.order) == list(range(CONFIG.depth))


def test_inputs_are_not_changed(tracker: Tracker) -> None:
    rgb, thermal, box = RGB.copy(), THERMAL.copy(), np.array(BOX)
    tracker.init(rgb, thermal, box)
    tracker.update(rgb, thermal)
    assert np.array_equal(rgb, RGB)
    assert np.array_equal(thermal, THERMAL)
    assert np.array_equal(box, BOX)


@pytest.mark.parametrize(
    ("first", "later"), [((1, 1), (1, 0)), ((1, 1), (0, 1)), ((1, 0), (1, 0))]
)
def test_goes_on_with_one_camera(tracker: Tracker, first, later) -> None:
    tracker.init(RGB if first[0] else None, THERMAL if first[1] else None, BOX)
    target = tracker.update(RGB if later[0] else None, THERMAL if later[1] else None)
    assert np.isfinite(target.box).all()


def say_everywhere(tracker: Tracker, logit: float) -> None:
    """The network's score has about this logit in every cell."""
    head = tracker.model.head
    last = head.score[-1] if head._joint is None else head._joint[-1]
    last.bias.data[0] = logit  # type: ignore[index, union-attr]


def test_a_late_camera_joins_a_certain_target(tracker: Tracker) -> None:
    say_everywhere(tracker, 5.0)  # certain
    tracker.init(RGB, None, BOX)
    tracker.update(RGB, THERMAL)
    tracker.update(None, THERMAL)  # would be refused had thermal not joined


def test_a_doubtful_target_lets_nobody_join(tracker: Tracker) -> None:
    say_everywhere(tracker, -5.0)
    tracker.init(RGB, None, BOX)
    tracker.update(RGB, THERMAL)
    with pytest.raises(ValueError, match="that has seen the target"):
        tracker.update(None, THERMAL)


def test_the_box_follows_the_image_size(tracker: Tracker) -> None:
    """A thermal-only start is measured in thermal pixels until the first RGB image comes."""
    say_everywhere(tracker, -5.0)
    tracker.init(None, THERMAL, (30, 20, 10, 15))
    with pytest.raises(ValueError, match="that has seen the target"):
        tracker.update(RGB, None)
    target = tracker.update(RGB, THERMAL)
    assert np.abs(target.box[:2] + target.box[2:] / 2 - np.array([70.0, 55.0])).max() < 45


def test_a_lost_target_is_told_and_its_box_stays(tracker: Tracker) -> None:
    say_everywhere(tracker, -9.0)
    tracker.init(RGB, THERMAL, BOX)
    targets = [tracker.update(RGB, THERMAL) for _ in range(8)]
    lost = [target for target in targets if target.state == "lost"]
    assert targets[0].state == "tracking"
    assert len(lost) >= 3
    assert np.array_equal(lost[0].box, lost[-1].box)


@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
@pytest.mark.parametrize("cameras", ["both", "rgb", "thermal"])
def test_shipped_weights_follow_a_textured_square(cameras: str) -> None:
    rng = np.random.default_rng(7)
    background = rng.integers(60, 120, (240, 320, 3)).astype(np.uint8)
    square = np.kron(rng.integers(0, 2, (4, 4)) * 200 + 30, np.ones((10, 10))).astype(np.uint8)
    tracker = Tracker.from_preset("nano", "cpu")

    def frame(number: int):
        rgb = background.copy()
        x, y = 100 + 3 * number, 90 + 2 * number
        rgb[y : y + 40, x : x + 40] = square[..., None]
        thermal = rgb[..., 0].copy()
        return (
            rgb if cameras != "thermal" else None,
            thermal if cameras != "rgb" else None,
            np.array([x, y, 40, 40]),
        )

    rgb, thermal, box = frame(0)
    tracker.init(rgb, thermal, box)
    for number in range(1, 15):
        rgb, thermal, box = frame(number)
        target = tracker.update(rgb, thermal)
        assert target.state == "tracking"
        assert np.abs(target.box[:2] + target.box[2:] / 2 - box[:2] - box[2:] / 2).max() < 12


def test_nano_is_what_the_preset_says() -> None:
    config = preset_config("nano")
    assert config.template_prior
    assert config.tokens == 180


def _scene(x: int | None) -> tuple[np.ndarray, np.ndarray]:
    """A red and yellow disc, warm at its rim, at column x of a cloudy scene; None: no disc."""
    coarse = np.random.default_rng(3).integers(60, 140, (12, 16, 3), dtype=np.uint8)
    rgb = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)
    thermal = np.ascontiguousarray(rgb[..., 0])
    if x is not None:
        cv2.circle(rgb, (x, 120), 14, (230, 60, 40), -1)
        cv2.circle(rgb, (x, 120), 6, (250, 240, 60), -1)
        cv2.circle(thermal, (x, 120), 14, 235, -1)
        cv2.circle(thermal, (x, 120), 6, 120, -1)
    return rgb, thermal


@pytest.mark.parametrize(
    ("plan", "found"), [(SearchPlan(widen_limit=1.0, sweep=False), False), (SearchPlan(), True)]
)
def test_a_lost_target_is_looked_for_beyond_the_usual_region(plan, found: bool) -> None:
    """It vanishes for 20 frames and comes back 5 of its widths away."""
    settings = TrackerSettings(search=plan)
    tracker = Tracker.from_preset("nano", "cpu", settings)
    tracker.init(*_scene(80), (66, 106, 28, 28))
    for _ in range(5):
        assert tracker.update(*_scene(80)).state == "tracking"
    for _ in range(20):
        target = tracker.update(*_scene(None))
    assert target.state == "lost"
    states = [tracker.update(*_scene(220)) for _ in range(20)]
    assert (states[-1].state == "tracking") == found
    if found:
        x, _, w, _ = states[-1].box
        assert x + w / 2 == pytest.approx(220, abs=6)


@pytest.mark.parametrize(
    ("plan", "follows"),
    [
        (SearchPlan(follow_above=1.0), False),
        (SearchPlan(follow_within=0.01), False),
        (SearchPlan(), True),
    ],
)
def test_a_target_that_was_doubted_wrongly_is_not_left_behind(plan, follows: bool) -> None:
    """Nothing is ever sure enough here: it is told lost, and the place to look at moves along."""
    doubting = StateThresholds(lost_below=0.9999, lost_after=2, found_above=1.0)
    tracker = Tracker.from_preset("nano", "cpu", TrackerSettings(search=plan, state=doubting))
    tracker.init(*_scene(80), (66, 106, 28, 28))
    for number in range(1, 51):
        target = tracker.update(*_scene(80 + 2 * number))
    assert target.state == "lost"
    x, _, w, _ = target.box
    assert (x + w / 2 == pytest.approx(180, abs=14)) == follows
