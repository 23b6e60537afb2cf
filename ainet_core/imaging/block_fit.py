"""What moves blocks from where they were put to where they are found, most of them by the same."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.block_matching import Points
from ainet_core.imaging.registration import mapped
from ainet_core.imaging.scene import Matrix

Fit = Callable[[Points, Points, float], Matrix | None]
_ENOUGH_FOR_PERSPECTIVE = 60  # blocks


def best_fit(put: Points, found: Points, limit: float) -> Matrix | None:
    """A similarity; a homography where that is sure, and holds for more of the blocks left out.

    Perspective bends what lies beside the blocks, where nothing holds it: it must be earned.
    """
    similar = similarity(put, found, limit)
    if similar is None or len(put) < _ENOUGH_FOR_PERSPECTIVE:
        return similar
    plainly, _ = _held_out(similarity, put, found, limit)
    holds, between = _held_out(homography, put, found, limit)
    sure = between <= limit and holds > 1.2 * plainly
    bent = homography(put, found, limit) if sure else None
    return bent if bent is not None and _all_around(put, found, bent, limit) else similar


def _held_out(fit: Fit, put: Points, found: Points, limit: float) -> tuple[int, float]:
    """How many blocks of either half the other's fit holds for, and pixels between both fits."""
    black, white = halves(put)
    one, other = (fit(put[half], found[half], limit) for half in (black, white))
    if one is None or other is None:
        return 0, np.inf
    hold = agreeing(one, put[white], found[white], limit).sum()
    hold += agreeing(other, put[black], found[black], limit).sum()
    return int(hold), apart(one, other, put)


def _all_around(put: Points, found: Points, made: Matrix, limit: float) -> bool:
    """Blocks in each quarter of the image hold the answer."""
    agree = agreeing(made, put, found, limit)
    middle = (put.min(axis=0) + put.max(axis=0)) / 2
    quarter = (put[agree] > middle) @ [1, 2]
    return bool(np.bincount(quarter, minlength=4).min() >= 0.08 * agree.sum())


def agreeing(made: Matrix, put: Points, found: Points, limit: float) -> NDArray[np.bool_]:
    """(n,) which blocks the fit puts within `limit` pixels of where they are found."""
    return np.asarray(np.linalg.norm(mapped(made, put) - found, axis=1) <= limit)


def similarity(put: Points, found: Points, limit: float) -> Matrix | None:
    if len(put) < 2:
        return None
    cv2.setRNGSeed(0)  # the same scene gives the same alignment
    made, _ = cv2.estimateAffinePartial2D(
        put, found, method=cv2.RANSAC, ransacReprojThreshold=limit, maxIters=5000,
        confidence=0.999,
    )  # fmt: skip
    return None if made is None else np.vstack([made, [0, 0, 1.0]])


def homography(put: Points, found: Points, limit: float) -> Matrix | None:
    if len(put) < 4:
        return None
    cv2.setRNGSeed(0)
    made, _ = cv2.findHomography(put, found, cv2.RANSAC, limit, maxIters=5000)
    return None if made is None else np.asarray(made, np.float64)


def halves(put: Points) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) each: every other block, and the rest; on a grid the two colours of a chessboard."""
    ranks = [np.unique(np.round(axis, 1), return_inverse=True)[1] for axis in put.T]
    black = np.asarray((ranks[0] + ranks[1]) % 2 == 0)
    return black, ~black


def apart(one: Matrix, other: Matrix, put: Points) -> float:
    """Pixels between two answers, median over the part of the image that the blocks lie in."""
    low, high = put.min(axis=0), put.max(axis=0)
    axes = [np.linspace(*ends, 9) for ends in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2).astype(np.float64)
    return float(np.median(np.linalg.norm(mapped(one, grid) - mapped(other, grid), axis=1)))
