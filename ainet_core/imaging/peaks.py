"""The highest place of a surface, between the pixels that it is sampled at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def peak(surface: NDArray[np.floating]) -> NDArray[np.float64]:
    """(2,) x, y in pixels of a surface (h, w); nan where it is highest at its edge."""
    y, x = np.unravel_index(int(surface.argmax()), surface.shape)
    if not (0 < y < surface.shape[0] - 1 and 0 < x < surface.shape[1] - 1):
        return np.array([np.nan, np.nan])
    across, along = surface[y, x - 1 : x + 2], surface[y - 1 : y + 2, x]
    return np.array([x + _vertex(*across), y + _vertex(*along)])


def _vertex(before: float, top: float, after: float) -> float:
    """Where the parabola through three neighbours is highest, from the middle one."""
    bend = before - 2 * top + after
    return 0.0 if bend >= 0 else float(0.5 * (before - after) / bend)
