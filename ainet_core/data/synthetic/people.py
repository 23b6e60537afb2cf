"""People who walk: a 3-D skeleton with a gait, clothes with colours and temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.figures import Assembly, Cone, Material, Point
from ainet_core.data.synthetic.textures import Rng, colour

STRIDE = 1.45
"""Metres walked in one cycle of the gait (two steps)."""

_LEAN = 0.05  # metres by which a walking body leans forward
_SKIN_TONES = ((236, 196, 168), (214, 160, 124), (166, 112, 80), (110, 72, 52))
_HAIR_TONES = ((36, 28, 24), (74, 50, 34), (128, 92, 56), (150, 146, 142), (24, 22, 26))


@dataclass(frozen=True)
class Person:
    """Build and clothes of one person.

    Temperatures in degrees C: skin is warmest, a thick jacket lets little through.
    """

    height: float = 1.75
    girth: float = 1.0
    skin: Material = Material((214, 160, 124), 33.5)
    hair: Material = Material((52, 38, 30), 29.5)
    jacket: Material = Material((180, 120, 50), 27.5)
    sleeve: Material = Material((180, 120, 50), 27.0)
    forearm: Material = Material((180, 120, 50), 27.0)
    trousers: Material = Material((52, 62, 92), 28.0)
    shins: Material = Material((52, 62, 92), 27.0)
    shoes: Material = Material((48, 42, 40), 24.5)
    pack: Material | None = None
    hat: Material | None = None
    swing: float = 0.5

    def pose(self, phase: float, heading: float) -> list[Cone]:
        """The body's parts at `phase` (rad) of the gait, walking towards `heading` (rad)."""
        body = Assembly(heading, self.height / 1.75)  # lengths below are those of 1.75 m
        hip = self._add_legs(body, phase)
        self._add_trunk(body, hip, hip + 0.47)
        for left in (-1, 1):
            self._add_arm(body, left, phase, hip + 0.47)
        self._add_head(body, hip + 0.67)
        return body.parts

    def _add_legs(self, body: Assembly, phase: float) -> float:
        """Add both legs; returns how high the hip is when the lower foot stands on the ground."""
        legs = []
        for left in (-1, 1):
            turn = phase + (0.0 if left > 0 else np.pi)
            thigh = self.swing * np.sin(turn) + 0.06
            bend = 0.12 + 1.5 * self.swing * max(0.0, np.cos(turn + 0.25)) ** 1.5
            shin = thigh - bend
            foot = 0.75 * shin + 0.1
            knee = 0.43 * np.array([np.sin(thigh), -np.cos(thigh)])
            ankle = knee + 0.43 * np.array([np.sin(shin), -np.cos(shin)])
            toe = ankle + (0.17 * np.cos(foot), 0.17 * np.sin(foot) - 0.025)
            legs.append((left * 0.085, knee, ankle, toe))
        hip = max(-min(ankle[1] - 0.05, toe[1] - 0.04) for _, _, ankle, toe in legs)
        g = self.girth
        for side, *joints in legs:
            at_knee, at_ankle, at_toe = ((float(x), side, float(hip + z)) for x, z in joints)
            body.add((0.0, side, hip), at_knee, 0.088 * g, 0.06 * g, self.trousers)
            body.add(at_knee, at_ankle, 0.06 * g, 0.042, self.shins)
            body.add(at_ankle, at_toe, 0.05, 0.04, self.shoes)
        return float(hip)

    def _add_trunk(self, body: Assembly, hip: float, top: float) -> None:
        g = self.girth
        for left in (-1, 1):
            waist, chest = (0, left * 0.07 * g, hip + 0.06), (_LEAN, left * 0.105 * g, top - 0.06)
            body.add(waist, chest, 0.118 * g, 0.112 * g, self.jacket)
        low, high = (0.02, 0, hip + 0.05), (_LEAN + 0.02, 0, top - 0.07)
        body.add(low, high, 0.125 * g, 0.118 * g, self.jacket)
        body.add((_LEAN, -0.13 * g, top), (_LEAN, 0.13 * g, top), 0.075, 0.075, self.jacket)
        if self.pack is not None:
            low, high = (-0.17, 0, hip + 0.14), (_LEAN - 0.13, 0, top - 0.06)
            body.add(low, high, 0.14, 0.12, self.pack)

    def _add_arm(self, body: Assembly, left: int, phase: float, top: float) -> None:
        turn = phase + (np.pi if left > 0 else 0.0)
        upper = 0.9 * self.swing * np.sin(turn)
        lower = upper + 0.35 + 0.3 * self.swing * np.sin(turn)
        side = left * 0.19 * self.girth
        shoulder = (_LEAN, side, top)
        out = side + left * 0.035
        elbow = _swing_from((_LEAN, out, top), 0.28, upper)
        wrist = _swing_from(elbow, 0.25, lower)
        body.add(shoulder, elbow, 0.056 * self.girth, 0.046, self.sleeve)
        body.add(elbow, wrist, 0.045, 0.035, self.forearm)
        body.add(wrist, _swing_from(wrist, 0.06, lower), 0.036, 0.04, self.skin)

    def _add_head(self, body: Assembly, up: float) -> None:
        x = _LEAN
        body.add((x, 0, up - 0.2), (x + 0.02, 0, up - 0.07), 0.06, 0.05, self.skin)
        body.add((x + 0.035, 0, up - 0.02), (x + 0.03, 0, up + 0.07), 0.082, 0.095, self.skin)
        body.add((x - 0.015, 0, up + 0.01), (x + 0.012, 0, up + 0.095), 0.09, 0.092, self.hair)
        if self.hat is not None:
            body.add((x - 0.01, 0, up + 0.08), (x + 0.01, 0, up + 0.11), 0.1, 0.09, self.hat)
            body.add((x + 0.06, 0, up + 0.085), (x + 0.16, 0, up + 0.07), 0.05, 0.03, self.hat)


def _swing_from(point: Point, length: float, angle: float) -> Point:
    """End of a limb that hangs from `point` and is swung forward by `angle` (rad)."""
    x, y, z = point
    return x + length * float(np.sin(angle)), y, z - length * float(np.cos(angle))


def random_person(rng: Rng, like: NDArray[Any] | None = None, warm: float | None = None) -> Person:
    """Somebody; `like`: RGB of a jacket that this one's shall resemble, `warm`: how warm it is."""
    cloth = colour(rng, saturation=(0.05, 0.75), value=(0.2, 0.9)) if like is None else like
    cloth = np.clip(cloth + rng.normal(0, 8, 3), 10, 245)
    legs = colour(rng, hue=(190, 260), saturation=(0.05, 0.5), value=(0.15, 0.55))
    skin = Material(_SKIN_TONES[rng.integers(4)], rng.uniform(32.5, 34.5))
    warm = rng.uniform(25.0, 29.5) if warm is None else warm
    stripe = rng.uniform(0.03, 0.1) if rng.random() < 0.3 else 0.0
    second = tuple(colour(rng, saturation=(0, 0.4), value=(0.6, 0.95)))
    jacket = Material(tuple(cloth), warm, stripe, second)
    sleeve = Material(tuple(cloth), warm - 0.7, stripe, second)
    trousers = Material(tuple(legs), rng.uniform(-1.0, 1.0) + 0.5 * (warm + 28.0))
    short_sleeves, shorts = rng.random() < 0.3, rng.random() < 0.2
    pack = hat = None
    if rng.random() < 0.4:
        pack = Material(tuple(colour(rng, value=(0.15, 0.7))), rng.uniform(20.5, 23.0))
    if rng.random() < 0.3:
        hat = Material(tuple(colour(rng)), rng.uniform(24.0, 27.0))
    return Person(
        height=rng.uniform(1.6, 1.9),
        girth=rng.uniform(0.9, 1.2),
        skin=skin,
        hair=Material(_HAIR_TONES[rng.integers(5)], rng.uniform(28.0, 30.5)),
        jacket=jacket,
        sleeve=sleeve,
        forearm=skin if short_sleeves else sleeve,
        trousers=trousers,
        shins=skin if shorts else trousers,
        shoes=Material(tuple(colour(rng, saturation=(0, 0.3))), 24.0),
        pack=pack,
        hat=hat,
        swing=rng.uniform(0.4, 0.55),
    )
