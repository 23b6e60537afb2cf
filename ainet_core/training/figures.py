"""What a run measures of itself from step to step."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from ainet_core.model.head import Prediction
from ainet_core.training.losses import generalized_iou, target_cell


class Meter:
    """Figures summed on the device over some steps, and the share of time spent waiting."""

    def __init__(self) -> None:
        self._started = self._ready = time.monotonic()
        self._waited = 0.0
        self._steps = 0
        self._sums: dict[str, Tensor] = {}

    def received(self) -> None:
        """A batch has come: the time since the last step was spent waiting for it."""
        self._waited += time.monotonic() - self._ready

    def add(self, figures: dict[str, Tensor]) -> None:
        """A step is done."""
        for name, value in figures.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._steps += 1
        self._ready = time.monotonic()

    @property
    def names(self) -> list[str]:
        return list(self._sums)

    def means(self) -> Tensor:
        """One value for each of `names`, float64."""
        return torch.stack([value.double() for value in self._sums.values()]) / self._steps

    @property
    def seconds(self) -> float:
        return self._ready - self._started

    @property
    def wait(self) -> float:
        """Share of the time, 0 .. 1."""
        return self._waited / max(self.seconds, 1e-9)


@torch.no_grad()
def accuracy(prediction: Prediction, box: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Share of samples whose best cell is the true one or touches it, and the mean IoU there."""
    grid = prediction.score_logits.shape[-1]
    best = prediction.score_logits.flatten(1).argmax(dim=1)
    true = target_cell(box, grid)
    apart = torch.maximum((best % grid - true % grid).abs(), (best // grid - true // grid).abs())
    overlap = generalized_iou(prediction.boxes(best), box).clamp(min=0)
    share, count = present.float(), present.sum().clamp(min=1)
    return ((apart <= 1) * share).sum() / count, (overlap * share).sum() / count
