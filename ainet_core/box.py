"""The target's box: x, y, w, h in pixels of the RGB image, origin at its top left corner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BoxLike = Sequence[float] | NDArray[np.floating]


def as_box(box: BoxLike, image_size: tuple[int, int] | None = None) -> NDArray[np.float64]:
    """Check a box once, at the border, and return it as float64.

    Args:
        box: x, y, w, h in pixels.
        image_size: (height, width) of the image it must overlap, if that is to be checked.

    Raises:
        ValueError: not four finite numbers, no area, or entirely outside the image.
    """
    try:
        checked = np.array(box, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"box must be 4 finite numbers x, y, w, h, got {box!r}") from None
    if checked.shape != (4,) or not np.isfinite(checked).all():
        raise ValueError(f"box must be 4 finite numbers x, y, w, h, got {_show(box)}")
    x, y, w, h = checked
    if w <= 0 or h <= 0:
        raise ValueError(f"box must have w, h > 0, got {_show(box)}")
    if image_size is not None:
        height, width = image_size
        if x >= width or y >= height or x + w <= 0 or y + h <= 0:
            raise ValueError(
                f"box must overlap the {width}x{height} image (width x height), got {_show(box)}"
            )
    return checked


def clip_box(box: NDArray[np.float64], image_size: tuple[int, int]) -> NDArray[np.float64]:
    """Cut a box to the image of (height, width); what is left has at least one pixel a side."""
    height, width = image_size
    x1, y1 = min(max(box[0], 0.0), width - 1.0), min(max(box[1], 0.0), height - 1.0)
    x2 = min(max(box[0] + box[2], x1 + 1.0), float(width))
    y2 = min(max(box[1] + box[3], y1 + 1.0), float(height))
    return np.array([x1, y1, x2 - x1, y2 - y1])


def _show(box: object) -> str:
    values = np.asarray(box).tolist()
    return str(values)
