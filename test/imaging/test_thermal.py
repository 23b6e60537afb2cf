"""Mapping thermal images to 8 bits."""

import numpy as np
import pytest

from ainet_core.imaging.thermal import ThermalNormalizer, to_eight_bit


def counts(seed: int = 0, level: float = 30_000, spread: float = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, spread, (48, 64)).astype(np.uint16)


@pytest.mark.parametrize(
    "thermal",
    [
        np.zeros((4, 4), np.float64),
        np.zeros((4, 4), np.int16),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros(16, np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_other_shapes_and_types_are_refused(thermal):
    with pytest.raises(ValueError, match=r"thermal must be .* got \(.*" + thermal.dtype.name):
        to_eight_bit(thermal)
    with pytest.raises(ValueError, match="thermal must be"):
        ThermalNormalizer()(thermal)


def test_a_list_is_refused_by_name():
    with pytest.raises(ValueError, match="got list"):
        to_eight_bit([[1, 2], [3, 4]])


@pytest.mark.parametrize("percentiles", [(99, 1), (-1, 99), (5, 5), (1, 101)])
def test_percentiles_out_of_order_are_refused(percentiles):
    with pytest.raises(ValueError, match="percentiles must be"):
        ThermalNormalizer(percentiles)


@pytest.mark.parametrize("memory", [-0.1, 1.0])
def test_memory_outside_its_range_is_refused(memory):
    with pytest.raises(ValueError, match="memory must be"):
        ThermalNormalizer(memory=memory)


def test_eight_bits_pass_through():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_eight_bit(image), image)
    assert np.array_equal(to_eight_bit(image[:, :, None]), image)
    assert np.array_equal(to_eight_bit(np.dstack([image] * 3)), image)


def test_false_colours_become_grey():
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, 4:] = (255, 200, 0)
    grey = to_eight_bit(image)
    assert grey.shape == (8, 8)
    assert grey[0, 7] > grey[0, 0]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_raw_values_keep_their_order_and_use_the_range(dtype, channels):
    ramp = np.linspace(20_000, 24_000, 100 * 100).reshape(100, 100).astype(dtype)
    shaped = ramp if channels is None else np.repeat(ramp[:, :, None], channels, axis=2)
    grey = to_eight_bit(shaped)
    assert grey.dtype == np.uint8
    assert grey.shape == (100, 100)
    assert (np.diff(grey.ravel().astype(int)) >= 0).all()
    assert grey.min() < 30
    assert grey.max() > 225


def test_a_few_hot_pixels_do_not_take_the_range():
    image = counts()
    image[0, :5] = 65_535
    assert to_eight_bit(image)[5:].std() > 20


def test_not_finite_pixels_are_harmless():
    image = counts().astype(np.float32)
    clean = to_eight_bit(image)
    image[3, 3], image[4, 4], image[5, 5] = np.nan, np.inf, -np.inf
    grey = to_eight_bit(image)
    assert (grey[3, 3], grey[4, 4], grey[5, 5]) == (0, 255, 0)
    assert abs(int(grey[20, 20]) - int(clean[20, 20])) <= 3


def test_nothing_finite_is_plain_grey():
    image = np.full((8, 8), np.nan, np.float32)
    assert np.unique(to_eight_bit(image)).tolist() == [128]
    assert np.unique(ThermalNormalizer()(image)).tolist() == [128]


def test_a_single_finite_pixel_off_the_sampling_grid_is_found():
    image = np.full((600, 800), np.nan, np.float32)
    image[1, 1] = 300.0
    assert 100 < to_eight_bit(image)[1, 1] < 156


@pytest.mark.parametrize("value", [0, 30_000, 65_535])
def test_a_flat_scene_stays_flat(value):
    assert np.unique(to_eight_bit(np.full((8, 8), value, np.uint16))).size == 1
    noisy = np.full((48, 64), value, np.int64) + np.random.default_rng(0).integers(-2, 3, (48, 64))
    assert np.std(to_eight_bit(np.clip(noisy, 0, 65_535).astype(np.uint16))) < 10


def test_temperatures_in_kelvin_keep_their_detail():
    image = np.linspace(300.0, 300.5, 48 * 64, dtype=np.float32).reshape(48, 64)
    assert np.unique(to_eight_bit(image)).size > 150


def test_the_argument_is_not_changed():
    image = counts().astype(np.float32)
    image[0, 0] = np.nan
    before = image.copy()
    to_eight_bit(image)
    assert np.array_equal(image, before, equal_nan=True)


def test_the_range_follows_slowly():
    """A hot object enters: the background must not go dark at once."""
    scene = counts()
    with_fire = scene.copy()
    with_fire[:10] = 40_000
    normalize = ThermalNormalizer()
    before = normalize(scene)[30:].mean()
    assert abs(normalize(with_fire)[30:].mean() - before) < 75
    assert abs(to_eight_bit(with_fire)[30:].mean() - before) > 90
    for _ in range(200):
        last = normalize(with_fire)
    assert abs(last[30:].mean() - to_eight_bit(with_fire)[30:].mean()) < 3


def test_noise_does_not_flicker():
    normalize = ThermalNormalizer()
    means = [normalize(counts(seed)).mean() for seed in range(30)]
    assert np.std(np.diff(means[5:])) < 1.5


def test_a_jump_of_the_whole_scene_is_followed_at_once():
    normalize = ThermalNormalizer()
    normalize(counts(level=30_000))
    assert 90 < normalize(counts(level=50_000)).mean() < 166


def test_reset_forgets():
    image = counts()
    normalize = ThermalNormalizer()
    normalize(counts(level=30_300))
    normalize.reset()
    assert np.array_equal(normalize(image), to_eight_bit(image))


def test_another_type_starts_anew():
    normalize = ThermalNormalizer()
    normalize(counts())
    kelvin = (counts() / 100).astype(np.float32)
    assert np.array_equal(normalize(kelvin), to_eight_bit(kelvin))
