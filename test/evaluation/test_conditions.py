"""Degraded cameras: what changes, what must not, and that a seed settles it."""

from __future__ import annotations

import numpy as np
import pytest

from ainet_core.data.sequence import ArrayFrames, FramePair, Sequence
from ainet_core.evaluation.conditions import CONDITIONS

SEED = 3
RATE = 10.0


@pytest.fixture
def sequence() -> Sequence:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    rgb = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(80)]
    thermal = [rng.integers(0, 255, (48, 64), np.uint8) for _ in range(80)]
    boxes = np.tile([10.0, 10, 20, 20], (80, 1))
    return Sequence("walk", ArrayFrames(rgb), ArrayFrames(thermal), boxes, RATE)


def delivered(name: str, sequence: Sequence, seed: int = 0) -> list[FramePair]:
    return list(CONDITIONS[name].frames(sequence, seed))


def same(a: FramePair, b: FramePair) -> bool:
    return all(
        (left is None and right is None) or np.array_equal(left, right)
        for left, right in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_seed_settles_everything_and_the_sequence_stays(name: str, sequence: Sequence) -> None:
    before = list(sequence.load().frames())
    first, again = delivered(name, sequence, 1), delivered(name, sequence, 1)
    assert len(first) == len(sequence)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert not all(same(a, b) for a, b in zip(first, before, strict=True))
    assert all(same(a, b) for a, b in zip(sequence.frames(), before, strict=True))


@pytest.mark.parametrize("name", CONDITIONS)
def test_only_the_named_camera_changes(name: str, sequence: Sequence) -> None:
    kept = "thermal" if "rgb" in name else "rgb"
    for pair, original in zip(delivered(name, sequence), sequence.frames(), strict=True):
        assert np.array_equal(getattr(pair, kept), getattr(original, kept))


def test_one_camera_alone_is_degraded_like_both(sequence: Sequence) -> None:
    """Else "both against the better camera" would compare different smoke."""
    for name in ("rgb-haze", "rgb-dark"):
        both, alone = delivered(name, sequence), delivered(name, sequence.only("rgb"))
        assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(both, alone, strict=True))


@pytest.mark.parametrize(("name", "camera"), [("rgb-gaps", "rgb"), ("thermal-gaps", "thermal")])
def test_gaps_last_one_to_three_seconds(name: str, camera: str, sequence: Sequence) -> None:
    gone = np.array([getattr(pair, camera) is None for pair in delivered(name, sequence)])
    assert not gone[0]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], gone, [0]])))
    lengths = edges[1::2] - edges[::2]
    inner = lengths[:-1] if gone[-1] else lengths
    assert len(lengths) > 0
    assert all(RATE - 1 <= length <= 3 * RATE + 1 for length in inner)


def test_a_slow_thermal_camera_shows_each_image_three_times(sequence: Sequence) -> None:
    pairs = delivered("thermal-slow", sequence)
    assert all(np.array_equal(pairs[i].thermal, pairs[i - i % 3].thermal) for i in range(80))
    assert not np.array_equal(pairs[2].thermal, pairs[3].thermal)


@pytest.mark.parametrize("pixels", [8, 16])
def test_a_shift_is_as_long_as_it_says(pixels: int) -> None:
    image = np.zeros((96, 96), np.uint8)
    image[46:50, 46:50] = 255
    sequence = Sequence("dot", None, ArrayFrames([image]), np.ones((1, 4)))
    (pair,) = delivered(f"thermal-shift-{pixels}", sequence)
    rows, columns = np.nonzero(pair.thermal > 60)
    moved = np.hypot(rows.mean() - 47.5, columns.mean() - 47.5)
    assert moved == pytest.approx(pixels, abs=0.6)


def test_degraded_means_less_contrast(sequence: Sequence) -> None:
    original = sequence[40]
    assert delivered("rgb-dark", sequence)[40].rgb.mean() < 0.3 * original.rgb.mean()
    assert delivered("rgb-haze", sequence)[40].rgb.std() < 0.4 * original.rgb.std()
    assert delivered("thermal-faded", sequence)[40].thermal.std() < 0.4 * original.thermal.std()


def test_sixteen_bits_fade_like_eight(sequence: Sequence) -> None:
    deep = ArrayFrames([20000 + 10 * image.astype(np.uint16) for _, image in sequence.frames()])
    sixteen = Sequence("walk", None, deep, sequence.groundtruth, RATE)
    image = delivered("thermal-faded", sixteen)[5].thermal
    assert image.dtype == np.uint8
    assert 4 < image.std() < 25
