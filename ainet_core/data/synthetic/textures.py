"""Procedural textures: noise, masonry, paving, and colours that suit each other.

Textures are float32 of about -1..1 (noise) or factors near 1 (masonry), to be multiplied into a
colour or added to a temperature.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""Images and fields: float32 unless something else is said."""
Rng = np.random.Generator


def fractal_noise(
    rng: Rng, shape: tuple[int, int], cell: float, octaves: int = 4, gain: float = 0.5
) -> Array:
    """(h, w) value noise of about -1..1 whose largest features measure `cell` pixels."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    amplitude, norm = 1.0, 0.0
    for _ in range(octaves):
        grid = (int(np.ceil(height / cell)) + 3, int(np.ceil(width / cell)) + 3)
        coarse = rng.uniform(-1, 1, grid).astype(np.float32)
        step = np.float32(1 / cell)
        shift = rng.uniform(0, 1, 2) + 0.5
        matrix = np.array([[step, 0, shift[0]], [0, step, shift[1]]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        total += amplitude * cv2.warpAffine(
            coarse, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT
        )
        norm += amplitude**2
        amplitude *= gain
        cell = max(cell / 2, 1.0)
    return total * np.float32(1.3 / np.sqrt(norm))


def periodic_noise(rng: Rng, size: int, slope: float, largest: float) -> Array:
    """(size, size) noise of 0..1 that repeats seamlessly.

    Its amplitude falls with frequency to the power `slope` (1.5: clouds); nothing is larger than
    the share `largest` of the tile, so that the repetition does not show.
    """
    fy = np.fft.fftfreq(size)[:, None]
    fx = np.fft.rfftfreq(size)[None, :]
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = 1
    amplitude = np.maximum(frequency, 1 / (largest * size)) ** -slope
    amplitude[0, 0] = 0
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * amplitude
    field = np.fft.irfft2(spectrum, s=(size, size))
    low, high = np.percentile(field, (1, 99))
    return np.clip((field - low) / (high - low), 0, 1).astype(np.float32)


def grain(rng: Rng, shape: tuple[int, int], sigma: float = 1.0) -> Array:
    """(h, w) white noise of deviation `sigma`."""
    return (rng.standard_normal(shape) * sigma).astype(np.float32)


def masonry(
    rng: Rng,
    shape: tuple[int, int],
    stone: tuple[float, float],
    joint: float,
    variety: float = 0.12,
    joint_level: float = 0.75,
) -> Array:
    """(h, w) factors of bricks or slabs laid in half bond.

    Args:
        stone: height and width in pixels.
        joint: width of the joints in pixels (0: none seen).
        variety: deviation of a stone's brightness.
        joint_level: brightness of the joints.
    """
    height, width = shape
    ys, xs = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    row = np.floor(ys / stone[0]).astype(int)
    shifted = xs[None, :] + np.where(row % 2, stone[1] / 2, 0)[:, None]
    column = np.floor(shifted / stone[1]).astype(int)
    tones = rng.normal(1, variety, (row.max() + 1, column.max() + 2)).astype(np.float32)
    wall = tones[row[:, None], column]
    if joint > 0:
        across = np.minimum(shifted % stone[1], stone[1] - shifted % stone[1])
        along = np.minimum(ys % stone[0], stone[0] - ys % stone[0])[:, None]
        edge = np.clip(np.minimum(across, along) / joint, 0, 1)
        wall = joint_level + (wall - joint_level) * edge
    return wall.astype(np.float32)


def colour(
    rng: Rng,
    hue: tuple[float, float] = (0, 360),
    saturation: tuple[float, float] = (0.1, 0.7),
    value: tuple[float, float] = (0.25, 0.9),
) -> Array:
    """(3,) RGB colour of 0..255, drawn from ranges of hue (degrees), saturation and value."""
    hsv = np.array(
        [[[rng.uniform(*hue) % 360, rng.uniform(*saturation), rng.uniform(*value)]]], np.float32
    )
    rgb: Array = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] * 255
    return rgb
