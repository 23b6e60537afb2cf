"""An image border that cuts a target: what a tracker sees of something that enters or leaves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Border:
    """The image ends there: beyond it a crop is filled with the image's mean.

    Attributes:
        axis: 0 cuts left or right, 1 above or below.
        upper: the part with the larger coordinates is cut away.
        share: of the target's length along the axis that stays visible, above 0 .. 1.
    """

    axis: int
    upper: bool
    share: float

    def visible(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """What remains of a box x, y, w, h."""
        cut = box.copy()
        cut[2 + self.axis] = box[2 + self.axis] * self.share
        if not self.upper:
            cut[self.axis] = box[self.axis] + box[2 + self.axis] - cut[2 + self.axis]
        return cut

    def fill(self, image: Image, box: NDArray[np.float64]) -> Image:
        """The image of a target at `box`, as if it ended at the border."""
        cut = self.visible(box)
        start = cut[self.axis] + (cut[2 + self.axis] if self.upper else 0)
        place = int(np.clip(round(start), 0, image.shape[1 - self.axis]))
        beyond = slice(place, None) if self.upper else slice(0, place)
        filled = image.copy()
        color = cv2.mean(image[::8, ::8])[: 1 if image.ndim == 2 else 3]
        if self.axis == 0:
            filled[:, beyond] = color
        else:
            filled[beyond] = color
        return filled


def two_borders(rng: np.random.Generator) -> tuple[Border, Border | None]:
    """Of the template, and of the search region: at the same side, or none any more."""
    axis, upper = int(rng.integers(2)), bool(rng.random() < 0.5)
    first = Border(axis, upper, rng.uniform(0.35, 0.95))
    second = Border(axis, upper, rng.uniform(0.35, 1.0)) if rng.random() < 0.5 else None
    return first, second
