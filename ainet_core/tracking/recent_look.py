"""What the target looked like lately, beside its first look, which is never given up.

A person turns, a thermal picture drifts: after a hundred frames somebody else may look more like
the first frame than the target does. Only what the template prior looks for follows (ours); the
template's tokens, by which sizes are read, stay those of the first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ainet_core.model.ainet import Template


@dataclass(frozen=True)
class Renewal:
    """When and how far a recent look counts.

    Attributes:
        share: of the recent looks in what the prior looks for, 0 (the first alone) .. 1.
        every: frames between two looks.
        above: only a target that scores more is looked at: a doubtful one may be another's.
        pace: share of a new look in the recent ones, above 0 .. 1.
    """

    share: float = 0.6
    every: int = 5
    above: float = 0.5
    pace: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be 0 to 1, got {self.share}")
        if not 0 < self.pace <= 1:
            raise ValueError(f"pace must be above 0 and at most 1, got {self.pace}")
        if self.every < 1:
            raise ValueError(f"every must be at least 1, got {self.every}")


class RecentLook:
    """Mixes each camera's recent looks into a template.

    Attributes:
        template: what to track with now.
    """

    def __init__(self, first: Template, renewal: Renewal) -> None:
        self.template, self._first, self._renewal = first, first, renewal
        self._recent: list[tuple[torch.Tensor, ...] | None] = [None] * len(first.tokens)
        self._frames = 0

    def is_due(self, score: float) -> bool:
        """Called once a frame: is this one to be looked at?"""
        self._frames += 1
        wanted = self._renewal.share > 0 and bool(self._first.kernels)
        return wanted and self._frames % self._renewal.every == 0 and score > self._renewal.above

    def look(self, seen: Template, cameras: Sequence[int]) -> None:
        """Take over a template of the target as it is now; `cameras`: its places in the first."""
        for place, camera in enumerate(cameras):
            fresh, old = tuple(kernel[place] for kernel in seen.kernels), self._recent[camera]
            if old is not None:
                pace = self._renewal.pace
                fresh = tuple(torch.lerp(a, b, pace) for a, b in zip(old, fresh, strict=True))
            self._recent[camera] = fresh
        self._mix()

    def join(self, fresh: Template, in_front: bool) -> None:
        """A camera that was silent when the target was set has seen it now for the first time."""
        pair = (fresh, self._first) if in_front else (self._first, fresh)
        kernels = zip(*(part.kernels for part in pair), strict=True)
        self._first = Template(
            torch.cat([part.tokens for part in pair]),
            tuple(torch.cat(both) for both in kernels),
            self._first.extent,
        )
        self._recent.insert(0 if in_front else 1, None)
        self._mix()

    def rescale(self, ratio: torch.Tensor) -> None:
        """The target's extent (B, 2) changed by (2,), since the image changed its aspect."""
        self._first = replace(self._first, extent=self._first.extent * ratio)
        self._mix()

    def _mix(self) -> None:
        mixed = [kernel.clone() for kernel in self._first.kernels]
        for camera, recent in enumerate(self._recent):
            for kernel, lately in zip(mixed, recent or (), strict=False):
                kernel[camera] = torch.lerp(kernel[camera], lately, self._renewal.share)
        self.template = replace(self._first, kernels=tuple(mixed))
