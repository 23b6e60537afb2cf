"""From the scene: what is refused, and that what is found is the true one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data.readers import open_sequence
from ainet_core.imaging.registration import mapped
from ainet_core.imaging.scene_alignment import align_scene

SEED = 6
RGB, THERMAL = (288, 384), (192, 256)
STAIRS = Path(__file__).resolve().parents[3] / "shared/data/sequences/stairs"


def street(rng: np.random.Generator) -> np.ndarray:
    """Houses, windows and posts on a canvas that is larger than either camera's view."""
    image = np.full((600, 800), 90, np.uint8)
    for _ in range(260):
        x, y, w, h = (int(v) for v in rng.integers([0, 0, 6, 6], [780, 580, 70, 70]))
        cv2.rectangle(image, (x, y), (x + w, y + h), int(rng.integers(255)), -1)
        cv2.circle(image, (y, x // 2), int(w / 5), int(rng.integers(255)), -1)
    return image


def pair(canvas: np.ndarray, warp: np.ndarray, rng: np.random.Generator) -> tuple:
    """What both see: RGB the canvas' middle, thermal what `warp` (thermal to RGB) says."""
    y, x = (300 - RGB[0] // 2), (400 - RGB[1] // 2)
    to_canvas = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    grey = canvas[y : y + RGB[0], x : x + RGB[1]].astype(np.float64)
    warm = cv2.warpPerspective(255 - canvas, to_canvas @ warp, THERMAL[::-1],
                               flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip
    grey = np.clip(grey[..., None] + rng.normal(0, 6, (*RGB, 3)), 0, 255)
    warm = np.clip(warm * 20.0 + 9000 + rng.normal(0, 40, THERMAL), 0, 65535)
    return grey.astype(np.uint8), warm.astype(np.uint16)


def beside(scale: float, turn: float, x: float, y: float) -> np.ndarray:
    """Thermal to RGB: centred, `scale` times as wide, turned by degrees, moved by RGB pixels."""
    size = scale * RGB[1] / THERMAL[1]
    warp = cv2.getRotationMatrix2D((THERMAL[1] / 2 - 0.5, THERMAL[0] / 2 - 0.5), turn, size)
    warp[:, 2] += [RGB[1] / 2 - THERMAL[1] / 2 + x, RGB[0] / 2 - THERMAL[0] / 2 + y]
    return np.vstack([warp, [0, 0, 1.0]])


def error(found: np.ndarray, true: np.ndarray, size: tuple[int, int]) -> float:
    """Median over a grid of thermal points, in RGB pixels."""
    x, y = np.linspace(0, size[1], 9), np.linspace(0, size[0], 7)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return float(np.median(np.linalg.norm(mapped(found, points) - mapped(true, points), axis=1)))


@pytest.fixture(name="rng")
def _rng() -> np.random.Generator:
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)


def test_refuses_what_is_no_rig(rng: np.random.Generator) -> None:
    rgb, thermal = pair(street(rng), beside(1, 0, 0, 0), rng)
    with pytest.raises(ValueError, match="at least one pair of images is needed, got none"):
        align_scene([])
    with pytest.raises(ValueError, match="must have one size, got 192 x 144 and 384 x 288"):
        align_scene([(rgb, thermal), (cv2.resize(rgb, (192, 144)), thermal)])
    with pytest.raises(ValueError, match=r"thermal must be \(h, w\)"):
        align_scene([(rgb, thermal[0])])


@pytest.mark.parametrize("camera", [0, 1])
def test_refuses_a_camera_that_sees_nothing(camera: int, rng: np.random.Generator) -> None:
    images = list(pair(street(rng), beside(1, 0, 0, 0), rng))
    images[camera] = np.full_like(images[camera], 100)
    with pytest.raises(ValueError, match="are of one grey: no outlines.*point the cameras at"):
        align_scene([tuple(images)])


def test_refuses_cameras_that_see_different_things(rng: np.random.Generator) -> None:
    streets = [pair(street(rng), beside(1, 0, 0, 0), rng) for _ in range(2)]
    noise = rng.integers(0, 255, THERMAL, np.uint8)
    for thermal in (streets[1][1], noise):
        with pytest.raises(ValueError, match=r"not sure.*blocks agree.*do both cameras show"):
            align_scene([(streets[0][0], thermal)])


@pytest.mark.parametrize(
    ("scale", "turn", "x", "y"), [(1.0, 0, 0, 0), (0.82, 4, 15, -9), (1.22, -5, -20, 12)]
)
def test_the_true_one_is_found(
    scale: float, turn: float, x: float, y: float, rng: np.random.Generator
) -> None:
    true = beside(scale, turn, x, y)
    pairs = [pair(street(rng), true, rng) for _ in range(2)]
    found = align_scene(pairs)
    assert error(found.alignment.homography, true, THERMAL) < 0.7
    assert (found.alignment.thermal_size, found.alignment.rgb_size) == (THERMAL, RGB)
    assert found.alignment.error < 1.5
    assert found.apart < 1.5
    off = np.linalg.norm(mapped(true, found.points[:, :2]) - found.points[:, 2:], axis=1)
    assert np.median(off) < 1.5
    assert len(found.points) <= found.blocks


def test_the_same_pairs_give_the_same_alignment(rng: np.random.Generator) -> None:
    pairs = [pair(street(rng), beside(0.9, 2, 5, 5), rng)]
    first, again = align_scene(pairs), align_scene(pairs)
    np.testing.assert_array_equal(first.alignment.homography, again.alignment.homography)


@pytest.mark.skipif(not STAIRS.is_dir(), reason=f"needs {STAIRS}")
def test_real_frames_that_were_moved_apart() -> None:
    whole = [open_sequence(STAIRS)[number] for number in (0, 40, 80)]
    turned = cv2.getRotationMatrix2D((320, 240), 3, 1.1)
    turned[:, 2] += [18, -10]
    true = np.linalg.inv(np.vstack([turned, [0, 0, 1]]))
    moved = [
        (rgb, cv2.warpAffine(thermal, turned, (640, 480), borderMode=cv2.BORDER_REFLECT))
        for rgb, thermal in whole
    ]
    assert error(align_scene(moved).alignment.homography, true, (480, 640)) < 2

