"""Cut a square region around the target, and the way back to the image.

A region is square in RGB pixels. A thermal image of another size shows the same view, so the same
region is cut from it with its own scale; both crops then show the same place pixel by pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Region:
    """A square region of the RGB image and the crop it is resized to.

    Attributes:
        center_x, center_y: the region's centre in RGB pixels.
        side: the region's side in RGB pixels.
        crop_size: the crop's side in crop pixels.
    """

    center_x: float
    center_y: float
    side: float
    crop_size: int

    @classmethod
    def around(cls, box: NDArray[np.float64], factor: float, crop_size: int) -> Region:
        """The region of `factor` times the target's side, sqrt(w * h), around a box x, y, w, h."""
        x, y, w, h = box
        return cls(x + w / 2, y + h / 2, factor * math.sqrt(w * h), crop_size)

    @property
    def scale(self) -> float:
        """Crop pixels for one RGB pixel."""
        return self.crop_size / self.side

    def to_crop(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """A box x, y, w, h from RGB pixels into crop pixels."""
        corner = np.array([self.center_x - self.side / 2, self.center_y - self.side / 2])
        return np.concatenate([(box[:2] - corner) * self.scale, box[2:] * self.scale])

    def to_image(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """A box x, y, w, h from crop pixels into RGB pixels: the inverse of `to_crop`."""
        corner = np.array([self.center_x - self.side / 2, self.center_y - self.side / 2])
        return np.concatenate([box[:2] / self.scale + corner, box[2:] / self.scale])


def crop(
    image: NDArray[Any],
    region: Region,
    reference_size: tuple[int, int],
    to_eight_bit: Callable[[NDArray[Any]], NDArray[np.uint8]] = np.asarray,
) -> NDArray[np.uint8]:
    """Cut a region out of an image, filled with the image's mean where it ends.

    Args:
        image: (H, W) or (H, W, C), the RGB image or another one with the same view.
        region: in pixels of the RGB image.
        reference_size: (height, width) of the RGB image.
        to_eight_bit: pixel by pixel from `image` to uint8; used on no more than what is shown.

    Returns:
        (crop_size, crop_size) or (crop_size, crop_size, C) uint8.
    """
    height, width = image.shape[:2]
    step_x = region.side / region.crop_size * width / reference_size[1]
    step_y = region.side / region.crop_size * height / reference_size[0]
    left = (region.center_x - region.side / 2) * width / reference_size[1]
    top = (region.center_y - region.side / 2) * height / reference_size[0]
    # Strong reduction first by whole factors with an area mean: linear sampling would alias.
    factor = max(1, int(min(step_x, step_y)))

    # What the crop's pixels are mixed of, with a margin for the reduction and the interpolation.
    margin = factor + 1
    x0, x1 = _inside(left, step_x * region.crop_size, margin, width)
    y0, y1 = _inside(top, step_y * region.crop_size, margin, height)
    columns, rows = (x1 - x0) // factor, (y1 - y0) // factor
    fill = _mean_color(to_eight_bit(image[::8, ::8]))  # every 8th pixel is enough for a colour
    if columns <= 0 or rows <= 0:
        cells = np.full((region.crop_size, region.crop_size, len(fill)), np.rint(fill), np.uint8)
        return cells[:, :, 0] if len(fill) == 1 else cells
    part = to_eight_bit(image[y0 : y0 + rows * factor, x0 : x0 + columns * factor])
    if factor > 1:
        part = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    left, top = (left - x0) / factor, (top - y0) / factor
    step_x, step_y = step_x / factor, step_y / factor

    # Pixel centres lie at half coordinates: crop (u + 1/2) * step = image (v + 1/2) - corner.
    to_source = np.array(
        [
            [step_x, 0.0, left + step_x / 2 - 0.5],
            [0.0, step_y, top + step_y / 2 - 0.5],
        ]
    )
    return cv2.warpAffine(  # type: ignore[return-value]
        part,
        to_source,
        (region.crop_size, region.crop_size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )


def _inside(start: float, length: float, margin: int, limit: int) -> tuple[int, int]:
    """First pixel of a stretch and the one behind it, no further out than the image."""
    low, high = math.floor(start) - margin, math.ceil(start + length) + margin
    return min(max(low, 0), limit), min(max(high, 0), limit)


def _mean_color(image: NDArray[np.uint8]) -> tuple[float, ...]:
    return tuple(cv2.mean(image))[: 1 if image.ndim == 2 else image.shape[2]]
