"""What RGB and thermal images of one scene share: where edges run, not which side is bright.

A warm man is bright in one image and dark in the other; his outline is in both. So every pixel
becomes a complex number whose angle is twice its gradient's, which a reversed contrast does not
change (Granlund's double angle; Bigun and Granlund 1987), and whose length is the edge's strength
against those around it, so that one lamp does not outweigh the street.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Outlines = NDArray[np.complex64]

_AROUND = 25  # pixels: the side of the square that an edge is measured against
_STRONGEST = 2.0  # times what is around it: more is not more certain
_NOISE = 0.5  # of the whole image's mean strength: what is weaker all around is no edge


def outlines(grey: NDArray[Any]) -> Outlines:
    """The edges of an image (h, w) as (h, w) complex numbers; 0 where all is flat."""
    image = grey.astype(np.float32)
    right = cv2.Scharr(image, cv2.CV_32F, 1, 0)
    down = cv2.Scharr(image, cv2.CV_32F, 0, 1)
    strength = cv2.magnitude(right, down)
    around = cv2.blur(strength, (_AROUND, _AROUND)) + _NOISE * strength.mean() + 1e-6
    made = np.empty((*image.shape, 2), np.float32)
    length = np.minimum(strength / around, _STRONGEST) / (strength * strength + 1e-9)
    made[..., 0] = (right * right - down * down) * length
    made[..., 1] = 2 * right * down * length
    return made.view(np.complex64)[..., 0]


def planes(edges: Outlines) -> NDArray[np.float32]:
    """The same as (h, w, 2) real numbers, which OpenCV takes."""
    return np.ascontiguousarray(edges).view(np.float32).reshape(*edges.shape, 2)
