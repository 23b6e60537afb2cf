"""From whatever a thermal camera sends to the 8-bit grey image that the network sees.

8-bit images were mapped by the camera and pass through. Raw counts (uint16) and temperatures
(float32) are mapped linearly between two percentiles, so that one hot chimney or a dead pixel
does not take the whole range. The percentiles of single frames jump when something warm enters the
view, which would make the target flicker; `ThermalNormalizer` lets them follow slowly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

PERCENTILES = (1.0, 99.0)
MARGIN = 0.1
"""Share of the range between the percentiles that is left free below and above them."""

_SAMPLES = 20_000  # percentiles of so many pixels are within a grey level of all pixels' ones
_SMALLEST_SPAN = {"uint16": 64.0, "float32": 1e-3}  # below it there is only the sensor's noise
_GREY = 128

Range = tuple[float, float]


def to_eight_bit(
    thermal: NDArray[Any], percentiles: tuple[float, float] = PERCENTILES
) -> NDArray[np.uint8]:
    """Map one thermal image to 8-bit grey.

    Args:
        thermal: (h, w), (h, w, 1) or (h, w, 3); uint8, uint16 or float32. Three channels, equal
            or false colours in RGB order, become grey.
        percentiles: lower and upper percentile that span the grey range, less a margin.

    Returns:
        (h, w) uint8. Not finite pixels: NaN and -inf become 0, +inf 255.

    Raises:
        ValueError: another shape or type.
    """
    _check(thermal)
    if thermal.dtype == np.uint8:
        return _as_grey(thermal)
    return _map(_as_grey(thermal), _robust_range(thermal, percentiles))


class ThermalNormalizer:
    """`to_eight_bit` for a stream of frames: the grey range follows the scene slowly.

    One object per camera and target run; `reset()` when the stream starts anew.
    """

    def __init__(
        self, percentiles: tuple[float, float] = PERCENTILES, memory: float = 0.95
    ) -> None:
        """`memory`: share of the previous range that is kept at every frame, 0 <= memory < 1."""
        low, high = percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentiles must be 0 <= low < high <= 100, got {percentiles}")
        if not 0 <= memory < 1:
            raise ValueError(f"memory must be 0 <= memory < 1, got {memory}")
        self._percentiles = percentiles
        self._memory = memory
        self._range: Range | None = None
        self._dtype: np.dtype[Any] | None = None

    def __call__(self, thermal: NDArray[Any]) -> NDArray[np.uint8]:
        """Map the next frame; arguments and result as in `to_eight_bit`."""
        return self.follow(thermal)(thermal)

    def follow(self, thermal: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
        """Look at the next frame; returns what maps it, or any part of it."""
        _check(thermal)
        if thermal.dtype == np.uint8:
            return _as_grey
        if thermal.dtype != self._dtype:  # another driver setting: other units, nothing to keep
            self.reset()
            self._dtype = thermal.dtype
        seen = _robust_range(thermal, self._percentiles)
        if seen is not None:
            self._range = seen if self._range is None else self._blend(self._range, seen)
        limits = self._range
        return lambda part: _map(_as_grey(part), limits)

    def reset(self) -> None:
        """Forget the range; the next frame sets it."""
        self._range = None
        self._dtype = None

    def _blend(self, old: Range, new: Range) -> Range:
        # After a shutter correction or a change of gain the scene lies outside the old range:
        # following slowly would show seconds of black or white.
        if new[1] < old[0] or new[0] > old[1]:
            return new
        keep = self._memory
        return keep * old[0] + (1 - keep) * new[0], keep * old[1] + (1 - keep) * new[1]


def _check(thermal: NDArray[Any]) -> None:
    """Raises ValueError unless shape and type are those of a thermal image."""
    expected = "thermal must be (h, w), (h, w, 1) or (h, w, 3) of uint8, uint16 or float32"
    if not isinstance(thermal, np.ndarray):
        raise ValueError(f"{expected}, got {type(thermal).__name__}")
    shape = thermal.shape
    if (
        thermal.dtype not in (np.uint8, np.uint16, np.float32)
        or len(shape) not in (2, 3)
        or (len(shape) == 3 and shape[2] not in (1, 3))
        or 0 in shape
    ):
        raise ValueError(f"{expected}, got {shape} {thermal.dtype}")


def _as_grey(thermal: NDArray[Any]) -> NDArray[Any]:
    """(h, w) of the same type."""
    if thermal.ndim == 2:
        return thermal
    if thermal.shape[2] == 1:
        return thermal[:, :, 0]
    # The weights sum to exactly one, so three equal channels come out unchanged.
    grey: NDArray[Any] = cv2.cvtColor(np.ascontiguousarray(thermal), cv2.COLOR_RGB2GRAY)
    return grey


def _robust_range(thermal: NDArray[Any], percentiles: tuple[float, float]) -> Range | None:
    """Values that become black and white; None when no pixel is finite."""
    stride = max(1, int(np.sqrt(thermal.shape[0] * thermal.shape[1] / _SAMPLES)))
    values = _as_grey(thermal[::stride, ::stride]).astype(np.float32).ravel()
    if thermal.dtype == np.float32:
        values = values[np.isfinite(values)]
        if values.size == 0:
            grey = _as_grey(thermal)
            values = grey[np.isfinite(grey)]
        if values.size == 0:
            return None
    low, high = (float(v) for v in np.percentile(values.astype(np.float64), percentiles))
    room = MARGIN * (high - low)
    lacking = max(0.0, _SMALLEST_SPAN[thermal.dtype.name] - (high - low + 2 * room)) / 2
    return low - room - lacking, high + room + lacking


def _map(grey: NDArray[Any], limits: Range | None) -> NDArray[np.uint8]:
    if limits is None:
        return np.full(grey.shape, _GREY, dtype=np.uint8)
    low, high = limits
    scaled = grey.astype(np.float32)
    scaled -= np.float32(low)
    scaled *= np.float32(255.0 / max(high - low, 1e-12))
    if grey.dtype == np.float32:
        np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    np.rint(scaled, out=scaled)
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def in_rgb_pixels(thermal: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A thermal image stretched to (height, width) of the last RGB image.

    A target that is set while the RGB camera is silent is marked in pixels of its last image.
    """
    if thermal.shape[:2] == size:
        return thermal
    return np.asarray(cv2.resize(thermal, size[::-1], interpolation=cv2.INTER_LINEAR))
