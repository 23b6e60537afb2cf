"""The endless worlds to train on."""

import numpy as np
import pytest

from ainet_core.data.synthetic import random_world
from ainet_core.data.synthetic.mishaps import Mishaps
from ainet_core.data.synthetic.random_world import LARGEST, SMALLEST

SIZE = (128, 160)


@pytest.mark.parametrize(("size", "frames"), [((32, 160), 10), ((128, 160), 1)])
def test_sizes_that_are_too_small_are_refused(size, frames):
    with pytest.raises(ValueError, match="size must be .* and frames >= 2"):
        random_world(0, size, frames)


def test_frames_outside_are_refused():
    world = random_world(0, SIZE, 10)
    with pytest.raises(IndexError, match="frame 10 of 10"):
        world.frame(10)


@pytest.mark.parametrize("seed", range(8))
def test_frames_have_boxes_inside_the_image(seed):
    world = random_world(seed, SIZE, 20)
    for index in (0, 11, 19):
        frame = world.frame(index)
        assert (frame.rgb.shape, frame.rgb.dtype) == ((*SIZE, 3), np.uint8)
        assert (frame.thermal.shape, frame.thermal.dtype) == (SIZE, np.uint8)
        x, y, w, h = frame.box
        assert x >= 0
        assert y >= 0
        assert x + w <= SIZE[1]
        assert y + h <= SIZE[0]
        assert 0 <= frame.visible_fraction <= 1
        if frame.visible_fraction > 0.9:
            assert SMALLEST / 3 < max(w, h) < LARGEST * 1.5


def test_same_seed_same_world_in_any_order():
    one, two = random_world(5, SIZE, 12), random_world(5, SIZE, 12)
    frames = [one.frame(index) for index in range(12)]
    for index in (7, 2, 11):
        again = two.frame(index)
        assert np.array_equal(again.rgb, frames[index].rgb)
        assert np.array_equal(again.thermal, frames[index].thermal)
        assert again.visible_fraction == frames[index].visible_fraction
    assert not np.array_equal(random_world(6, SIZE, 12).frame(0).rgb, frames[0].rgb)


def test_the_box_moves_with_the_target():
    """What changes when only the target is taken away lies in its box, and fills it."""
    world = random_world(3, SIZE, 12, degrade=False)
    with_target = world.frame(4)
    world._actors = [actor for actor in world._actors if actor is not world._target]
    without = world.frame(4)
    changed = np.abs(with_target.rgb.astype(int) - without.rgb).max(axis=2) > 12
    ys, xs = np.nonzero(changed)
    x, y, w, h = with_target.box
    assert changed.any()
    assert xs.min() >= x - 2
    assert xs.max() <= x + w + 2
    assert ys.min() >= y - 2
    assert ys.max() <= y + h + 2
    assert np.ptp(xs) > 0.6 * w
    assert np.ptp(ys) > 0.6 * h


def test_as_a_sequence():
    sequence = random_world(1, SIZE, 15).sequence("r")
    assert (len(sequence), sequence.name) == (15, "r")
    rgb, thermal = sequence[3]
    assert rgb.shape[:2] == thermal.shape == SIZE


def test_the_two_cameras_are_never_nearly_blind_together():
    for seed in range(60):
        mishaps = Mishaps(np.random.default_rng(seed), 90, (64, 64))
        for index in range(90):
            rgb, thermal = (
                max((m.level(index) for m in camera), default=0.0)
                for camera in (mishaps._rgb, mishaps._thermal)
            )
            assert min(rgb, thermal) < 0.7, (seed, index)
