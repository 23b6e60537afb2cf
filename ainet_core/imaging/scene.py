"""Pairs of frames of one rig, seen through a homography that is being looked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.outlines import Outlines, outlines
from ainet_core.imaging.registration import Size
from ainet_core.imaging.thermal import to_eight_bit

Matrix = NDArray[np.float64]
_BORDER = 4  # pixels beside the thermal image's edge, where outlines are its edge's own


@dataclass(frozen=True)
class Scene:
    """Grey images of both cameras, pair by pair; all of a camera have one size.

    Attributes:
        rgb: (H, W) uint8 each.
        thermal: (h, w) uint8 each, of the same moments.
    """

    rgb: Sequence[NDArray[np.uint8]]
    thermal: Sequence[NDArray[np.uint8]]
    _smaller: dict[int, Sequence[NDArray[np.uint8]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, pairs: Sequence[tuple[NDArray[np.uint8], NDArray[Any]]]) -> Scene:
        """From RGB (H, W, 3) and thermal (h, w) of any type that a camera sends.

        Raises:
            ValueError: no pair, or images of several sizes.
        """
        if not pairs:
            raise ValueError("at least one pair of images is needed, got none")
        rgb = [np.asarray(cv2.cvtColor(pair[0], cv2.COLOR_RGB2GRAY), np.uint8) for pair in pairs]
        thermal = [to_eight_bit(pair[1]) for pair in pairs]
        for name, images in (("RGB", rgb), ("thermal", thermal)):
            sizes = sorted({f"{image.shape[1]} x {image.shape[0]}" for image in images})
            if len(sizes) > 1:
                raise ValueError(
                    f"the {name} images must have one size, got {' and '.join(sizes)}: take "
                    "frames of one recording"
                )
        return cls(rgb, thermal)

    @property
    def rgb_size(self) -> Size:
        height, width = self.rgb[0].shape
        return height, width

    @property
    def thermal_size(self) -> Size:
        height, width = self.thermal[0].shape
        return height, width

    def some(self, count: int) -> Scene:
        """So many of the pairs, evenly spread; all where there are no more."""
        chosen = np.linspace(0, len(self.rgb) - 1, min(count, len(self.rgb))).astype(int)
        return Scene([self.rgb[i] for i in chosen], [self.thermal[i] for i in chosen])

    def reduced(self, width: int) -> tuple[Matrix, Size]:
        """From RGB pixels to those of RGB images of that width, and their (height, width)."""
        scale = width / self.rgb_size[1]
        rest = (scale - 1) / 2  # pixels are counted from their centres
        reduce = np.array([[scale, 0, rest], [0, scale, rest], [0, 0, 1.0]])
        return reduce, (max(2, round(self.rgb_size[0] * scale)), width)

    def centred(self) -> Matrix:
        """Thermal to RGB, were both views equally wide and their axes the same."""
        (height, width), (h, w) = self.rgb_size, self.thermal_size
        scale = width / w
        x, y = (width - 1 - scale * (w - 1)) / 2, (height - 1 - scale * (h - 1)) / 2
        return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1.0]])

    def rgb_outlines(self, width: int) -> Iterator[Outlines]:
        """Of the RGB images, reduced to that width."""
        height = self.reduced(width)[1][0]
        for image in self.rgb:
            yield outlines(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))

    def thermal_outlines(self, to_view: Matrix, size: Size) -> Iterator[Outlines]:
        """Of the thermal images in a view of (height, width); 0 where they do not reach."""
        shrink = math.sqrt(abs(float(np.linalg.det(to_view[:2, :2]))))
        times = max(0, math.floor(math.log2(1 / shrink) + 0.2))
        rest = (2**times - 1) / 2
        enlarge = np.array([[2**times, 0, rest], [0, 2**times, rest], [0, 0, 1.0]])
        seen = self.covered(to_view, size)
        for image in self._halved(times):
            view = cv2.warpPerspective(
                image, to_view @ enlarge, size[::-1], borderMode=cv2.BORDER_REPLICATE
            )
            yield np.where(seen, outlines(view), np.complex64(0))

    def _halved(self, times: int) -> Sequence[NDArray[np.uint8]]:
        """The thermal images, so often half as large; kept, since many views ask for them."""
        if times == 0:
            return self.thermal
        if times not in self._smaller:
            self._smaller[times] = [
                np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
                for image in self._halved(times - 1)
            ]
        return self._smaller[times]

    def covered(self, to_view: Matrix, size: Size) -> NDArray[np.bool_]:
        """(height, width): where the thermal camera sees something of the view."""
        full = np.full(self.thermal_size, 255, np.uint8)
        view = cv2.warpPerspective(full, to_view, size[::-1])
        cut = np.ones((2 * _BORDER + 1, 2 * _BORDER + 1), np.uint8)
        return np.asarray(cv2.erode(view, cut) > 200)
