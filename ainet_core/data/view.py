"""How a training crop is cut from a frame, and where that puts a box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """Centre and sides of a region in frame pixels, turned and stretched a little."""

    center: NDArray[np.float64]
    side: NDArray[np.float64]  # (2,) along x and y
    angle: float  # radians

    def cut(self, image: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
        """(size, size, 3) float32."""
        step = self.side / size
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[cos * step[0], -sin * step[1]], [sin * step[0], cos * step[1]]])
        shift = self.center - turn @ np.array([size / 2 - 0.5, size / 2 - 0.5]) - 0.5
        if step.min() > 1.5:
            image = cv2.blur(image, (round(step[0]), round(step[1])))  # type: ignore[assignment]
        fill = cv2.mean(image[::8, ::8])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(
            image, np.column_stack([turn, shift]), (size, size), flags=flags,
            borderMode=cv2.BORDER_CONSTANT, borderValue=fill,
        ).astype(np.float32)  # fmt: skip
        return out if out.ndim == 3 else np.repeat(out[..., None], 3, axis=2)

    def box(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """A frame box x, y, w, h as centre x, y, w, h in fractions of the crop's side."""
        offset = box[:2] + box[2:] / 2 - self.center
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = np.array([cos * offset[0] + sin * offset[1], -sin * offset[0] + cos * offset[1]])
        return np.concatenate([turned / self.side + 0.5, box[2:] / self.side])
