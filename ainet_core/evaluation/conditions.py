"""What befalls a robot's cameras, done to recorded sequences: "what it costs".

Deterministic: frame i of a sequence under a condition is a function of (seed, sequence's name,
condition, i). The degradations are written for evaluation alone; training has its own, so that a
network is not tested on the very functions it has learnt. The first frame's target can always be
marked: gaps begin later.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import FramePair, Image, Sequence

Rng = np.random.Generator
Scene = Callable[[Sequence, Rng], Callable[[int, FramePair], FramePair]]


@dataclass(frozen=True)
class Condition:
    """One row of the table "what it costs".

    Attributes:
        name: as results and tables call it.
        description: one line for tables.
        scene: what it does: takes a sequence, gives a function of (frame number, frame pair).
    """

    name: str
    description: str
    scene: Scene

    def frames(self, sequence: Sequence, seed: int = 0) -> Iterator[FramePair]:
        """The sequence's frames as the cameras deliver them under this condition."""
        name = zlib.crc32(f"{sequence.name} {self.name}".encode())
        change = self.scene(sequence, np.random.default_rng((seed, name)))
        return (change(number, pair) for number, pair in enumerate(sequence.frames()))


def missing(camera: str) -> Scene:
    """The camera never delivers anything."""

    def scene(_: Sequence, __: Rng) -> Callable[[int, FramePair], FramePair]:
        return lambda _, pair: pair._replace(**{camera: None})

    return scene


def gaps(camera: str) -> Scene:
    """The camera is gone for stretches of 1 to 3 s, with 1 to 3 s between them."""

    def scene(sequence: Sequence, rng: Rng) -> Callable[[int, FramePair], FramePair]:
        gone = np.zeros(len(sequence), bool)
        start = 0.0
        while start < len(sequence):
            start += rng.uniform(1, 3) * sequence.rate
            stop = start + rng.uniform(1, 3) * sequence.rate
            gone[max(1, round(start)) : round(stop)] = True
            start = stop
        return lambda number, pair: pair._replace(**{camera: None}) if gone[number] else pair

    return scene


def held(every: int) -> Scene:
    """The thermal camera is slower: each of its images is used `every` times."""

    def scene(_: Sequence, __: Rng) -> Callable[[int, FramePair], FramePair]:
        latest: list[Image | None] = [None]

        def change(number: int, pair: FramePair) -> FramePair:
            if number % every == 0:
                latest[0] = pair.thermal
            return pair._replace(thermal=latest[0])

        return change

    return scene


def shifted(pixels: float) -> Scene:
    """The thermal image lies beside the RGB image, in a direction drawn for the sequence."""

    def scene(_: Sequence, rng: Rng) -> Callable[[int, FramePair], FramePair]:
        angle = rng.uniform(0, 2 * np.pi)
        move = np.array([[1, 0, np.cos(angle) * pixels], [0, 1, np.sin(angle) * pixels]])
        return lambda _, pair: _with_thermal(
            pair,
            lambda image: cv2.warpAffine(
                image, move, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
            ),
        )

    return scene


def dark(_: Sequence, rng: Rng) -> Callable[[int, FramePair], FramePair]:
    """Night: 2 % of the light, lifted by the camera's gain together with shot and read noise."""
    seed = int(rng.integers(2**31))

    def degrade(number: int, image: Image) -> Image:
        noise = np.random.default_rng((seed, number))
        electrons = (
            (image.astype(np.float32) / 255) ** 2.2 * 400 * 0.02
        )  # 400: a full well, scaled
        seen = noise.poisson(electrons) + noise.normal(0, 1.5, image.shape)
        return np.clip(seen * 6, 0, 255).astype(np.uint8)

    return lambda number, pair: _with_rgb(pair, lambda image: degrade(number, image))


def hazed(_: Sequence, rng: Rng) -> Callable[[int, FramePair], FramePair]:
    """Smoke that drifts: light is lost exponentially with its uneven thickness (Koschmieder)."""
    clouds = rng.random((8, 16)).astype(np.float32)
    drift = rng.uniform(-0.004, 0.004, 2)  # of the image's size, per frame
    light = rng.uniform(150, 210)

    def degrade(number: int, image: Image) -> Image:
        height, width = image.shape[:2]
        thickness = _cloud(clouds, drift * number, width, height)
        through = np.exp(-(1.2 + 3.0 * thickness))[..., None]
        return (image * through + light * (1 - through)).clip(0, 255).astype(np.uint8)

    return lambda number, pair: _with_rgb(pair, lambda image: degrade(number, image))


def faded(_: Sequence, rng: Rng) -> Callable[[int, FramePair], FramePair]:
    """Thermal crossover: 12 % of the contrast is left, under the sensor's column and pixel noise.

    Pixels of more than 8 bits are brought to 8 first: the camera's own scaling shows its noise.
    """
    seed = int(rng.integers(2**31))

    def degrade(number: int, image: Image) -> Image:
        noise = np.random.default_rng((seed, number))
        columns = np.random.default_rng((seed, 2**31)).normal(0, 2.5, image.shape[1])
        values = image.astype(np.float32)
        if image.dtype != np.uint8:
            low, high = np.percentile(values, (1, 99))
            values = 255 * (values - low) / max(high - low, 1)
        flat = (values - values.mean()) * 0.12 + 128 + noise.normal(0, 4, image.shape[:2])
        return (flat + columns).clip(0, 255).astype(np.uint8)

    return lambda number, pair: _with_thermal(pair, lambda image: degrade(number, image))


CONDITIONS = {
    condition.name: condition
    for condition in (
        Condition("no-thermal", "thermal camera missing", missing("thermal")),
        Condition("no-rgb", "RGB camera missing", missing("rgb")),
        Condition("thermal-gaps", "thermal camera gone for 1-3 s, again and again",
                  gaps("thermal")),
        Condition("rgb-gaps", "RGB camera gone for 1-3 s, again and again", gaps("rgb")),
        Condition("thermal-slow", "thermal at a third of the rate", held(3)),
        Condition("thermal-shift-8", "thermal 8 px beside RGB", shifted(8)),
        Condition("thermal-shift-16", "thermal 16 px beside RGB", shifted(16)),
        Condition("rgb-dark", "RGB at night", dark),
        Condition("rgb-haze", "RGB in drifting smoke", hazed),
        Condition("thermal-faded", "thermal with 12 % contrast", faded),
    )
}  # fmt: skip


def _with_rgb(pair: FramePair, change: Callable[[Image], Image]) -> FramePair:
    return pair if pair.rgb is None else pair._replace(rgb=change(pair.rgb))


def _with_thermal(pair: FramePair, change: Callable[[Image], Image]) -> FramePair:
    return pair if pair.thermal is None else pair._replace(thermal=change(pair.thermal))


def _cloud(
    clouds: NDArray[np.float32], moved: NDArray[np.float64], width: int, height: int
) -> NDArray[np.float32]:
    """(height, width) 0 .. 1: a periodic field, moved by a share of the image, at a coarse scale
    first and enlarged: smoke has no sharp edges."""
    rows, columns = clouds.shape
    y = np.float32(np.linspace(0, rows / 2, 32) + moved[1] * rows)
    x = np.float32(np.linspace(0, columns / 2, 32) + moved[0] * columns)
    grid_x, grid_y = np.meshgrid(x % columns, y % rows)
    padded = cv2.copyMakeBorder(clouds, 0, 2, 0, 2, cv2.BORDER_WRAP)
    coarse = cv2.remap(padded, grid_x, grid_y, cv2.INTER_LINEAR)
    return np.asarray(
        cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    )
