"""A heated board in an image of either camera: a chessboard or a grid of circles, by OpenCV.

Warm paint is dark in RGB and bright in thermal, so each image is also tried with its greys
reversed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_SMALL = 400  # pixels: narrower images are enlarged, detectors need a few pixels a field


def find_board(grey: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.float64] | None:
    """(columns * rows, 2) x, y in pixels, row by row from the top left; None: no board seen.

    Args:
        grey: (h, w).
        columns, rows: inner corners of a chessboard, or circles; as the image shows it upright.
    """
    scale = 2 if grey.shape[1] < _SMALL else 1
    image = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    for seen in _found(np.asarray(image, np.uint8), (columns, rows)):
        # Where OpenCV finds a grid it need not begin at its top left.
        grid = _upright(seen.reshape(rows, columns, 2))
        return (grid.reshape(-1, 2) + 0.5) / scale - 0.5
    return None


def _found(image: NDArray[np.uint8], size: tuple[int, int]) -> Iterator[NDArray[np.float64]]:
    """What each detector finds, likeliest first."""
    exactly = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_ACCURACY
    detectors: tuple[Any, ...] = (
        lambda grey: cv2.findChessboardCornersSB(grey, size, flags=exactly),
        lambda grey: cv2.findCirclesGrid(grey, size, flags=cv2.CALIB_CB_SYMMETRIC_GRID),
    )
    for detect in detectors:
        for grey in (image, 255 - image):
            there, points = detect(grey)
            if there:
                yield np.asarray(points, np.float64).reshape(-1, 2)


def _upright(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows, columns, 2) begun at the corner from which rows run right and columns down."""
    turned = [grid, grid[::-1, ::-1]]
    if grid.shape[0] == grid.shape[1]:  # which side is the row is not known either
        turned += [np.swapaxes(each, 0, 1) for each in (grid, grid[::-1, ::-1])]
        turned += [np.swapaxes(each, 0, 1) for each in (grid[::-1], grid[:, ::-1])]
    turned += [grid[::-1], grid[:, ::-1]]

    def wrongness(each: NDArray[np.float64]) -> float:
        right, down = each[0, -1] - each[0, 0], each[-1, 0] - each[0, 0]
        return float(-right[0] / np.linalg.norm(right) - down[1] / np.linalg.norm(down))

    return min(turned, key=wrongness)
