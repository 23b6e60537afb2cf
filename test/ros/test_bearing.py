"""Angles of a box and how they change: refusals first, no DDS."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from ainet_ros.bearing import AngleRate, Angles, Lens

LENS = Lens(focal=(500.0, 520.0), centre=(319.5, 239.5), size=(640, 480))
PLUMB_BOB = (-0.28, 0.09, 0.001, -0.0005, -0.01)
FISHEYE = (0.02, -0.01, 0.003, -0.001)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"focal": (0.0, 0.0)}, "the camera is not calibrated"),
        ({"focal": (500.0, math.nan)}, "not calibrated"),
        ({"size": (0, 480)}, "width, height >= 1, got"),
        ({"model": "thin_prism"}, "must be one of plumb_bob, .* got 'thin_prism': rectify"),
        ({"distortion": (0.1, 0.2, 0.3)}, "4 or 5 or 8 or 12 or 14 coefficients .* got 3"),
        ({"model": "equidistant", "distortion": PLUMB_BOB}, "0 or 4 coefficients .* got 5"),
    ],
)
def test_a_lens_that_cannot_be_is_refused(change, message):
    values = {"focal": (1.0, 1.0), "centre": (0.0, 0.0), "size": (640, 480)}
    with pytest.raises(ValueError, match=message):
        Lens(**{**values, **change})


@pytest.mark.parametrize("size", [(640, 360), (480, 480), (0, 480), (-640, -480)])
def test_another_shape_is_refused(size):
    with pytest.raises(ValueError, match="CameraInfo is of 640x480 pixels and the boxes are of"):
        LENS.resized(*size)


@pytest.mark.parametrize("place", [(-1, 100), (100, 481), (math.nan, 100)])
def test_a_box_outside_is_refused(place):
    with pytest.raises(ValueError, match="outside CameraInfo's 640x480 image: set image_size"):
        LENS.angles(*place)


@pytest.mark.parametrize("values", [(0.0, 1.0), (0.1, -1.0), (math.nan, 1.0)])
def test_a_filter_without_time_is_refused(values):
    with pytest.raises(ValueError, match="must be > 0 s, got"):
        AngleRate(*values)


def test_the_middle_is_straight_ahead_right_and_up_are_plus():
    assert LENS.angles(320, 240) == (0, 0)
    right, up = LENS.angles(570, 240)
    assert (right, up) == pytest.approx((math.atan2(250, 500), 0))
    right, up = LENS.angles(320, 110)
    assert (right, up) == pytest.approx((0, math.atan2(130, 520)))


def test_both_turns_by_the_right_hand_lead_to_the_target():
    """Turn z by the elevation about x, then by the azimuth about y: the ray to the target."""
    azimuth, elevation = LENS.angles(600, 30)
    about_x, about_y = (cv2.Rodrigues(np.array(turn))[0] for turn in (
        (elevation, 0.0, 0.0), (0.0, azimuth, 0.0)))  # fmt: skip
    ray = about_y @ about_x @ np.array([0, 0, 1.0])
    x, y = 500 * ray[0] / ray[2] + 319.5, 520 * ray[1] / ray[2] + 239.5
    assert (x + 0.5, y + 0.5) == pytest.approx((600, 30))


@pytest.mark.parametrize(
    ("model", "distortion"), [("plumb_bob", PLUMB_BOB), ("equidistant", FISHEYE)]
)
def test_distortion_is_taken_out(model, distortion):
    lens = Lens(LENS.focal, LENS.centre, LENS.size, model, distortion)
    ray = np.array([[[0.35, -0.22, 1.0]]])
    matrix = np.array([[500, 0, 319.5], [0, 520, 239.5], [0, 0, 1.0]])
    none = np.zeros(3)
    if model == "equidistant":
        place = cv2.fisheye.projectPoints(ray, none, none, matrix, np.array(distortion))[0]
    else:
        place = cv2.projectPoints(ray, none, none, matrix, np.array(distortion))[0]
    x, y = place.ravel() + 0.5
    expected = math.atan2(0.35, 1), math.atan2(0.22, math.hypot(0.35, 1))
    assert lens.angles(x, y) == pytest.approx(expected, abs=1e-4)
    assert LENS.angles(x, y) != pytest.approx(expected, abs=1e-2)


def test_a_scaled_image_shows_the_same_angles():
    half = LENS.resized(320, 240)
    assert half.angles(100, 30) == pytest.approx(LENS.angles(200, 60))
    assert LENS.resized(640, 480) == LENS


def turning(times: np.ndarray, rate: float = 0.4) -> list[Angles | None]:
    filter_ = AngleRate(0.15, 1.0)
    return [filter_.observe(time, Angles(0.1 + rate * time, -0.5 * rate * time)) for time in times]


def test_a_steady_turn_is_read_at_irregular_times():
    times = 5.0 + np.cumsum(np.random.default_rng(3).uniform(0.02, 0.2, 40))
    first, *rates = turning(times)
    assert first is None
    np.testing.assert_allclose(rates, [(0.4, -0.2)] * 39, atol=1e-9)


def test_noise_is_smoothed_and_a_start_is_believed_in_time():
    rng = np.random.default_rng(7)
    filter_ = AngleRate(0.15, 1.0)
    rates = []
    for number in range(120):
        time = number / 30
        angle = max(0.0, time - 2.0) * 0.5 + rng.normal(0, 0.001)
        rates.append(filter_.observe(time, Angles(angle, 0.0)))
    still = np.array(rates[20:60])[:, 0]
    raw = math.sqrt(2) * 0.001 * 30
    assert still.std() < 0.35 * raw
    assert rates[60 + 15].azimuth == pytest.approx(0.5, abs=0.1)  # half a second later


def test_it_begins_anew_after_a_pause_a_step_back_and_another_target():
    filter_ = AngleRate(0.15, 1.0)
    here, there = Angles(0.0, 0.0), Angles(0.3, 0.0)
    assert filter_.observe(1.0, here) is None
    assert filter_.observe(1.1, there) == pytest.approx((3.0, 0.0))
    assert filter_.observe(1.1, there) is None  # the same image again
    assert filter_.observe(0.5, here) is None
    assert filter_.observe(0.6, here) == (0.0, 0.0)
    assert filter_.observe(1.7, there) is None
    filter_.observe(1.8, there)
    filter_.forget()
    assert filter_.observe(1.9, here) is None
