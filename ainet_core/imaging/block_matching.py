"""Where blocks of the thermal images lie in the RGB images, by all pairs of a rig together.

The cameras stand still against each other, so a block is off by the same in every pair: the
correlations are added before the best place is looked for, and a moment in which a block shows
nothing does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.outlines import planes
from ainet_core.imaging.peaks import peak
from ainet_core.imaging.scene import Matrix, Scene

SIDE, STEP = 48, 32  # pixels of a block, and from one to the next
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Matches:
    """Of n blocks with outlines in both cameras' images.

    Attributes:
        put: (n, 2) x, y of their centres, as the homography puts them, in RGB pixels.
        found: (n, 2), where the RGB images show them; nan at the end of the search.
        blocks: how many there are in the thermal camera's view, with outlines or not.
        pixel: RGB pixels of one pixel that was searched in.
    """

    put: Points
    found: Points
    blocks: int
    pixel: float


def match_blocks(scene: Scene, homography: Matrix, width: int, radius: int) -> Matches:
    """Search each block around where `homography` (thermal to RGB) puts it.

    Args:
        width: of the reduced images that are searched in.
        radius: how far to search, in pixels of those.
    """
    reduce, size = scene.reduced(width)
    to_view = reduce @ homography
    corners = _corners(scene.covered(to_view, size), radius)
    span = 2 * radius + 1
    together = np.zeros((len(corners), span, span), np.float32)
    thermal_power, rgb_power = (np.zeros(size, np.float32) for _ in range(2))
    pairs = zip(
        scene.rgb_outlines(width), scene.thermal_outlines(to_view, size), strict=True
    )
    for rgb, thermal in pairs:
        rgb_power += np.abs(rgb) ** 2
        thermal_power += np.abs(thermal) ** 2
        image, pattern = planes(rgb), planes(thermal)
        for index, (y, x) in enumerate(corners):
            around = image[y - radius : y + SIDE + radius, x - radius : x + SIDE + radius]
            block = pattern[y : y + SIDE, x : x + SIDE]
            together[index] += cv2.matchTemplate(around, block, cv2.TM_CCORR)
    return _best(together, corners, thermal_power, rgb_power, radius, float(reduce[0, 0]))


def _corners(seen: NDArray[np.bool_], radius: int) -> NDArray[np.int64]:
    """(n, 2) y, x of the blocks that the thermal camera sees and RGB has room around."""
    height, width = seen.shape
    found = [
        (y, x)
        for y in range(radius, height - SIDE - radius + 1, STEP)
        for x in range(radius, width - SIDE - radius + 1, STEP)
        if seen[y : y + SIDE, x : x + SIDE].mean() > 0.8
    ]
    return np.array(found, np.int64).reshape(-1, 2)


def _best(
    together: NDArray[np.float32],
    corners: NDArray[np.int64],
    thermal_power: NDArray[np.float32],
    rgb_power: NDArray[np.float32],
    radius: int,
    scale: float,
) -> Matches:
    sums = cv2.boxFilter(rgb_power, cv2.CV_32F, (SIDE, SIDE), anchor=(0, 0), normalize=False)
    put, found = [], []
    for surface, (y, x) in zip(together, corners, strict=True):
        power = sums[y - radius : y + radius + 1, x - radius : x + radius + 1]
        own = thermal_power[y : y + SIDE, x : x + SIDE].sum()
        if own < 1e-3 or power.min() < 1e-3:  # flat in one of the cameras
            continue
        put.append((x + (SIDE - 1) / 2, y + (SIDE - 1) / 2))
        found.append(np.add(put[-1], peak(surface / np.sqrt(power * own)) - radius))
    places = [((np.array(p).reshape(-1, 2) - (scale - 1) / 2) / scale) for p in (put, found)]
    return Matches(places[0], places[1], len(corners), 1 / scale)
