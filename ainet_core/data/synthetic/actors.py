"""Things that move through a world: their paths, their pictures, their exact boxes."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.figures import Cone, draw_figure
from ainet_core.data.synthetic.people import STRIDE
from ainet_core.data.synthetic.sprites import Sprite

PHASES, HEADINGS = 20, 24
"""Pictures of a walking body in one cycle, and directions all around."""


class Body(Protocol):
    """Anything with a gait that can be drawn from any side."""

    def pose(self, phase: float, heading: float) -> list[Cone]:
        """Its parts in metres."""
        ...


class Path:
    """Way through waypoints at given times, smooth in between.

    Attributes:
        position: (N, 2) X, Z in metres at every frame.
        heading: (N,) direction of walking in rad; 0 is +X, pi/2 is +Z.
        distance: (N,) metres walked since the first frame.
    """

    def __init__(self, waypoints: list[tuple[float, float, float]], frames: int, rate: float):
        """`waypoints`: (second, X, Z) in order of time; before and after them it goes on."""
        times, xs, zs = np.array(waypoints, dtype=np.float64).T
        moments = np.arange(-15, frames + 15) / rate
        line = np.column_stack([_reach_out(moments, times, axis) for axis in (xs, zs)])
        kernel = np.hanning(17)[1:-1]
        kernel /= kernel.sum()
        padded = np.pad(line, ((7, 7), (0, 0)), mode="reflect", reflect_type="odd")
        smooth = np.column_stack([np.convolve(axis, kernel, "valid") for axis in padded.T])
        step = np.gradient(smooth, axis=0)
        speed = np.hypot(step[:, 0], step[:, 1])
        heading = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        kept = slice(15, 15 + frames)
        self.position = smooth[kept]
        self.heading = heading[kept]
        self.distance = np.cumsum(speed)[kept]


class Walker:
    """A body on its path; pictures are drawn once per gait phase and direction, then kept."""

    def __init__(
        self, body: Body, path: Path, scale: float, weave: NDArray[Any], start: float = 0.0
    ) -> None:
        """`scale`: pixels per metre of its pictures; `start`: gait phase at the first frame."""
        self._body, self.path, self._scale, self._weave = body, path, scale, weave
        self._start = start
        self._pictures: dict[tuple[int, int], Sprite] = {}

    def sprite(self, index: int) -> Sprite:
        """Its picture in frame `index`."""
        turn = self.path.distance[index] / STRIDE + self._start
        phase = int(np.floor(turn * PHASES)) % PHASES
        heading = round(self.path.heading[index] / (2 * np.pi) * HEADINGS) % HEADINGS
        if (phase, heading) not in self._pictures:
            cones = self._body.pose(2 * np.pi * phase / PHASES, 2 * np.pi * heading / HEADINGS)
            self._pictures[phase, heading] = draw_figure(cones, self._scale, self._weave)
        return self._pictures[phase, heading]


class Driver:
    """One rigid picture on a path."""

    def __init__(self, picture: Sprite, path: Path) -> None:
        self._picture, self.path = picture, path

    def sprite(self, index: int) -> Sprite:
        """Its picture, the same in every frame."""
        return self._picture


def _reach_out(
    moments: NDArray[np.float64], times: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Linear between the points, and going on at the first and last pace outside."""
    inside = np.interp(moments, times, values)
    first = (values[1] - values[0]) / (times[1] - times[0])
    last = (values[-1] - values[-2]) / (times[-1] - times[-2])
    inside += np.where(moments < times[0], (moments - times[0]) * first, 0)
    inside += np.where(moments > times[-1], (moments - times[-1]) * last, 0)
    return inside
