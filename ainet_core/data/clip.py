"""A short stretch of one target, in memory or not, which training draws pairs of frames from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ainet_core.tracking.crop import Region, crop

FRAME_SIDE = 384  # frames are kept no larger: the target then has up to 48 pixels
CONTEXT = 8.0  # sides of the target that a kept frame shows around it


@dataclass(frozen=True)
class Clip:
    """Frames of one target, RGB, thermal or both (then registered and of one size).

    Attributes:
        rgb: n images (H, W, 3) uint8, or None; a list, or something that reads them when asked.
        thermal: n images (H, W) uint8, or None.
        boxes: (n, 4) x, y, w, h in pixels of these images.
        sized: False when only the boxes' centres can be trusted from frame to frame, since their
            sizes were guessed (by motion, by another tracker).
    """

    rgb: Sequence[NDArray[np.uint8]] | None
    thermal: Sequence[NDArray[np.uint8]] | None
    boxes: NDArray[np.float64]
    sized: bool = True

    def __len__(self) -> int:
        return len(self.boxes)


def around_target(
    images: list[NDArray[np.uint8] | None], box: NDArray[np.float64]
) -> tuple[list[NDArray[np.uint8] | None], NDArray[np.float64]]:
    """Keep of each image (all of one view and size) what a pair can need, to save memory."""
    reference = next(image for image in images if image is not None)
    side = CONTEXT * float(np.sqrt(box[2] * box[3]))
    side = min(side, float(max(reference.shape[:2])))
    kept = int(min(max(side, 96), FRAME_SIDE))
    region = Region(box[0] + box[2] / 2, box[1] + box[3] / 2, side, kept)
    cut = [None if image is None else crop(image, region, reference.shape[:2]) for image in images]
    return cut, region.to_crop(box)
