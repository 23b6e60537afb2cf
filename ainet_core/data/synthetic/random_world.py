"""`random_world`: endless small scenes to train on, each a function of its seed alone.

Flat compositions rather than a modelled place: a background that drifts, turns and zooms, a
target of some kind, look-alikes that cross it, things that hide it, and mishaps of one camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.box import clip_box
from ainet_core.data.synthetic.backgrounds import random_background
from ainet_core.data.synthetic.creatures import random_thing
from ainet_core.data.synthetic.looks import (
    Figure,
    Look,
    Maker,
    animals,
    birds,
    drones,
    people,
    things,
    vehicles,
)
from ainet_core.data.synthetic.mishaps import Mishaps
from ainet_core.data.synthetic.motion import Track, crossing_track, main_track, view_matrices
from ainet_core.data.synthetic.plants import lamp_post, tree
from ainet_core.data.synthetic.sensors import ColourSensor, ThermalSensor
from ainet_core.data.synthetic.sprites import Canvas, Sprite, paste, upright
from ainet_core.data.synthetic.textures import Rng
from ainet_core.data.synthetic.world import WorldFrame, WorldView

FRAMES = 90
SMALLEST, LARGEST = 12.0, 200.0
"""Larger side of targets in pixels."""

_KINDS = (people, vehicles, animals, drones, birds, things)
_WEIGHTS = (0.28, 0.16, 0.14, 0.12, 0.1, 0.2)


@dataclass(frozen=True)
class _Actor:
    look: Look
    track: Track

    def sprite(self, index: int) -> Sprite:
        return self.look.sprite(float(self.track.phase[index]), float(self.track.heading[index]))

    def matrix(self, index: int) -> NDArray[np.float64]:
        x, y = self.track.foot[index].tolist()
        return upright((x, y), float(self.track.scale[index]))


def random_world(
    seed: int,
    size: tuple[int, int] = (256, 320),
    frames: int = FRAMES,
    degrade: bool = True,
) -> RandomWorld:
    """A random scene; same arguments, same scene."""
    return RandomWorld(seed, size, frames, degrade)


class RandomWorld(WorldView):
    """One random scene; both cameras have the same size and see exactly the same field."""

    rate = 30.0

    def __init__(
        self,
        seed: int,
        size: tuple[int, int] = (256, 320),
        frames: int = FRAMES,
        degrade: bool = True,
    ) -> None:
        """Paint the background and choose the actors (about 0.1 s).

        Args:
            seed: decides everything.
            size: (height, width) of the images.
            frames: length of the scene.
            degrade: whether one or the other camera is impaired for a while.
        """
        if min(size) < 64 or frames < 2:
            raise ValueError(
                f"size must be (height, width) >= 64 and frames >= 2, got {size} and {frames}"
            )
        rng = np.random.default_rng(seed)
        self.size, self._count = size, frames
        kind = _KINDS[rng.choice(len(_KINDS), p=_WEIGHTS)]
        largest = min(LARGEST, 0.6 * min(size))
        pixels = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(largest))))
        make = kind(rng, 1.3 * pixels)
        self._choose_actors(rng, make, pixels)
        canvas = (int(1.5 * size[0]), int(1.5 * size[1]))
        self._background = random_background(rng, canvas, kind in (birds, drones))
        self._views = view_matrices(rng, frames, canvas, size)
        self._hiders = self._choose_hiders(rng, pixels)
        self._mishaps = Mishaps(rng, frames, size) if degrade else None
        self._choose_sensors(rng)
        self._canvas = Canvas(np.zeros((*size, 3), np.uint8), np.zeros(size, np.float32))

    def __len__(self) -> int:
        return self._count

    def box(self, index: int) -> NDArray[np.float64]:
        """The target's box in frame `index`, without rendering it."""
        index = self._checked(index)
        track = self._target.track
        x, y = track.foot[index].tolist()
        box = self._target.sprite(index).box((x, y), float(track.scale[index]))
        height, width = self.size
        if box[0] >= width or box[1] >= height or box[0] + box[2] <= 0 or box[1] + box[3] <= 0:
            return np.zeros(4)
        return clip_box(box, self.size)

    def frame(self, index: int) -> WorldFrame:
        """Render frame 0 <= index < len; the same whenever it is asked for."""
        index = self._checked(index)
        canvas, behind, mishaps = self._canvas, self._background, self._mishaps
        for image, source in ((canvas.rgb, behind.rgb), (canvas.heat, behind.heat)):
            cv2.warpAffine(
                source,
                self._views[index],
                (self.size[1], self.size[0]),
                dst=image,
                borderMode=cv2.BORDER_REFLECT,
            )
        visible = self._draw_things(canvas, index)
        canvas.rgb[:] = cv2.LUT(canvas.rgb, self._grade)
        heat = canvas.heat
        if mishaps is not None:
            mishaps.spoil_rgb(canvas, index)
            heat = mishaps.spoil_heat(heat, index)
        thermal = self._thermal(heat, index, self._span)
        if self._black_hot:
            thermal = cv2.bitwise_not(thermal)
        return WorldFrame(self._colour(canvas.rgb, index), thermal, self.box(index), visible)

    def _draw_things(self, canvas: Canvas, index: int) -> float:
        """Actors, then what hides them; returns the visible share of the target."""
        crossover = self._mishaps.level(index, "crossover", True) if self._mishaps else 0.0
        around = float(np.median(canvas.heat[::8, ::8]))
        keep = 1 - 0.96 * crossover
        warming = (keep, (1 - keep) * around + keep * self._offset)
        left, total = np.zeros(self.size, np.float32), 1.0
        for actor in self._actors:
            drawn = paste(canvas, actor.sprite(index), actor.matrix(index), warming)
            if actor is self._target:
                left[:] = 0
                total = 255 * actor.sprite(index).area * float(actor.track.scale[index]) ** 2
                if drawn is not None:
                    left[drawn[0], drawn[1]] = drawn[2]
            elif drawn is not None:
                left[drawn[0], drawn[1]] *= 1 - drawn[2] * np.float32(1 / 255)
        for sprite, spot, scale in self._hiders:
            x, y = (self._views[index] @ (*spot, 1.0)).tolist()
            drawn = paste(canvas, sprite, upright((x, y), scale), (1.0, around - 16.0))
            if drawn is not None:
                left[drawn[0], drawn[1]] *= 1 - drawn[2] * np.float32(1 / 255)
        return float(min(left.sum() / total, 1.0))

    def _choose_actors(self, rng: Rng, make: Maker, pixels: float) -> None:
        look = make()
        track = main_track(rng, self._count, self.size, pixels, look.metres, look.middle)
        self._target = _Actor(look, track)
        others = []
        for _ in range(int(rng.choice([0, 1, 2, 3, 5], p=[0.15, 0.25, 0.25, 0.2, 0.15]))):
            twin = look if rng.random() < 0.25 else make()
            moment = int(rng.integers(self._count))
            others.append(_Actor(twin, crossing_track(rng, track, moment, twin.metres)))
        before = int(rng.integers(len(others) + 1))
        self._actors = [*others[before:], self._target, *others[:before]]

    def _choose_hiders(
        self, rng: Rng, pixels: float
    ) -> list[tuple[Sprite, tuple[float, float], float]]:
        """Things that stand in the background's place before the target's way."""
        hiders = []
        for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
            moment = int(rng.integers(self._count))
            high = pixels * rng.uniform(0.7, 2.5)
            kind = rng.integers(3)
            if kind == 0:
                sprite, metres = lamp_post(3.0, min(high, 150) / 3), 3.0
            elif kind == 1:
                crown, trunk = rng.uniform((0.8, 0), (2.2, 0.9)).tolist()
                sprite, metres = tree(rng, 2.0, crown, trunk, min(high, 120) / 2), 2.0
            else:
                thing = Figure(random_thing(rng), min(high, 150))
                sprite, metres = thing.sprite(0, 0), thing.metres
            foot = self._target.track.foot[moment] + rng.normal(0, 0.15 * pixels, 2)
            foot[1] += 0.2 * high * rng.random()
            back = cv2.invertAffineTransform(self._views[moment])
            x, y = (back @ (*foot, 1.0)).tolist()
            hiders.append((sprite, (x, y), high / metres))
        return hiders

    def _choose_sensors(self, rng: Rng) -> None:
        self._colour = ColourSensor(rng, self.size, float(rng.uniform(0.5, 6)))
        self._thermal = ThermalSensor(rng, self.size, float(rng.uniform(0.05, 0.6)))
        heat = self._background.heat
        low, high = np.percentile(heat[::7, ::7], (2, 98))
        # Bodies are warmer than most places, in summer cooler; a camera's range covers both.
        self._offset = float(rng.uniform(-8, 10))
        cool, warm = 22.0 + self._offset, 33.0 + self._offset
        room = rng.uniform(0, 5)
        self._span = (float(min(low, cool) - room), float(max(high, warm) + room))
        self._black_hot = bool(rng.random() < 0.2)
        ramp = np.linspace(0, 1, 256)
        tint = rng.uniform(0.85, 1.15, 3) * rng.uniform(0.6, 1.2)
        curve = ramp[:, None] ** rng.uniform(0.75, 1.4) * tint
        self._grade = np.clip(255 * curve, 0, 255).astype(np.uint8)[None]
