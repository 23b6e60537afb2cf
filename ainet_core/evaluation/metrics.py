"""Precision and success of one-pass evaluation (Wu et al. 2013), pure NumPy.

Boxes are (n, 4) x, y, w, h in pixels. Frames without a true box (nan, or no area) are left out;
arguments are never changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def overlap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersection over union, frame by frame: (n,)."""
    low = np.maximum(a[:, :2], b[:, :2])
    high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    union = a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared
    return shared / np.maximum(union, 1e-12)


def center_error(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Distance of the centres in pixels, frame by frame: (n,)."""
    return np.linalg.norm(a[:, :2] + a[:, 2:] / 2 - b[:, :2] - b[:, 2:] / 2, axis=1)


def success_rate(predicted: Boxes, truth: Boxes) -> float:
    """SR: mean of the success curve over 21 overlap thresholds 0 .. 1. nan without a true box."""
    predicted, truth = _scored(predicted, truth)
    if not len(truth):
        return float("nan")
    thresholds = np.linspace(0, 1, 21)
    return float((overlap(predicted, truth)[:, None] > thresholds).mean())


def precision_rate(predicted: Boxes, truth: Boxes, pixels: float = 20.0) -> float:
    """PR: share of frames with a centre error of at most `pixels`. nan without a true box."""
    predicted, truth = _scored(predicted, truth)
    if not len(truth):
        return float("nan")
    return float((center_error(predicted, truth) <= pixels).mean())


def _scored(predicted: Boxes, truth: Boxes) -> tuple[Boxes, Boxes]:
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    for name, boxes in (("predicted", predicted), ("truth", truth)):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"{name} must be (n, 4) x, y, w, h, got shape {boxes.shape}")
    if len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} predicted boxes for {len(truth)} true ones")
    known = np.isfinite(truth).all(axis=1) & (truth[:, 2] > 0) & (truth[:, 3] > 0)
    return predicted[known], truth[known]
