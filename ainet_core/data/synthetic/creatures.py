"""Animals, birds, drones and nameless things, made of round cones like people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ainet_core.data.synthetic.figures import Assembly, Cone, Material, Point
from ainet_core.data.synthetic.textures import Rng, colour


@dataclass(frozen=True)
class Quadruped:
    """Anything from a dog to a horse, about 1 m high at the shoulder."""

    coat: Material
    dark: Material
    length: float = 1.0
    leg: float = 0.6
    neck: float = 0.45
    girth: float = 1.0
    swing: float = 0.5

    def pose(self, phase: float, heading: float) -> list[Cone]:
        """The body's parts at `phase` (rad) of the gait, walking towards `heading` (rad)."""
        body = Assembly(heading)
        back, half, g = self.leg + 0.22, self.length / 2, self.girth
        body.add((-half, 0, back), (half, 0, back + 0.03), 0.2 * g, 0.19 * g, self.coat)
        belly = (-half * 0.2, 0, back - 0.05), (half * 0.6, 0, back - 0.06)
        body.add(*belly, 0.2 * g, 0.2 * g, self.coat)
        crest = (half + 0.55 * self.neck, 0, back + 0.1 + 0.8 * self.neck)
        body.add((half, 0, back + 0.08), crest, 0.14 * g, 0.09 * g, self.coat)
        muzzle = (crest[0] + 0.28, 0, crest[2] - 0.1 + 0.02 * float(np.sin(phase)))
        body.add((crest[0] + 0.03, 0, crest[2]), muzzle, 0.1 * g, 0.055 * g, self.coat)
        for side in (-1, 1):
            ear = (crest[0] - 0.02, side * 0.07, crest[2] + 0.16)
            body.add((crest[0], side * 0.06, crest[2] + 0.06), ear, 0.035, 0.015, self.dark)
        tail = (-half - 0.28, 0.05 * float(np.sin(2 * phase)), back - 0.12)
        body.add((-half - 0.1, 0, back + 0.08), tail, 0.045, 0.03, self.dark)
        for front in (-1, 1):
            for side in (-1, 1):
                hip = (front * (half - 0.04), side * 0.11 * g, back - 0.1)
                self._add_leg(body, hip, phase if front == side else phase + np.pi)
        return body.parts

    def _add_leg(self, body: Assembly, hip: tuple[float, float, float], turn: float) -> None:
        upper = self.swing * float(np.sin(turn))
        lower = upper - 0.9 * self.swing * max(0.0, float(np.cos(turn)))
        x, y, z = hip
        half = (z - 0.05) / 2
        knee = (x + half * float(np.sin(upper)), y, z - half * float(np.cos(upper)))
        hoof = (knee[0] + half * float(np.sin(lower)), y, knee[2] - half * float(np.cos(lower)))
        body.add(hip, knee, 0.085 * self.girth, 0.05, self.coat)
        body.add(knee, hoof, 0.045, 0.035, self.dark)


@dataclass(frozen=True)
class Bird:
    """A bird in flight, 1 m from wing tip to wing tip."""

    body: Material
    wing: Material
    tip: Material
    beat: float = 0.7

    def pose(self, phase: float, heading: float) -> list[Cone]:
        """The bird's parts at `phase` (rad) of a wing beat, flying towards `heading` (rad)."""
        bird = Assembly(heading)
        bird.add((-0.16, 0, 0.3), (0.1, 0, 0.32), 0.045, 0.06, self.body)
        bird.add((0.14, 0, 0.34), (0.2, 0, 0.335), 0.042, 0.02, self.body)
        bird.add((-0.17, -0.03, 0.3), (-0.3, -0.05, 0.29), 0.03, 0.02, self.wing)
        bird.add((-0.17, 0.03, 0.3), (-0.3, 0.05, 0.29), 0.03, 0.02, self.wing)
        lift = self.beat * float(np.sin(phase))
        bend = lift + 0.5 * self.beat * float(np.sin(phase - 1.0))
        for side in (-1, 1):
            elbow = (0.05, side * 0.25 * float(np.cos(lift)), 0.34 + 0.25 * float(np.sin(lift)))
            end = (
                -0.03,
                elbow[1] + side * 0.27 * float(np.cos(bend)),
                elbow[2] + 0.27 * float(np.sin(bend)),
            )
            for back in (0.0, -0.06):
                root, knee = (0.05 + back, side * 0.03, 0.33), (elbow[0] + back, *elbow[1:])
                bird.add(root, knee, 0.04, 0.035, self.wing)
                bird.add(knee, (end[0] + back, *end[1:]), 0.035, 0.014, self.tip)
        return bird.parts


@dataclass(frozen=True)
class Drone:
    """A multicopter, 1 m wide; motors and battery are warm."""

    shell: Material
    arm: Material
    motor: Material
    battery: Material
    legs: bool = True

    def pose(self, phase: float, heading: float) -> list[Cone]:
        """The parts with the rotors turned by `phase` (rad), its nose towards `heading` (rad)."""
        drone = Assembly(heading)
        drone.add((-0.13, 0, 0.28), (0.13, 0, 0.28), 0.08, 0.07, self.shell)
        drone.add((-0.06, 0, 0.34), (0.08, 0, 0.34), 0.05, 0.05, self.battery)
        drone.add((0.14, 0, 0.2), (0.14, 0, 0.2), 0.045, 0.045, self.motor)
        for number in range(4):
            angle = np.pi / 4 + number * np.pi / 2
            x, y = 0.36 * float(np.cos(angle)), 0.36 * float(np.sin(angle))
            drone.add((0, 0, 0.28), (x, y, 0.32), 0.026, 0.02, self.arm)
            drone.add((x, y, 0.31), (x, y, 0.36), 0.034, 0.03, self.motor)
            spin = phase * (1 if number % 2 else -1)
            bx, by = 0.15 * float(np.cos(spin)), 0.15 * float(np.sin(spin))
            drone.add((x - bx, y - by, 0.385), (x + bx, y + by, 0.385), 0.012, 0.012, self.arm)
        for side in (-1, 1) if self.legs else ():
            drone.add((0, side * 0.1, 0.24), (0, side * 0.17, 0.06), 0.018, 0.016, self.arm)
            skid = (-0.14, side * 0.17, 0.05), (0.14, side * 0.17, 0.05)
            drone.add(*skid, 0.018, 0.018, self.arm)
        return drone.parts


@dataclass(frozen=True)
class Thing:
    """No kind of thing in particular: a heap of cones that turns as a whole."""

    cones: tuple[tuple[Point, Point, float, float, Material], ...]  # see Assembly.add

    def pose(self, phase: float, heading: float) -> list[Cone]:
        """Its parts; it has no gait, so `phase` only rocks it a little."""
        thing = Assembly(heading + 0.15 * float(np.sin(phase)))
        for cone in self.cones:
            thing.add(*cone)
        return thing.parts


def random_quadruped(rng: Rng) -> Quadruped:
    """A dog, a deer, a cow, a horse or what lies between."""
    tone = colour(rng, (15, 45), (0.05, 0.6), (0.15, 0.9))
    warm = rng.uniform(24, 31)
    stripe = rng.uniform(0.08, 0.3) if rng.random() < 0.3 else 0.0
    second = tuple(colour(rng, (15, 45), (0, 0.4), (0.1, 0.9)).tolist())
    return Quadruped(
        coat=Material(tuple(tone.tolist()), warm, stripe, second, rng.uniform(-1, 1)),
        dark=Material(tuple((tone * rng.uniform(0.3, 0.8)).tolist()), warm - rng.uniform(0, 4)),
        length=rng.uniform(0.7, 1.3),
        leg=rng.uniform(0.35, 0.75),
        neck=rng.uniform(0.15, 0.65),
        girth=rng.uniform(0.7, 1.3),
        swing=rng.uniform(0.35, 0.65),
    )


def random_bird(rng: Rng) -> Bird:
    """Dark or white, a little warmer than the air."""
    tone = colour(rng, (20, 60), (0, 0.4), (0.05, 0.95))
    warm = rng.uniform(14, 28)
    return Bird(
        body=Material(tuple(tone.tolist()), warm + 3),
        wing=Material(tuple((tone * rng.uniform(0.6, 1)).tolist()), warm),
        tip=Material(tuple((tone * rng.uniform(0.2, 1)).tolist()), warm - 2),
        beat=rng.uniform(0.3, 0.9),
    )


def random_drone(rng: Rng) -> Drone:
    """White, grey, black or coloured, with or without legs."""
    tone = colour(rng, saturation=(0, 0.5), value=(0.1, 0.95))
    arm = colour(rng, saturation=(0, 0.2), value=(0.05, 0.9))
    warm = rng.uniform(14, 24)
    return Drone(
        shell=Material(tuple(tone.tolist()), warm),
        arm=Material(tuple(arm.tolist()), warm - 2),
        motor=Material((40.0, 40.0, 44.0), warm + rng.uniform(4, 16)),
        battery=Material((60.0, 60.0, 66.0), warm + rng.uniform(2, 14)),
        legs=bool(rng.random() < 0.6),
    )


def random_thing(rng: Rng) -> Thing:
    """Three to eight cones of two or three materials."""
    materials = [
        Material(
            tuple(colour(rng, saturation=(0, 0.9), value=(0.05, 1)).tolist()),
            rng.uniform(8, 36),
            rng.uniform(0.03, 0.25) if rng.random() < 0.5 else 0.0,
            tuple(colour(rng, saturation=(0, 0.9), value=(0.05, 1)).tolist()),
            rng.uniform(-5, 5),
        )
        for _ in range(3)
    ]
    spread = rng.uniform(0.1, 0.4, 3)
    cones = []
    for _ in range(rng.integers(3, 9)):
        a, b = (tuple((rng.normal(0, spread) + (0, 0, 0.6)).tolist()) for _ in range(2))
        ra, rb = rng.uniform(0.04, 0.25, 2)
        cones.append((a, b, float(ra), float(rb), materials[rng.integers(3)]))
    return Thing(tuple(cones))
