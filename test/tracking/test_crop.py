"""Regions and crops: the way there and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ainet_core.imaging.thermal import ThermalNormalizer
from ainet_core.tracking.crop import Region, crop


@pytest.fixture(name="seed")
def _seed() -> int:
    seed = int(np.random.default_rng().integers(2**31))
    print(f"seed {seed}")
    return seed


def test_boxes_come_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(100):
        box = rng.uniform([-50, -50, 2, 2], [600, 400, 300, 300])
        region = Region.around(box, rng.uniform(1, 6), int(rng.integers(32, 256)))
        np.testing.assert_allclose(region.to_image(region.to_crop(box)), box, atol=1e-9)


def test_target_takes_its_share_in_the_middle_of_the_crop() -> None:
    region = Region.around(np.array([100.0, 60, 40, 40]), 4.0, 192)
    np.testing.assert_allclose(region.to_crop(np.array([100.0, 60, 40, 40])), [72, 72, 48, 48])


def _scene(height: int, width: int, scale: float) -> np.ndarray:
    """A bright disc at (120, 90) of a 320 x 240 view, drawn at another resolution."""
    image = np.full((height, width), 30, np.uint8)
    cv2.circle(
        image, (round(120 * scale * 16), round(90 * scale * 16)), round(10 * scale * 16), 255, -1,
        cv2.LINE_AA, 4,
    )  # fmt: skip
    return image


def _center(image: np.ndarray) -> np.ndarray:
    weight = image.astype(float) - 30
    weight[weight < 60] = 0
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("side", [60.0, 150.0, 400.0])
def test_pixels_land_where_the_box_says(side: float) -> None:
    region = Region(110.0, 95.0, side, 96)
    seen = _center(crop(_scene(240, 320, 1.0), region, (240, 320))) + 0.5
    expected = region.to_crop(np.array([120.5, 90.5, 0, 0]))[:2]
    np.testing.assert_allclose(seen, expected, atol=0.35)


@pytest.mark.parametrize("scale", [0.5, 2.0, 4.0])
def test_thermal_of_another_size_shows_the_same_place(scale: float) -> None:
    region = Region(110.0, 95.0, 120.0, 96)
    rgb = crop(_scene(240, 320, 1.0), region, (240, 320))
    thermal = crop(_scene(int(240 * scale), int(320 * scale), scale), region, (240, 320))
    np.testing.assert_allclose(_center(rgb), _center(thermal), atol=0.6)


def test_beyond_the_border_is_the_mean() -> None:
    image = np.full((40, 40, 3), (10, 120, 200), np.uint8)
    out = crop(image, Region(0.0, 0.0, 40.0, 32), (40, 40))
    assert out.shape == (32, 32, 3)
    np.testing.assert_allclose(out[0, 0], (10, 120, 200), atol=1)
    far = crop(image, Region(-500.0, -500.0, 40.0, 32), (40, 40))
    np.testing.assert_allclose(far[16, 16], (10, 120, 200), atol=1)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_only_what_is_shown_is_mapped_to_eight_bit(seed: int, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    raw = cv2.GaussianBlur(rng.integers(7000, 9000, (300, 400)).astype(dtype), (0, 0), 2)
    mapped = []

    def to_grey(part: np.ndarray) -> np.ndarray:
        mapped.append(part.size)
        return to_eight_bit(part)

    to_eight_bit = ThermalNormalizer().follow(raw)
    for _ in range(60):
        side = float(np.exp(rng.uniform(np.log(8), np.log(1200))))
        region = Region(*rng.uniform(-80, 480, 2), side, 48)
        expected = crop(to_eight_bit(raw), region, (300, 400))
        np.testing.assert_array_equal(crop(raw, region, (300, 400), to_grey), expected)
        side_with_margin = side + 2 * (side / 48 + 3)
        assert sum(mapped) <= side_with_margin**2 + raw.size / 60
        mapped.clear()


@pytest.mark.parametrize("side", [60.0, 250.0])
def test_false_colours_far_outside_give_a_grey_crop(side: float) -> None:
    colours = np.full((40, 40, 3), 90, np.uint8)
    region = Region(-500.0, -500.0, side, 32)
    out = crop(colours, region, (40, 40), ThermalNormalizer().follow(colours))
    np.testing.assert_array_equal(out, np.full((32, 32), 90))


def test_a_reduced_crop_shows_no_border_inside_the_image() -> None:
    image = np.full((400, 400), 30, np.uint8)
    image[:60] = 220  # so that the mean, which fills beyond the border, is another grey
    out = crop(image, Region(230.0, 230.0, 300.0, 64), (400, 400))
    np.testing.assert_array_equal(out, np.full((64, 64), 30))
