"""How large is the target now? What the network reads is smoothed, and believed with measure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SizeTrust:
    """How far sizes that the network reads are taken over.

    Attributes:
        step: share of a newly read size taken over per frame at a full score, above 0 .. 1.
        error: how far read sizes are off, as a share of a large target. Growth counts only as
            far as it exceeds the error.
        blur: a target of so many pixels is read with an error of 100 %, one twice as large with a
            quarter of that: small targets are blurred, and weak besides. Fitted, see
            docs/training_log.md.
    """

    step: float = 0.5
    error: float = 0.04
    blur: float = 13.0

    def __post_init__(self) -> None:
        if not 0 < self.step <= 1:
            raise ValueError(f"step must be above 0 and at most 1, got {self.step}")
        for name in ("error", "blur"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")

    def error_of(self, side: float) -> float:
        """The error of a size read from a target of this side in pixels, as a share."""
        return math.hypot(self.error, (self.blur / side) ** 2)


class TargetSize:
    """Follows one target's width and height, in pixels of the image that its box lies in.

    Args:
        first: (2,) w, h when the target was set.
        trust: in what is read later.
    """

    def __init__(self, first: NDArray[np.float64], trust: SizeTrust) -> None:
        self.first, self.trust = first.copy(), trust
        self._growth = np.zeros(2)  # logarithm of the size read / the first one, smoothed

    def observe(self, read: NDArray[np.float64], score: float) -> NDArray[np.float64]:
        """Take the size (2,) read in the next frame at a score 0 .. 1; returns what to believe."""
        step = self.trust.step * min(1.0, 2 * score)
        self._growth += step * (np.log(read / self.first) - self._growth)
        side = math.sqrt((self.first * np.exp(self._growth)).prod())
        error = self.trust.error_of(side)
        return self.first * np.exp(credible(self._growth, error))

    def rescale(self, scale: NDArray[np.float64]) -> None:
        """The image changed its size by (2,) x and y."""
        self.first = self.first * scale


def credible(growth: NDArray[np.float64], error: float) -> NDArray[np.float64]:
    """What to believe of a growth (a logarithm) read with such an error (ours: a Wiener filter).

    The square of what was read stands for the signal's power: within the error little is
    believed, far beyond it nearly all. `error` 0 believes everything.
    """
    power = growth**2
    return growth * power / np.maximum(power + error**2, 1e-12)
