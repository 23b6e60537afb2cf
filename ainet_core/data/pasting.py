"""Paste cut-out objects into a training pair: exact boxes, and others of the target's kind."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data import augment
from ainet_core.data.clip import Clip
from ainet_core.data.view import View

Crop = NDArray[np.float32]
Rng = np.random.Generator


class CutOut(NamedTuple):
    """The target of one frame of a clip, to be pasted elsewhere."""

    clip: Clip
    frame: int


class Pasting:
    """Cut-out objects beside the target of the search region, and one over it in both frames.

    An object laid over the target has an exact box by construction, and nothing to do with its
    background. Without one the real target stays, and only the others beside it are pasted.
    """

    def __init__(self, target: CutOut | None, others: list[CutOut], rng: Rng) -> None:
        self.target, self.others = target, others
        self.outline = int(rng.integers(3))
        self.places = rng.uniform(0.05, 0.95, (len(others), 2))
        self.sizes = np.exp(rng.normal(0, 0.2, len(others)))
        self.curve = augment.random_curve(rng)

    def apply(
        self,
        template: Crop,
        search: Crop,
        extent: NDArray[np.float64],
        box: NDArray[np.float64],
        thermal: bool,
    ) -> tuple[Crop, Crop]:
        for other, place, size in zip(self.others, self.places, self.sizes, strict=True):
            if np.abs(place - box[:2]).max() > 0.7 * (box[2:].max() / 2 + 0.12):
                look = self._look(other, thermal)
                search = self._lay(search, look, np.concatenate([place, box[2:] * size]))
        if self.target is None:
            return template, search
        look = self._look(self.target, thermal)
        template = self._lay(template, look, np.concatenate([[0.5, 0.5], extent]))
        return template, self._lay(search, look, box)

    def _look(self, cut_out: CutOut, thermal: bool) -> Crop:
        clip, frame = cut_out
        images = (clip.thermal or clip.rgb) if thermal else (clip.rgb or clip.thermal)
        assert images is not None
        x, y, w, h = clip.boxes[frame]
        size = 64
        out = View(np.array([x + w / 2, y + h / 2]), np.array([w, h]), 0.0).cut(
            images[frame], size
        )
        if thermal and clip.thermal is None:
            return augment.imagined_thermal(out, self.curve)
        return out

    def _lay(self, image: Crop, look: Crop, box: NDArray[np.float64]) -> Crop:
        """Paste with a soft edge; box is centre x, y, w, h in fractions of the crop's side."""
        side = image.shape[0]
        w, h = max(4, round(box[2] * side)), max(4, round(box[3] * side))
        x0, y0 = round(box[0] * side - w / 2), round(box[1] * side - h / 2)
        left, top = max(0, -x0), max(0, -y0)
        right, bottom = min(w, side - x0), min(h, side - y0)
        if right <= left or bottom <= top:
            return image
        small = cv2.resize(look, (w, h), interpolation=cv2.INTER_AREA)
        mask = self._mask(w, h)
        part = np.s_[top:bottom, left:right]
        place = np.s_[y0 + top : y0 + bottom, x0 + left : x0 + right]
        image = image.copy()
        image[place] += mask[part][..., None] * (small[part] - image[place])
        return image

    def _mask(self, w: int, h: int) -> NDArray[np.float32]:
        x = np.abs(np.linspace(-1, 1, w))[None, :]
        y = np.abs(np.linspace(-1, 1, h))[:, None]
        power = (2.0, 4.0, 12.0)[self.outline]
        return np.clip((1.02 - (x**power + y**power)) * min(w, h) / 6, 0, 1).astype(np.float32)
