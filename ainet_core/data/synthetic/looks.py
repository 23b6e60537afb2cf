"""What a flat scene's targets look like: people, vehicles, animals, drones, birds, things.

Each kind is a function that chooses what its members share (a jacket, a paint) and returns a maker
of members. `pixels`: how large their larger side will be seen at most.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.actors import Body
from ainet_core.data.synthetic.creatures import (
    random_bird,
    random_drone,
    random_quadruped,
    random_thing,
)
from ainet_core.data.synthetic.figures import draw_figure
from ainet_core.data.synthetic.people import random_person
from ainet_core.data.synthetic.sprites import Sprite
from ainet_core.data.synthetic.textures import Rng, colour, periodic_noise
from ainet_core.data.synthetic.vehicles import vehicle

_PHASES, _HEADINGS = 10, 12
_WEAVE = periodic_noise(np.random.default_rng(0), 256, 1.2, 0.12)


class Look(Protocol):
    """Something that can be drawn at any phase of its gait from any side."""

    metres: float  # its larger side
    middle: float  # how high its middle is

    def sprite(self, phase: float, heading: float) -> Sprite: ...


class Figure:
    """An articulated body; its pictures are drawn when first needed."""

    def __init__(self, body: Body, pixels: float) -> None:
        """`pixels`: how large it will be seen at most."""
        self._body = body
        cones = body.pose(0.5, 0.3)
        low = np.min([np.minimum(c.a - c.ra, c.b - c.rb) for c in cones], axis=0)
        high = np.max([np.maximum(c.a + c.ra, c.b + c.rb) for c in cones], axis=0)
        self.metres = float((high - low)[:2].max())
        self.middle = float(low[1] + high[1]) / 2
        self._scale = pixels / self.metres
        self._pictures: dict[tuple[int, int], Sprite] = {}

    def sprite(self, phase: float, heading: float) -> Sprite:
        turn = 2 * np.pi
        key = int(phase / turn * _PHASES) % _PHASES, round(heading / turn * _HEADINGS) % _HEADINGS
        if key not in self._pictures:
            cones = self._body.pose(key[0] * turn / _PHASES, key[1] * turn / _HEADINGS)
            self._pictures[key] = draw_figure(cones, self._scale, _WEAVE)
        return self._pictures[key]


class Car:
    """A vehicle from the side, driving to the right or to the left."""

    def __init__(self, rng: Rng, van: bool, paint: NDArray[np.floating], pixels: float) -> None:
        self.metres, self.middle = (5.2, 1.16) if van else (4.35, 0.75)
        scale, warm = pixels / self.metres, float(rng.uniform(0, 1))
        seed = int(rng.integers(1 << 30))  # the same details on both sides
        self._right, self._left = (
            vehicle(np.random.default_rng(seed), van, paint, scale, warm, to_left)
            for to_left in (False, True)
        )

    def sprite(self, phase: float, heading: float) -> Sprite:
        return self._right if np.cos(heading) >= 0 else self._left


class Maker(Protocol):
    """Makes another one of the same kind, more or less alike."""

    def __call__(self) -> Look: ...


def people(rng: Rng, pixels: float) -> Maker:
    like = colour(rng) if rng.random() < 0.5 else None
    return lambda: Figure(random_person(rng, like), pixels)


def animals(rng: Rng, pixels: float) -> Maker:
    return lambda: Figure(random_quadruped(rng), pixels)


def birds(rng: Rng, pixels: float) -> Maker:
    return lambda: Figure(random_bird(rng), pixels)


def drones(rng: Rng, pixels: float) -> Maker:
    return lambda: Figure(random_drone(rng), pixels)


def things(rng: Rng, pixels: float) -> Maker:
    return lambda: Figure(random_thing(rng), pixels)


def vehicles(rng: Rng, pixels: float) -> Maker:
    van, paint = bool(rng.random() < 0.4), colour(rng, saturation=(0, 0.8), value=(0.15, 0.95))
    return lambda: Car(rng, van, np.clip(paint + rng.normal(0, 12, 3), 5, 250), pixels)
