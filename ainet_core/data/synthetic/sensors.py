"""What the two cameras make of a scene: lens, noise, depth of their numbers."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.textures import Rng, fractal_noise

KELVIN = 273.15
COUNTS_PER_KELVIN = 100.0
"""16-bit frames hold hundredths of a Kelvin, as radiometric cameras deliver them."""

_BANK = 96  # noise is cut out of a field that is so much larger than a frame


class ColourSensor:
    """Vignette and noise of the RGB camera."""

    def __init__(self, rng: Rng, size: tuple[int, int], noise: float = 3.0) -> None:
        """`noise`: deviation in grey levels."""
        self._field = np.clip(
            rng.normal(128, noise, (size[0] + _BANK, size[1] + _BANK, 3)), 0, 255
        ).astype(np.uint8)
        falloff = 1 - 0.22 * _radius(size) ** 2
        self._lens = np.repeat((255 * falloff).astype(np.uint8)[:, :, None], 3, axis=2)

    def __call__(self, rgb: NDArray[Any], index: int) -> NDArray[Any]:
        """(H, W, 3) uint8 as the sensor reads it out in frame `index`."""
        seen = cv2.multiply(rgb, self._lens, scale=1 / 255)
        noise = _cut(self._field, rgb.shape[:2], index)
        return cv2.addWeighted(seen, 1.0, noise, 1.0, -128.0)


class ThermalSensor:
    """Soft lens, cold corners, stripes and noise of an uncooled thermal camera."""

    def __init__(
        self, rng: Rng, size: tuple[int, int], noise: float = 0.22, sixteen_bit: bool = False
    ) -> None:
        """`size`: (height, width) of its images; `noise`: deviation in Kelvin."""
        self._size, self._sixteen_bit = size, sixteen_bit
        self._field = rng.normal(0, noise, (size[0] + _BANK, size[1] + _BANK)).astype(np.float32)
        columns = rng.normal(0, 0.5 * noise, (1, size[1])).astype(np.float32)
        drift = fractal_noise(rng, size, size[1] / 3, 2)
        self._fixed = columns - 1.1 * _radius(size) ** 2 + np.float32(0.25) * drift
        self._fixed = self._fixed.astype(np.float32)

    def __call__(self, heat: NDArray[Any], index: int, span: tuple[float, float]) -> NDArray[Any]:
        """Image of a scene in degrees C.

        Args:
            heat: (H, W) of any size, averaged down to the sensor's.
            index: number of the frame.
            span: temperatures that 8-bit images show as black and white.

        Returns:
            (h, w) uint8, or uint16 in hundredths of a Kelvin.
        """
        if heat.shape != self._size:
            heat = cv2.resize(heat, self._size[::-1], interpolation=cv2.INTER_AREA)
        seen = cv2.GaussianBlur(heat, (0, 0), 0.8)
        seen = seen + self._fixed
        seen += _cut(self._field, self._size, index)
        if self._sixteen_bit:
            seen += np.float32(KELVIN)
            seen *= np.float32(COUNTS_PER_KELVIN)
            return np.clip(seen, 0, 65_535).astype(np.uint16)
        gain = 255 / (span[1] - span[0])
        return np.clip((seen - np.float32(span[0])) * np.float32(gain), 0, 255).astype(np.uint8)


def _radius(size: tuple[int, int]) -> NDArray[Any]:
    """(h, w) distance from the middle, 1 in the corners."""
    ys, xs = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    return np.sqrt((xs**2 + ys**2) / 2).astype(np.float32)


def _cut(field: NDArray[Any], size: tuple[int, ...], index: int) -> NDArray[Any]:
    """Another part of the noise for every frame; primes keep it from repeating soon."""
    y, x = (index * 37 + 11) % _BANK, (index * 53 + 29) % _BANK
    return field[y : y + size[0], x : x + size[1]]
