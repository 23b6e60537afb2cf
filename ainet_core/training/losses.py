"""The loss (ours, paper.md "Head and losses"): weighted focal + 5 L1 + 2 GIoU."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ainet_core.model.head import Prediction


@dataclass
class Losses:
    """Scalars of one batch; `total` is what is minimised."""

    total: Tensor
    focal: Tensor
    l1: Tensor
    giou: Tensor


def tracking_loss(
    prediction: Prediction,
    box: Tensor,
    present: Tensor,
    sized: Tensor | None = None,
    count: Tensor | None = None,
) -> Losses:
    """Compare a batch with the truth.

    Args:
        prediction: maps of S x S cells.
        box: (B, 4) centre x, y, w, h in fractions of the search region's side.
        present: (B,) bool, False where the search region does not show the target: then every
            cell is a negative, and the box is not compared.
        sized: (B,) bool, False where only the box's centre is compared; default: all True.
        count: what the box losses are divided by, default: how many are present, at least 1.
            A part of a joint batch of P parts hands in the joint count / P, so that the mean
            over the parts is the joint batch's loss.
    """
    grid = prediction.score_logits.shape[-1]
    cell = target_cell(box, grid)
    truth = score_truth(box, present, grid)
    focal = focal_loss(prediction.score_logits, truth)
    predicted = prediction.boxes(cell)
    if sized is not None:
        size = torch.where(sized[:, None], predicted[:, 2:], box[:, 2:])
        predicted = torch.cat([predicted[:, :2], size], dim=1)
    share = present.float()
    if count is None:
        count = share.sum().clamp(min=1)
    l1 = ((predicted - box).abs().mean(dim=1) * share).sum() / count
    giou = ((1 - generalized_iou(predicted, box)) * share).sum() / count
    return Losses(focal + 5 * l1 + 2 * giou, focal, l1, giou)


def target_cell(box: Tensor, grid: int) -> Tensor:
    """Flat index (B,) of the cell that holds each box's centre."""
    column_row = (box[:, :2] * grid).long().clamp(0, grid - 1)
    return column_row[:, 1] * grid + column_row[:, 0]


def score_truth(box: Tensor, present: Tensor, grid: int) -> Tensor:
    """(B, S, S): 1 in the centre's cell, a Gaussian around it, as wide as the box is large."""
    cells = torch.arange(grid, device=box.device)
    center = (box[:, :2] * grid).long().clamp(0, grid - 1)
    spread = (box[:, 2:] * grid / 6).clamp(min=0.4)  # in cells, x and y
    x = torch.exp(-((cells - center[:, :1]) ** 2) / (2 * spread[:, :1] ** 2))
    y = torch.exp(-((cells - center[:, 1:]) ** 2) / (2 * spread[:, 1:] ** 2))
    return y[:, :, None] * x[:, None, :] * present[:, None, None]


def focal_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Focal loss for Gaussian truth (Law and Deng 2018), a mean over samples."""
    score = logits.sigmoid()
    positive = truth == 1
    hit = -F.logsigmoid(logits) * (1 - score) ** 2
    false = -F.logsigmoid(-logits) * score**2 * (1 - truth) ** 4
    return torch.where(positive, hit, false).flatten(1).sum(dim=1).mean()


def generalized_iou(a: Tensor, b: Tensor) -> Tensor:
    """GIoU (Rezatofighi et al. 2019) of boxes (B, 4) centre x, y, w, h; (B,) in -1 .. 1."""
    a_low, a_high = a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2
    b_low, b_high = b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2
    shared = (torch.minimum(a_high, b_high) - torch.maximum(a_low, b_low)).clamp(min=0).prod(dim=1)
    union = a[:, 2:].prod(dim=1) + b[:, 2:].prod(dim=1) - shared
    hull = (torch.maximum(a_high, b_high) - torch.minimum(a_low, b_low)).prod(dim=1)
    return shared / union.clamp(min=1e-9) - (hull - union) / hull.clamp(min=1e-9)
