"""How far thermal still lies beside RGB, watched while the tracker runs.

An alignment holds at one distance and until somebody touches the cameras. Once in a while a pair
is reduced to a stamp's size, its outlines are correlated, and the surface joins a running mean: a
moment that shows nothing adds nothing, and a scene that shows nothing is not guessed at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.outlines import outlines, planes
from ainet_core.imaging.peaks import peak
from ainet_core.imaging.thermal import to_eight_bit

WIDTH, HEIGHT = 128, 96  # of the reduced images
REACH = 18  # pixels of those: 90 of an RGB image of 640
MEMORY = 0.85  # share of the mean that a new pair leaves: it follows within some six pairs

_LEAST_PAIRS = 3
# Cameras that see different scenes reach one of these at times, never both (docs/alignment.md).
_LEAST_PEAK = 0.12
_LEAST_RATIO = 1.45  # to the next highest place
_AROUND = 4  # pixels around a peak that belong to it


@dataclass(frozen=True)
class Shift:
    """Where thermal lies against RGB, in RGB pixels: x to the right, y down."""

    x: float
    y: float

    @property
    def length(self) -> float:
        return math.hypot(self.x, self.y)

    def __str__(self) -> str:
        sides = [f"{abs(value):.0f} px {names[value > 0]}"
                 for value, names in ((self.x, ("left", "right")), (self.y, ("above", "below")))
                 if abs(value) >= 0.5]  # fmt: skip
        if not sides:
            return "thermal lies on RGB"
        words = " and ".join(sides)
        return f"thermal is {words} {'of ' if words.endswith(('left', 'right')) else ''}RGB"


class RemainingShift:
    """The running estimate; one thread at a time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all pairs."""
        self._mean = np.zeros((2 * REACH + 1, 2 * REACH + 1), np.float32)
        self._pairs = 0
        self._pixel = (1.0, 1.0)  # RGB pixels of a reduced one, x and y

    def add(self, rgb: NDArray[np.uint8], thermal: NDArray[Any]) -> None:
        """Look at a pair: RGB (H, W, 3), and thermal (h, w) of the same view in any size."""
        pixel = rgb.shape[1] / WIDTH, rgb.shape[0] / HEIGHT
        if pixel != self._pixel:
            self.reset()
            self._pixel = pixel
        share = max(1 - MEMORY, 1 / (self._pairs + 1))  # the first pairs count alike
        self._mean += np.float32(share) * (_likeness(rgb, thermal) - self._mean)
        self._pairs += 1

    @property
    def shift(self) -> Shift | None:
        """None: too few pairs, or the scene does not tell."""
        place = peak(self._mean)
        if self._pairs < _LEAST_PAIRS or not np.isfinite(place).all():
            return None
        highest = float(self._mean.max())
        if highest < max(_LEAST_PEAK, _LEAST_RATIO * self._second(place)):
            return None
        x, y = (place - REACH) * self._pixel
        return Shift(float(x), float(y))

    def _second(self, place: NDArray[np.float64]) -> float:
        """The highest value beside the peak."""
        x, y = np.round(place).astype(int)
        rest = self._mean.copy()
        rest[max(0, y - _AROUND) : y + _AROUND + 1, max(0, x - _AROUND) : x + _AROUND + 1] = 0
        return float(rest.max())


def _likeness(rgb: NDArray[np.uint8], thermal: NDArray[Any]) -> NDArray[np.float32]:
    """(2 REACH + 1, 2 REACH + 1): how alike the outlines are, thermal moved by -REACH..REACH."""
    grey, warm = cv2.cvtColor(_reduced(rgb), cv2.COLOR_RGB2GRAY), to_eight_bit(_reduced(thermal))
    edges = [planes(outlines(image)) for image in (grey, warm)]
    # RGB's borders have no partner once it is moved: only its middle is looked for.
    pattern = edges[0][REACH:-REACH, REACH:-REACH]
    surface = cv2.matchTemplate(edges[1], pattern, cv2.TM_CCORR)
    power = math.sqrt(float((edges[1] ** 2).sum()) * float((pattern**2).sum()))
    return np.asarray(surface / max(power, 1e-6), np.float32)


def _reduced(image: NDArray[Any]) -> NDArray[Any]:
    """To WIDTH x HEIGHT by way of twice that: an average of all pixels takes most of the time."""
    twice = cv2.resize(image, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(twice, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
