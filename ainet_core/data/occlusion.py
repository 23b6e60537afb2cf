"""Take the target out of a recorded frame: what lies beside it covers it.

So a real sequence tells what happens while its target is behind something, and when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import FramePair, Frames, Image, Sequence

Box = NDArray[np.float64]

GROWN = 1.4  # the cover's side / the target's: a little of its surroundings goes with it
_SIDES = [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, -1), (-1, 1), (1, 1)]


def hide(pair: FramePair, box: Box) -> FramePair:
    """The frame without its target.

    Args:
        pair: images of the same view.
        box: x, y, w, h in pixels of the RGB image (of the thermal one when RGB is None).
    """
    leading = pair.thermal if pair.rgb is None else pair.rgb
    assert leading is not None
    size = leading.shape[:2]
    offset = _quietest(leading, box)
    return FramePair(
        *(None if image is None else _covered(image, box, offset, size) for image in pair)
    )


class HiddenFrames(Frames):
    """One camera's frames, some of them without the target.

    Args:
        frames: of the camera.
        boxes: (N, 4) of the target in this camera's pixels.
        hidden: numbers of the frames to hide it in.
    """

    def __init__(self, frames: Frames, boxes: Box, hidden: range) -> None:
        self._frames, self._boxes, self._hidden = frames, boxes, hidden

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        return self._shown(index, self._frames[index])

    def between(self, first: int, stop: int) -> Iterator[Image]:
        images = self._frames.between(first, stop)
        return (self._shown(index, image) for index, image in enumerate(images, first))

    def _shown(self, index: int, image: Image) -> Image:
        if index not in self._hidden or not (self._boxes[index, 2:] > 0).all():
            return image
        covered = hide(FramePair(None, image), self._boxes[index]).thermal
        assert covered is not None
        return covered


def hidden(sequence: Sequence, frames: range) -> Sequence:
    """The sequence with its target out of sight in these frames; it goes on behind the cover."""
    truth = sequence.groundtruth.copy()
    truth[frames.start : frames.stop] = 0.0
    leading = sequence.rgb if sequence.rgb is not None else sequence.thermal
    assert leading is not None
    height, width = leading[0].shape[:2]

    def without(camera: Frames | None) -> HiddenFrames | None:
        if camera is None:
            return None
        own = camera[0].shape
        scale = np.tile([own[1] / width, own[0] / height], 2)
        return HiddenFrames(camera, sequence.groundtruth * scale, frames)

    rgb, thermal = without(sequence.rgb), without(sequence.thermal)
    return replace(sequence, groundtruth=truth, rgb=rgb, thermal=thermal)


def _quietest(image: Image, box: Box) -> tuple[float, float]:
    """Where beside the target the picture fits best around it, as an offset in pixels."""
    w, h = GROWN * box[2:]
    center = box[:2] + box[2:] / 2

    def misfit(side: tuple[int, int]) -> float:
        moved = center + np.array(side) * (w, h)
        height, width = image.shape[:2]
        outside = (moved < 0).any() or (moved > (width, height)).any()
        rims = [_rim(image, place, (w, h)) for place in (center, moved)]
        return float(np.abs(rims[0] - rims[1]).mean()) + 1e3 * outside

    best = min(_SIDES, key=misfit)
    return best[0] * w, best[1] * h


def _rim(image: Image, center: NDArray[np.float64], size: tuple[float, float]) -> Box:
    """The pixels along the edge of a rectangle, 16 to a side."""
    along = np.linspace(-0.5, 0.5, 16)
    half = np.full(16, 0.5)
    x = np.concatenate([along, along, half, -half]) * size[0] + center[0]
    y = np.concatenate([half, -half, along, along]) * size[1] + center[1]
    columns = np.clip(x.round().astype(int), 0, image.shape[1] - 1)
    rows = np.clip(y.round().astype(int), 0, image.shape[0] - 1)
    return np.asarray(image[rows, columns], np.float64)


def _covered(image: Image, box: Box, offset: tuple[float, float], size: tuple[int, int]) -> Image:
    scale = np.array([image.shape[1] / size[1], image.shape[0] / size[0]])
    x, y, w, h = box * np.tile(scale, 2)
    dx, dy = np.array(offset) * scale
    beside = cv2.warpAffine(
        image, np.array([[1, 0, dx], [0, 1, dy]]), image.shape[1::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    # A soft edge of a tenth of the target: a hard one would be a thing of its own.
    columns, rows = np.arange(image.shape[1]) + 0.5, np.arange(image.shape[0]) + 0.5
    across = _soft(columns, x + w / 2, GROWN * w)
    down = _soft(rows, y + h / 2, GROWN * h)
    mask = (down[:, None] * across[None, :]).astype(np.float32)
    if image.ndim == 3:
        mask = mask[..., None]
    mixed = image.astype(np.float32) * (1 - mask) + beside.astype(np.float32) * mask
    return np.rint(mixed).astype(image.dtype) if image.dtype.kind == "u" else mixed


def _soft(places: NDArray[Any], center: float, side: float) -> NDArray[Any]:
    """1 inside a stretch, 0 outside, a slope between them."""
    return np.clip((side / 2 - np.abs(places - center)) / max(0.1 * side, 1.0) + 0.5, 0, 1)
