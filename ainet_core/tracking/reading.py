"""From the network's maps to a box and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ainet_core.model.head import Prediction
from ainet_core.tracking.confidence import Evidence
from ainet_core.tracking.crop import Region


@dataclass(frozen=True)
class Reading:
    """What the network reads from one search region.

    Attributes:
        box: (4,) x, y, w, h in pixels of the image, nothing smoothed.
        evidence: for the box being right.
        order: the layers as the dynamic scan met them.
    """

    box: NDArray[np.float64]
    evidence: Evidence
    order: tuple[int, ...]


def read(
    prediction: Prediction,
    region: Region,
    expected: NDArray[np.float64],
    window: torch.Tensor | None,
) -> Reading:
    """The cell with the highest score, and what stands there.

    Args:
        prediction: for one search region.
        region: where that region lies.
        expected: (2,) w, h of the target before, in pixels.
        window: (S, S) factors on the score when the cell is chosen; None: all cells are equal.
    """
    scores = prediction.score_logits.sigmoid()
    weighted = scores if window is None else scores * window
    cell = weighted.flatten(1).argmax(dim=1)
    # Read at once: on a GPU every look at a number waits for all that was asked of it.
    parts = (scores.flatten(1).gather(1, cell[:, None]), _rival(scores, cell),
             _likeness(prediction, cell), prediction.boxes(cell), prediction.order)  # fmt: skip
    score, rival, coarse, fine, *numbers = torch.cat([p[0].float() for p in parts]).tolist()
    center, size = np.array(numbers[:4]).reshape(2, 2) * region.crop_size
    box = region.to_image(np.concatenate([center - size / 2, size]))
    change = float(np.abs(np.log(np.maximum(box[2:], 1e-3) / expected)).max())
    order = tuple(int(layer) for layer in numbers[4:])
    return Reading(box, Evidence(score, rival, coarse, fine, change), order)


def _rival(scores: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
    """The highest score (B, 1) of a map (B, S, S) more than two cells from `cell` (B,)."""
    grid = scores.shape[-1]
    line = torch.arange(grid, device=scores.device)
    rows, columns = ((line - at[:, None]).abs() > 2 for at in (cell // grid, cell % grid))
    apart = rows[:, :, None] | columns[:, None, :]
    return (scores * apart).flatten(1).amax(dim=1, keepdim=True)


def _likeness(prediction: Prediction, cell: torch.Tensor) -> torch.Tensor:
    """How alike the cell (B,), or one beside it, and the target are: (B, 2), 0 without a prior."""
    if prediction.similarity is None:
        return prediction.score_logits.new_zeros(len(cell), 2)
    best = functional.max_pool2d(prediction.similarity, 3, stride=1, padding=1).flatten(2)
    return best.gather(2, cell[:, None, None].expand(-1, 2, 1)).squeeze(2)
