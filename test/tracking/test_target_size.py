"""What is believed of the sizes that the network reads."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from ainet_core.data.synthetic import random_world
from ainet_core.tracking.target_size import SizeTrust, TargetSize, credible
from ainet_core.tracking.tracker import Tracker

FIRST = np.array([40.0, 20.0])


@pytest.mark.parametrize(
    ("trust", "message"),
    [
        ({"step": 0.0}, "step must be above 0 and at most 1, got 0.0"),
        ({"step": 1.5}, "got 1.5"),
        ({"error": -0.1}, "error must be >= 0, got -0.1"),
        ({"error": float("nan")}, "error must be >= 0, got nan"),
        ({"blur": -1.0}, "blur must be >= 0, got -1.0"),
    ],
)
def test_refuses_what_is_no_share(trust: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SizeTrust(**trust)


def test_without_an_error_all_is_believed() -> None:
    growth = np.array([-0.7, -0.01, 0.0, 0.3])
    np.testing.assert_allclose(credible(growth, 0.0), growth)


def test_within_the_error_little_is_believed_and_far_beyond_it_nearly_all() -> None:
    assert 0 < credible(np.array([0.05]), 0.17)[0] < 0.01
    assert credible(np.array([1.0]), 0.17)[0] > 0.95
    growth = np.linspace(-2, 2, 401)
    believed = credible(growth, 0.17)
    assert (np.diff(believed) >= 0).all()
    np.testing.assert_allclose(believed, -believed[::-1], atol=1e-12)


def test_a_steady_reading_is_reached_step_by_step() -> None:
    size = TargetSize(FIRST, SizeTrust(step=0.5, error=0.0, blur=0.0))
    first = size.observe(2 * FIRST, score=1.0)
    np.testing.assert_allclose(first, FIRST * np.sqrt(2))
    for _ in range(30):
        last = size.observe(2 * FIRST, score=1.0)
    np.testing.assert_allclose(last, 2 * FIRST)


def test_a_doubtful_reading_moves_it_less() -> None:
    sure, doubtful = (TargetSize(FIRST, SizeTrust()) for _ in range(2))
    assert (sure.observe(2 * FIRST, 0.9) > doubtful.observe(2 * FIRST, 0.1)).all()


def test_a_small_target_is_read_less_well_than_a_large_one() -> None:
    trust = SizeTrust(error=0.1, blur=15.0)
    assert trust.error_of(600.0) == pytest.approx(0.1, rel=0.01)
    assert trust.error_of(15.0) == pytest.approx(1.0, rel=0.01)
    assert trust.error_of(30.0) == pytest.approx(math.hypot(0.1, 0.25))
    small, large = (TargetSize(scale * FIRST, trust) for scale in (0.3, 5.0))
    for _ in range(20):
        grown = small.observe(0.3 * 1.3 * FIRST, 1.0), large.observe(5 * 1.3 * FIRST, 1.0)
    assert (grown[0] / (0.3 * FIRST) < 1.1).all()
    assert (grown[1] / (5 * FIRST) > 1.2).all()


def test_it_follows_the_image_size() -> None:
    size = TargetSize(FIRST, SizeTrust(error=0.0, blur=0.0))
    size.observe(FIRST, 1.0)
    size.rescale(np.array([0.5, 2.0]))
    np.testing.assert_allclose(size.observe(FIRST * [0.5, 2.0], 1.0), FIRST * [0.5, 2.0])


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_a_robot_that_comes_nearer_or_leaves_keeps_the_whole_target(factor: float) -> None:
    """The shipped tracker, while a scene grows or shrinks around its target within 40 frames."""
    world = random_world(5)
    rgb, thermal, box, _ = world.frame(0)
    center = box[:2] + box[2:] / 2
    tracker = Tracker.from_preset("nano", "cpu")
    tracker.init(rgb, thermal, box)
    for number in range(1, 41):
        scale = factor ** (number / 40)
        warp = np.array([[scale, 0, center[0] * (1 - scale)], [0, scale, center[1] * (1 - scale)]])
        size = (rgb.shape[1], rgb.shape[0])
        view = [
            cv2.warpAffine(image, warp, size, borderMode=cv2.BORDER_REFLECT)
            for image in (rgb, thermal)
        ]
        target = tracker.update(*view)
    grown = np.sqrt((target.box[2:] / box[2:]).prod())
    assert grown == pytest.approx(factor, rel=0.25)
