"""The running estimate: says nothing where nothing can be said, follows, and has words for it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data.readers import open_sequence
from ainet_core.imaging.remaining_shift import RemainingShift, Shift

SEED = 3
STAIRS = Path(__file__).resolve().parents[3] / "shared/data/sequences/stairs"


def houses(rng: np.random.Generator) -> np.ndarray:
    image = np.full((240, 320), 90, np.uint8)
    for _ in range(60):
        x, y, w, h = (int(v) for v in rng.integers([0, 0, 8, 8], [300, 220, 50, 50]))
        cv2.rectangle(image, (x, y), (x + w, y + h), int(rng.integers(255)), -1)
    return image


def moved(image: np.ndarray, x: float, y: float) -> np.ndarray:
    move = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def test_it_does_not_guess() -> None:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    watch = RemainingShift()
    assert watch.shift is None
    for _ in range(10):  # flat, then noise, then two different streets
        watch.add(np.full((240, 320, 3), 90, np.uint8), np.full((120, 160), 20, np.uint8))
    assert watch.shift is None
    watch.reset()
    for _ in range(10):
        noise = rng.integers(0, 255, (2, 240, 320, 3), np.uint8)
        watch.add(noise[0], noise[1, ..., 0])
    assert watch.shift is None
    watch.reset()
    for _ in range(10):
        watch.add(np.repeat(houses(rng)[..., None], 3, axis=2), houses(rng))
    assert watch.shift is None


@pytest.mark.parametrize(
    "thermal",
    [
        lambda image: image,
        lambda image: 255 - image,
        lambda image: 3000 - 4 * image.astype(np.uint16),
        lambda image: 20 + image.astype(np.float32) / 10,
        lambda image: np.repeat(image[::2, ::2, None], 3, axis=2),
    ],
)
def test_what_is_bright_and_of_which_type_does_not_matter(thermal) -> None:
    print(f"seed {SEED}")
    rgb = houses(np.random.default_rng(SEED))
    watch = RemainingShift()
    for count in range(3):
        assert count == 0 or watch.shift is None  # one pair may be a chance
        watch.add(np.repeat(rgb[..., None], 3, axis=2), thermal(moved(rgb, 12, -7)))
    assert watch.shift is not None
    assert watch.shift.x == pytest.approx(12, abs=1)
    assert watch.shift.y == pytest.approx(-7, abs=1)


def test_it_follows_when_somebody_touches_the_camera_and_forgets_another_camera() -> None:
    print(f"seed {SEED}")
    image = houses(np.random.default_rng(SEED))
    rgb = np.repeat(image[..., None], 3, axis=2)
    watch = RemainingShift()
    for _ in range(10):
        watch.add(rgb, image)
    assert watch.shift is not None
    assert watch.shift.length < 1
    for _ in range(15):
        watch.add(rgb, moved(image, 0, 16))
    assert watch.shift is not None
    assert watch.shift.y == pytest.approx(16, abs=1)
    watch.add(cv2.resize(rgb, (640, 480)), image)
    assert watch.shift is None


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (Shift(11.2, 0.3), "thermal is 11 px right of RGB"),
        (Shift(-3, 4.4), "thermal is 3 px left and 4 px below RGB"),
        (Shift(0, -8), "thermal is 8 px above RGB"),
        (Shift(0.2, -0.4), "thermal lies on RGB"),
    ],
)
def test_it_has_words_for_it(shift: Shift, words: str) -> None:
    assert str(shift) == words


@pytest.mark.skipif(not STAIRS.is_dir(), reason=f"needs {STAIRS}")
def test_real_pairs_tell_it_to_two_pixels() -> None:
    watch = RemainingShift()
    for rgb, thermal in open_sequence(STAIRS)[:5].frames():
        watch.add(rgb, moved(thermal, 20, -9))
    assert watch.shift is not None
    assert abs(watch.shift.x - 20) < 2
    assert abs(watch.shift.y + 9) < 2
