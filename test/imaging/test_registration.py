"""Thermal to RGB: what is refused, what comes back, and where pixels land."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.imaging.registration import Alignment, align_points, distances_within

THERMAL, RGB = (240, 320), (480, 640)
TRUE = np.array([[1.9, 0.05, 14.0], [-0.04, 1.95, 9.0], [2e-5, -1e-5, 1.0]])
SCATTERED = np.random.default_rng(0).uniform(0, 240, (40, 2))
CORNERS = np.array([[20, 20], [300, 25], [290, 220], [30, 210], [160, 120], [80, 180.0]])


@pytest.mark.parametrize(
    ("homography", "message"),
    [
        (np.ones((2, 3)), "must be 3 x 3 finite"),
        (np.full((3, 3), np.nan), "must be 3 x 3 finite"),
        (np.ones((3, 3)), "singular"),
        (np.diag([-2.0, 2.0, 1.0]) + [[0, 0, 640], [0, 0, 0], [0, 0, 0]], "mirrors"),
        (np.array([[2, 0, 0], [0, 2, 0], [-0.005, 0, 1.0]]), "over the horizon"),
        (np.array([[2, 0, 900], [0, 2, 0], [0, 0, 1.0]]), "0.0% of the RGB image"),
        (np.diag([0.05, 0.05, 1.0]), "0.1% of the RGB image"),
    ],
)
def test_refuses_what_is_no_view(homography: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Alignment(homography, THERMAL, RGB)


@pytest.mark.parametrize(
    ("thermal", "rgb", "message"),
    [
        (CORNERS[:3], CORNERS[:3], "at least 4 points are needed, got 3"),
        (CORNERS, CORNERS[:5], "expected n points x, y in both images"),
        (CORNERS * np.nan, CORNERS, "not finite"),
        (np.c_[np.arange(6), np.arange(6)] * 20.0, CORNERS, "thermal image lie on one line"),
        (CORNERS, np.c_[np.arange(6), np.arange(6)] * 20.0, "RGB image lie on one line"),
        (SCATTERED[:20], SCATTERED[20:], "of 20 points agree within 5 pixels"),
    ],
)
def test_refuses_points_that_tell_nothing(
    thermal: np.ndarray, rgb: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        align_points(thermal, rgb, THERMAL, RGB)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no alignment file"),
        ("version: 1", "is no alignment file: KeyError"),
        ("version: 2", "version 2, this program reads 1"),
        ("[1, 2", "is no alignment file"),
    ],
)
def test_refuses_other_files(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "alignment.yaml"
    with pytest.raises(FileNotFoundError, match="`ainet calibrate` makes one"):
        Alignment.load(path)
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as raised:
        Alignment.load(path)
    assert str(path) in str(raised.value)


def test_refuses_images_of_another_size() -> None:
    alignment = Alignment(TRUE, THERMAL, RGB)
    with pytest.raises(ValueError, match="made with thermal images of 320 x 240 pixels, got 640"):
        alignment.warp(np.zeros((512, 640), np.uint8))
    with pytest.raises(ValueError, match="another shape: calibrate again"):
        alignment.check_rgb((480, 480))
    alignment.check_rgb((960, 1280))  # the same camera, twice as large


def test_points_give_the_homography_although_one_is_wrong() -> None:
    truth = Alignment(TRUE, THERMAL, RGB)
    seen = truth.to_rgb(CORNERS)
    found = align_points(CORNERS, seen, THERMAL, RGB)
    np.testing.assert_allclose(found.to_rgb(CORNERS), seen, atol=0.01)
    assert found.error < 0.01
    wrong = seen.copy()
    wrong[4] += 60
    found = align_points(CORNERS, wrong, THERMAL, RGB)
    np.testing.assert_allclose(found.to_rgb(CORNERS), seen, atol=0.1)


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    alignment = Alignment(TRUE, THERMAL, RGB, error=0.75)
    alignment.save(tmp_path / "alignment.yaml")
    loaded = Alignment.load(tmp_path / "alignment.yaml")
    np.testing.assert_allclose(loaded.homography, TRUE)
    assert (loaded.thermal_size, loaded.rgb_size, loaded.error) == (THERMAL, RGB, 0.75)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_warm_spot_lands_where_rgb_has_it(dtype: type) -> None:
    alignment = Alignment(TRUE, THERMAL, RGB)
    thermal = np.full(THERMAL, 40, dtype)
    cv2.circle(thermal, (200, 90), 4, 200, -1)
    warped = alignment.warp(thermal)
    assert warped.dtype == dtype
    rows, columns = np.nonzero(warped > 120)
    scale = RGB[1] / warped.shape[1]
    center = (np.array([columns.mean(), rows.mean()]) + 0.5) * scale - 0.5
    np.testing.assert_allclose(center, alignment.to_rgb([[200, 90]])[0], atol=0.7)
    assert 0.4 < warped.shape[1] / RGB[1] < 0.6  # the thermal camera's own resolution


def test_beyond_the_thermal_view_lies_its_mean() -> None:
    shifted = Alignment(np.array([[2, 0, 200], [0, 2, 0], [0, 0, 1.0]]), THERMAL, RGB)
    warped = shifted.warp(np.full(THERMAL, 77, np.uint8))
    np.testing.assert_array_equal(warped, np.full_like(warped, 77))
    thermal = np.zeros(THERMAL, np.uint8)
    thermal[:, ::2] = 100
    assert (shifted.warp(thermal)[:, :90] == thermal[::8, ::8].mean().astype(np.uint8)).all()


def test_the_distances_are_those_of_the_parallax() -> None:
    near, far = distances_within(error=4, calibrated_at=10, baseline=0.06, focal=800)
    for distance in (near, far):
        off = 800 * 0.06 * abs(1 / distance - 1 / 10)
        assert off == pytest.approx(4)
    assert distances_within(5, 10, 0.06, 800)[1] == math.inf
    assert distances_within(4, 10, 0.0, 800) == (0.0, math.inf)
    with pytest.raises(ValueError, match="focal must be positive, got 0"):
        distances_within(4, 10, 0.06, 0)
