"""Where to look for a lost target: around its last place, then wider, then everywhere.

One region a look. Near the last place the region widens step by step; since far targets are small
in a wide region and score low there, the whole image is then swept in tiles at the usual scale,
nearest first, with looks around the last place between them. That place moves along with what
looks most like the target there: a target that was doubted wrongly is not left behind.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = NDArray[np.float64]


@dataclass(frozen=True)
class SearchPlan:
    """How to look for a lost target.

    Attributes:
        widen_step: factor on the search region's side from look to look.
        widen_limit: largest such factor. The network trained with targets up to 2.5 times smaller
            than usual.
        sweep: look everywhere after that; False: around the last place for ever.
        near_every: in a sweep so many looks apart around the last place again.
        follow_above: the last place follows what the network scores higher than this there.
        follow_within: of the target's width and height: what is further from the last place is
            somebody else. People are tall: up and down a reading moves more than across.
        most_tiles: of a sweep; a small target in a large image gets wider tiles instead of more.
        looks: regions to look at in one frame; each takes as long as an update.
    """

    widen_step: float = 1.1
    widen_limit: float = 2.4
    sweep: bool = True
    near_every: int = 3
    follow_above: float = 0.3
    follow_within: float = 0.8
    most_tiles: int = 60
    looks: int = 1

    def __post_init__(self) -> None:
        if not self.widen_step > 1:
            raise ValueError(f"widen_step must be above 1, got {self.widen_step}")
        if not self.widen_limit >= 1:
            raise ValueError(f"widen_limit must be at least 1, got {self.widen_limit}")
        if not 0 <= self.follow_above <= 1:
            raise ValueError(f"follow_above must be 0 to 1, got {self.follow_above}")
        if not self.follow_within >= 0:
            raise ValueError(f"follow_within must be at least 0, got {self.follow_within}")
        for name in ("near_every", "most_tiles", "looks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


def regions(
    box: Box, image_size: tuple[int, int], factor: float, plan: SearchPlan
) -> Iterator[tuple[Box | None, float]]:
    """Where to look, one after the other, without end.

    Args:
        box: x, y, w, h where the target was last, or should be now; pixels.
        image_size: (height, width).
        factor: side of the usual search region / sqrt(w * h).
        plan: how.

    Yields:
        a box of the target's size to look around, None for the last place, and the widening of
        the region.
    """
    while True:
        widening = 1.0
        while widening <= plan.widen_limit:
            yield None, widening
            widening *= plan.widen_step
        if plan.sweep:
            places, widening = tiles(box, image_size, factor, plan)
            for number, place in enumerate(places, start=1):
                yield place, widening
                if number % (plan.near_every - 1 or 1) == 0:
                    yield None, 1.0


def tiles(
    box: Box, image_size: tuple[int, int], factor: float, plan: SearchPlan
) -> tuple[list[Box], float]:
    """Boxes of the target's size whose regions cover the image, nearest first, and their widening.

    Neighbours share so much that the whole target lies in one of them.
    """
    height, width = image_size
    side = math.sqrt(box[2] * box[3])
    for widening in itertools.count(1.0, 0.2):
        region = factor * widening * side
        step = max(region - 1.5 * max(box[2], box[3]), 0.5 * region)
        columns, rows = (_centers(length, region, step) for length in (width, height))
        if len(columns) * len(rows) <= plan.most_tiles:
            break
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    far = np.linalg.norm(grid - (box[:2] + box[2:] / 2), axis=1)
    ordered = grid[np.argsort(far, kind="stable")]
    return [np.concatenate([center - box[2:] / 2, box[2:]]) for center in ordered], widening


def _centers(length: float, region: float, step: float) -> NDArray[np.float64]:
    """Of regions along one side of the image, evenly spread, no further apart than `step`."""
    if length <= region:
        return np.array([length / 2])
    count = math.ceil((length - region) / step) + 1
    return np.linspace(region / 2, length - region / 2, count)
