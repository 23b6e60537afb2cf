"""Change the pictures of a training pair, each camera on its own.

Crops come as (S, S, 3) float32 in 0 .. 255, thermal with three equal channels. What the two
cameras share (geometry) is changed where crops are cut, in `pairs`.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Crop = NDArray[np.float32]
Rng = np.random.Generator


def photometric(image: Crop, rng: Rng, thermal: bool) -> Crop:
    """Exposure, contrast, colour, blur and noise, as they differ from frame to frame."""
    mean = image.mean()
    image = (image - mean) * rng.uniform(0.7, 1.3) + mean + rng.normal(0, 14)
    if not thermal and rng.random() < 0.3:
        image = image * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    if not thermal and rng.random() < 0.1:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6)).astype(np.float32)
    if rng.random() < 0.1:
        image = motion_blur(image, rng)
    if rng.random() < 0.35:
        image = image + noise(image.shape, rng, rng.uniform(2, 14), thermal)
    return np.clip(image, 0, 255).astype(np.float32)


def polarity(image: Crop) -> Crop:
    """Black-hot instead of white-hot. Both crops of a thermal camera turn together."""
    return 255 - image


def false_colour(image: Crop, curve: NDArray[np.float32]) -> Crop:
    """A camera's palette turned to grey: its curve (256,) need not rise."""
    return curve[np.clip(image, 0, 255).astype(np.uint8)]


def shift(image: Crop, move: NDArray[np.float64]) -> Crop:
    """Moved by (x, y) pixels: the cameras are not perfectly registered."""
    matrix = np.array([[1, 0, move[0]], [0, 1, move[1]]])
    side = image.shape[:2]
    moved = cv2.warpAffine(image, matrix, side, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.float32)


def motion_blur(image: Crop, rng: Rng) -> Crop:
    """The camera or the target moved during the exposure."""
    length = int(rng.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    center = (length - 1) / 2
    dx, dy = center * np.cos(angle), center * np.sin(angle)
    cv2.line(
        kernel,
        (round(center - dx), round(center - dy)),
        (round(center + dx), round(center + dy)),
        1.0,
    )
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.float32)


def smooth_field(side: int, rng: Rng, cells: int) -> NDArray[np.float32]:
    """A smooth random field (side, side) in 0 .. 1."""
    coarse = rng.random((cells, cells)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)


def noise(shape: tuple[int, ...], rng: Rng, deviation: float, grey: bool) -> Crop:
    if grey:
        return rng.normal(0, deviation, (*shape[:2], 1)).astype(np.float32)
    return rng.normal(0, deviation, shape).astype(np.float32)


def darken(image: Crop, rng: Rng, strength: float) -> Crop:
    """Night: little light, much noise."""
    gain = 0.5 * (1 - strength) + 0.02
    return image * gain + noise(image.shape, rng, 3 + 7 * strength, grey=False)


def haze(image: Crop, rng: Rng, strength: float) -> Crop:
    """Smoke or fog of uneven thickness between camera and scene."""
    side = image.shape[0]
    thickness = smooth_field(side, rng, int(rng.integers(2, 6)))
    veil = np.clip(strength * (0.6 + 0.7 * thickness), 0, 1)[..., None]
    glow = rng.uniform(120, 230) + 25 * (smooth_field(side, rng, 4)[..., None] - 0.5)
    return image * (1 - veil) + glow * veil + noise(image.shape, rng, 3, grey=False)


def wash_out(image: Crop, rng: Rng, strength: float) -> Crop:
    """Thermal contrast gone: everything has one temperature, and the sensor's noise shows."""
    mean = image.mean()
    drift = 30 * (smooth_field(image.shape[0], rng, 3)[..., None] - 0.5)
    faded = (image - mean) * (1 - 0.95 * strength) + mean
    return faded + drift + noise(image.shape, rng, 4 + 10 * strength, grey=True)


def blank(image: Crop, rng: Rng) -> Crop:
    """Nothing of the scene is left: a flat picture of any brightness, with noise and drift."""
    drift = 40 * (smooth_field(image.shape[0], rng, 4)[..., None] - 0.5)
    level = np.full_like(image, rng.uniform(5, 230))
    return level + drift + noise(image.shape, rng, rng.uniform(1, 14), grey=True)


def blind_kind(rng: Rng, thermal: bool) -> Callable[[Crop, Rng, float], Crop]:
    """What befalls this camera in this pair; strength 0 .. 1 is drawn for each crop."""
    if thermal:
        return wash_out
    return darken if rng.random() < 0.4 else haze


def occlude(image: Crop, box: NDArray[np.float64], other: Crop, rng: Rng) -> Crop:
    """Cover part of the target (x, y, w, h in crop pixels) with a piece of another picture."""
    x, y, w, h = box
    cover_w, cover_h = w * rng.uniform(0.25, 0.6), h * rng.uniform(0.25, 0.8)
    x0 = int(np.clip(x + rng.uniform(-0.1, 1.1) * w - cover_w / 2, 0, image.shape[1] - 2))
    y0 = int(np.clip(y + rng.uniform(-0.1, 1.1) * h - cover_h / 2, 0, image.shape[0] - 2))
    x1, y1 = int(x0 + max(cover_w, 2)), int(y0 + max(cover_h, 2))
    covered = image.copy()
    height, width = covered[y0:y1, x0:x1].shape[:2]
    covered[y0 : y0 + height, x0 : x0 + width] = cv2.resize(other, (width, height))
    return covered


def imagined_thermal(image: Crop, curve: NDArray[np.float32]) -> Crop:
    """A thermal-like view of an RGB crop: a random curve of its brightness, softened.

    A stand-in for registered pairs, of which there are few: the same shapes with unrelated
    contrast. `curve` (256,) is shared by the crops of a pair.
    """
    grey = image.mean(axis=2)
    mapped = curve[np.clip(grey, 0, 255).astype(np.uint8)]
    mapped = cv2.GaussianBlur(mapped, (0, 0), 1.0)
    return np.repeat(mapped[..., None], 3, axis=2)


def imagined_rgb(image: Crop, curves: NDArray[np.float32]) -> Crop:
    """A colour view of a thermal crop: one random curve (3, 256) for each channel."""
    grey = np.clip(image[..., 0], 0, 255).astype(np.uint8)
    return np.stack([curve[grey] for curve in curves], axis=-1)


def random_curve(rng: Rng) -> NDArray[np.float32]:
    """A smooth map 0 .. 255 -> 0 .. 255 that need not rise: (256,) float32."""
    knots = rng.uniform(0, 255, int(rng.integers(3, 6)))
    if rng.random() < 0.5:
        knots = np.sort(knots)
    if rng.random() < 0.4:
        knots = knots[::-1]
    positions = np.linspace(0, 255, len(knots))
    return np.interp(np.arange(256), positions, knots).astype(np.float32)
