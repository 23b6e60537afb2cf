"""Staged scenes: boxes exactly as asked."""

from __future__ import annotations

import numpy as np
import pytest

from ainet_core.data.synthetic import StagedWorld, stage
from ainet_core.data.synthetic.sprites import Canvas, paste
from ainet_core.data.synthetic.staged_world import KINDS, WARMER, _centred
from ainet_core.data.synthetic.staging import back_and_forth, circle, ramp

SIZE = (128, 160)
CENTRE = (80.0, 64.0)
SEEDS = range(len(KINDS))


@pytest.mark.parametrize(
    ("frames", "change", "message"),
    [
        (1, {}, "frames must be >= 2, got 1"),
        (9, {"side": 0.5}, r"side must be 1 .. inf, got 0.5 .. 0.5"),
        (9, {"side": np.nan}, "side must be 1"),
        (9, {"side": np.ones(8)}, r"side must fit \(9,\), got \(8,\)"),
        (9, {"middle": 3 * [1.0]}, r"middle must fit \(9, 2\), got \(3,\)"),
        (9, {"cover": 1.1}, "cover must be 0 .. 1"),
        (9, {"light": -1}, "light must be 0 .. inf"),
        (9, {"noise": -0.1}, "noise must be 0 .. inf"),
        (9, {"exposure": 2}, "exposure must be 0 .. 1"),
    ],
)
def test_what_cannot_be_is_refused(frames, change, message):
    with pytest.raises(ValueError, match=message):
        stage(frames, **{"middle": CENTRE, "side": 20, **change})


def test_tiny_images_and_frames_outside_are_refused():
    with pytest.raises(ValueError, match="size must be .* >= 64"):
        StagedWorld(0, stage(9, CENTRE, 20), (32, 160))
    with pytest.raises(IndexError, match="frame 9 of 9"):
        StagedWorld(0, stage(9, CENTRE, 20), SIZE).frame(9)
    with pytest.raises(ValueError, match="step must be at most 20 pixels, got 21"):
        circle(9, CENTRE, 10, 21)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("side", [6, 40])
def test_size_and_place_are_those_asked_for(seed, side):
    world = StagedWorld(seed, stage(2, CENTRE, side), SIZE)
    x, y, w, h = world.box(0)
    assert np.sqrt(w * h) == pytest.approx(side)
    assert (x + w / 2, y + h / 2) == pytest.approx(CENTRE)


def test_the_whole_image():
    world = StagedWorld(1, stage(2, CENTRE, np.sqrt(160 * 128), aspect=1.25), SIZE)
    np.testing.assert_allclose(world.box(1), (0, 0, 160, 128), atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_so_much_of_the_box_is_outside(seed, share):
    world = StagedWorld(seed, stage(9, CENTRE, 30, outside=ramp(9, 2, 6, -1, share)), SIZE)
    first, whole, cut = world.box(0), world.whole_box(8), world.box(8)
    assert first[0] + 2 * first[2] == pytest.approx(SIZE[1])
    assert cut[2] == pytest.approx((1 - share) * whole[2])
    assert cut[0] + cut[2] == SIZE[1]
    assert world.whole_box(8)[3] == pytest.approx(cut[3])
    assert world.frame(8).visible_fraction < world.frame(0).visible_fraction - 0.05


def test_nothing_left_inside_is_no_box():
    world = StagedWorld(0, stage(2, CENTRE, 20, outside=1.5), SIZE)
    assert not world.box(0).any()
    assert world.frame(0).visible_fraction == 0


@pytest.mark.parametrize("step", [1.0, 17.0, 59.0])
def test_every_step_of_a_circle_is_as_long_as_asked(step):
    boxes = StagedWorld(2, stage(12, circle(12, CENTRE, 30, step), 20), SIZE).sequence()
    middles = boxes.groundtruth[:, :2] + boxes.groundtruth[:, 2:] / 2
    np.testing.assert_allclose(np.hypot(*np.diff(middles, axis=0).T), step)


def test_back_and_forth_keeps_its_pace():
    way = back_and_forth(60, 100, 30)
    np.testing.assert_allclose(np.abs(np.diff(way)), 30)
    assert way[0] == 0
    assert 70 <= way.max() <= 130
    assert not back_and_forth(5, 100, 0).any()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("tilt", [0.0, 0.7, 2.0])
def test_the_box_fits_the_picture(seed, tilt):
    """What is drawn opaquely lies in the box and touches its edges, to the pixel."""
    world = StagedWorld(seed, stage(2, (80.3, 63.6), 50, tilt=tilt), SIZE)
    canvas = Canvas(np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.float32))
    rows, columns, alpha = paste(
        canvas, world._sprite, _centred(world._matrix(0, np.array((80.3, 63.6))))
    )
    ys, xs = np.nonzero(alpha > 127)
    low = np.array([xs.min() + columns.start, ys.min() + rows.start])
    high = np.array([xs.max() + columns.start, ys.max() + rows.start]) + 1
    x, y, w, h = world.box(0)
    np.testing.assert_allclose(low, (x, y), atol=1.1)
    np.testing.assert_allclose(high, (x + w, y + h), atol=1.1)


def test_the_screen_hides_as_much_as_asked():
    cover = np.array([0, 0.5, 1.0])
    world = StagedWorld(1, stage(3, CENTRE, 40, cover=cover), SIZE)
    shares = [world.frame(index).visible_fraction for index in range(3)]
    assert shares[0] > 0.95
    assert 0.35 < shares[1] < 0.65
    assert shares[2] == 0


def test_the_camera_moves_the_scene_and_blurs_it():
    still = StagedWorld(2, stage(3, CENTRE, 10), SIZE).frame(1).rgb.astype(int)
    shift = [(0, 0), (8, 0), (16, 0)]
    for exposure, limit in ((0.0, 12), (1.0, None)):
        staging = stage(3, CENTRE, 10, camera=shift, exposure=exposure)
        moved = StagedWorld(2, staging, SIZE).frame(1).rgb.astype(int)
        apart = np.abs(moved[:, 110:150] - still[:, 102:142]).mean()
        if limit is None:
            assert np.abs(np.diff(moved, axis=1)).mean() < np.abs(np.diff(still, axis=1)).mean()
        else:
            assert apart < limit


def test_a_look_alike_and_no_light():
    quiet = StagedWorld(1, stage(2, CENTRE, 24), SIZE).frame(0)
    twin = StagedWorld(1, stage(2, CENTRE, 24, twin=(120.0, 64.0)), SIZE).frame(0)
    changed = np.abs(twin.rgb.astype(int) - quiet.rgb).max(axis=2) > 12
    xs = np.flatnonzero(changed.any(axis=0))
    assert (xs.min() + xs.max() + 1) / 2 == pytest.approx(120, abs=2)
    dark = StagedWorld(1, stage(2, CENTRE, 24, light=0.0), SIZE).frame(0)
    assert dark.rgb.mean() < 5
    assert np.array_equal(dark.thermal, quiet.thermal)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_target_is_warmer_than_most(seed):
    frame = StagedWorld(seed, stage(2, CENTRE, 40), SIZE).frame(0)
    x, y, w, h = frame.box.astype(int)
    grey = frame.thermal.astype(float)
    inside = np.percentile(grey[y : y + h, x : x + w], 90) - np.median(grey)
    assert inside > 0.5 * WARMER * 255 / 45


def test_a_frame_is_a_function_of_its_arguments():
    one, two = (StagedWorld(3, stage(4, CENTRE, 20, noise=1.0), SIZE) for _ in range(2))
    two.frame(3)
    assert np.array_equal(one.frame(1).rgb, two.frame(1).rgb)
    assert np.array_equal(one.frame(1).thermal, two.frame(1).thermal)
    assert not np.array_equal(one.frame(1).thermal, two.frame(2).thermal)
