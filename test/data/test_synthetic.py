"""The generated worlds."""

import numpy as np
import pytest

from ainet_core.data.synthetic import SyntheticWorld

SIZE = (120, 160)


@pytest.fixture(scope="module")
def city():
    return SyntheticWorld(seed=1, size=SIZE)


@pytest.mark.parametrize("sizes", [((10, 640), None), ((480, 640), (8, 8))])
def test_tiny_images_are_refused(sizes):
    with pytest.raises(ValueError, match=r"must be \(height, width\) >= 32"):
        SyntheticWorld(0, *sizes)


def test_frames_outside_are_refused(city):
    for index in (-1, len(city)):
        with pytest.raises(IndexError, match=f"frame {index} of {len(city)}"):
            city.frame(index)


def test_a_sequence_of_both_cameras(city):
    sequence = city.sequence()
    assert len(sequence) == 420
    assert sequence.rate == 30
    assert sequence.visible.all()  # the demo's target never leaves the picture
    rgb, thermal = sequence[7]
    assert (rgb.shape, rgb.dtype) == ((*SIZE, 3), np.uint8)
    assert (thermal.shape, thermal.dtype) == (SIZE, np.uint8)
    x, y, w, h = sequence.groundtruth.T
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (x + w <= SIZE[1]).all()
    assert (y + h <= SIZE[0]).all()
    assert (h > 15).all()


def test_a_frame_is_a_function_of_seed_and_number(city):
    again = SyntheticWorld(seed=1, size=SIZE)
    for index in (200, 5):  # in another order than below
        city.frame(index)
    for index in (5, 200):
        one, two = city.frame(index), again.frame(index)
        assert np.array_equal(one.rgb, two.rgb)
        assert np.array_equal(one.thermal, two.thermal)
        assert np.array_equal(one.box, two.box)
    assert not np.array_equal(SyntheticWorld(2, SIZE).frame(5).rgb, city.frame(5).rgb)


def test_frames_handed_out_do_not_change(city):
    kept = city.frame(10)
    copy = kept.rgb.copy(), kept.thermal.copy()
    city.frame(200)
    assert np.array_equal(kept.rgb, copy[0])
    assert np.array_equal(kept.thermal, copy[1])


def test_the_box_fits_the_warm_body():
    """Before anything is hot but people, what is warm in and around the box touches its edges."""
    world = SyntheticWorld(seed=1, size=(240, 320), sixteen_bit=True)
    frame = world.frame(0)
    kelvin = frame.thermal.astype(float) / 100
    assert 270 < np.median(kelvin) < 310
    x, y, w, h = frame.box
    rows, columns = slice(int(y) - 6, int(y + h) + 7), slice(int(x) - 6, int(x + w) + 7)
    warm = kelvin[rows, columns] > 273.15 + 24.5
    ys, xs = np.nonzero(warm)
    found = np.array([xs.min() - 6 + int(x), ys.min() - 6 + int(y), np.ptp(xs), np.ptp(ys)])
    assert np.abs(found[1] - y) < 3
    assert np.abs(found[3] - h) < 6
    assert found[0] > x - 3


def contrast(image, box):
    """Difference between the middle of the box and its surroundings, in deviations of these."""
    x, y, w, h = box
    image = image.astype(float)
    if image.ndim == 3:
        image = image.mean(axis=2)
    inner = image[int(y + h / 4) : int(y + 0.7 * h), int(x + w / 3) : int(x + 2 * w / 3)]
    outer = image[int(y) : int(y + h), max(0, int(x - w)) : int(x + 2 * w)]
    return abs(inner.mean() - np.median(outer)) / max(outer.std(), 6.0)


def test_each_camera_is_blind_for_a_while_but_never_both():
    world = SyntheticWorld(seed=0, size=(240, 320))
    clear, smoke, warm = (world.frame(index) for index in (120, 215, 330))
    assert contrast(clear.thermal, clear.box) > 1
    assert contrast(smoke.thermal, smoke.box) > 1
    assert contrast(warm.thermal, warm.box) < 0.7
    x, y, w, h = smoke.box.astype(int)
    assert smoke.rgb[y : y + h, x : x + w].std() < 25
    x, y, w, h = warm.box.astype(int)
    assert warm.rgb[y : y + h, x : x + w].std() > 40


def test_other_people_hide_the_target_for_moments(city):
    shares = [city.frame(index).visible_fraction for index in range(0, len(city), 20)]
    assert max(shares) > 0.97
    assert 0.1 < min(shares) < 0.8


def test_a_smaller_thermal_camera():
    world = SyntheticWorld(seed=1, size=SIZE, thermal_size=(60, 80), sixteen_bit=True)
    thermal = world.frame(0).thermal
    assert (thermal.shape, thermal.dtype) == ((60, 80), np.uint16)
