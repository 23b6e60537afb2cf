"""What one-pass evaluation measures (Wu et al. 2013; Muller et al. 2018), pure NumPy.

Boxes are (n, 4) x, y, w, h in pixels. Arguments are never changed. How a benchmark puts these
together is in `protocol`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.groundtruth import visible_boxes

Boxes = NDArray[np.floating]
Values = NDArray[np.floating]

OVERLAPS = np.linspace(0, 1, 21)
NORMALIZED = np.linspace(0, 0.5, 51)
_LOST = 0.1  # overlap up to which a box has nothing to do with the target
_LOST_FRAMES = 10  # in a row: a target that was only covered for a moment is no failure


def overlap(a: Boxes, b: Boxes) -> Values:
    """Intersection over union, frame by frame: (n,); 0 where neither box has an area."""
    low = np.maximum(a[:, :2], b[:, :2])
    high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    union = a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union != 0)


def center_error(a: Boxes, b: Boxes) -> Values:
    """Distance of the centres in pixels, frame by frame: (n,)."""
    return np.linalg.norm(a[:, :2] + a[:, 2:] / 2 - b[:, :2] - b[:, 2:] / 2, axis=1)


def normalized_center_error(predicted: Boxes, truth: Boxes) -> Values:
    """Distance of the centres, x in true widths and y in true heights: (n,)."""
    # The toolkits' order of operations: it decides where an error meets a threshold exactly.
    size = truth[:, 2:] + 1e-8
    first = (predicted[:, 2:] - 1) / 2 + predicted[:, :2]
    second = (truth[:, 2:] - 1) / 2 + truth[:, :2]
    apart = first / size - second / size
    return np.sqrt(apart[:, 0] ** 2 + apart[:, 1] ** 2)


def share_above(values: Values, thresholds: Values) -> Values:
    """Success curve: share of the frames whose value is above each threshold; nan is not."""
    return (values[:, None] > thresholds).mean(axis=0)


def share_within(values: Values, thresholds: Values, strict: bool = False) -> Values:
    """Precision curve: share of the frames whose error is at most (`strict`: below) each."""
    within = values[:, None] < thresholds if strict else values[:, None] <= thresholds
    return within.mean(axis=0)


def failures(overlaps: Values) -> NDArray[np.int64]:
    """Frames at which the target was lost: where 10 or more frames in a row begin in which the box
    overlaps it by at most 0.1. Give only frames in which the target can be seen."""
    lost = np.concatenate([[False], overlaps <= _LOST, [False]]).astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(lost) == 1), np.flatnonzero(np.diff(lost) == -1)
    return starts[stops - starts >= _LOST_FRAMES]


def separation(scores: Values, there: NDArray[np.bool_]) -> float:
    """AUC: how likely a frame with the target scores above one without; 0.5 is chance.

    nan if all frames are of one kind.
    """
    ones, zeros = int(there.sum()), int((~there).sum())
    if not ones or not zeros:
        return float("nan")
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    del values
    ranks = np.cumsum(counts) - (counts - 1) / 2  # mean rank of equal scores
    return float((ranks[inverse][there].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def success_rate(predicted: Boxes, truth: Boxes) -> float:
    """SR of the frames that have a true box with an area: mean of their success curve.

    nan without such a frame; ValueError for other shapes or counts.
    """
    predicted, truth = _visible(predicted, truth)
    if not len(truth):
        return float("nan")
    return float(share_above(overlap(predicted, truth), OVERLAPS).mean())


def precision_rate(predicted: Boxes, truth: Boxes, pixels: float = 20.0) -> float:
    """PR of the same frames: share with a centre error of at most `pixels`."""
    predicted, truth = _visible(predicted, truth)
    if not len(truth):
        return float("nan")
    return float((center_error(predicted, truth) <= pixels).mean())


def _visible(predicted: Boxes, truth: Boxes) -> tuple[Boxes, Boxes]:
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    for name, boxes in (("predicted", predicted), ("truth", truth)):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"{name} must be (n, 4) x, y, w, h, got shape {boxes.shape}")
    if len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} predicted boxes for {len(truth)} true ones")
    known = visible_boxes(truth)
    return predicted[known], truth[known]
