"""The demo's story: who walks where, when smoke blinds one camera and warmth the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ainet_core.data.synthetic.actors import Driver, Path, Walker
from ainet_core.data.synthetic.camera import Camera
from ainet_core.data.synthetic.figures import Material
from ainet_core.data.synthetic.people import Person, random_person
from ainet_core.data.synthetic.smoke import Puff
from ainet_core.data.synthetic.textures import Rng, colour, periodic_noise
from ainet_core.data.synthetic.vehicles import vehicle

EYE = 3.6
"""Height of the camera in metres."""

_TARGET = [
    (0.0, -5.2, 10.4), (2.0, -2.6, 10.6), (4.0, 0.1, 10.6), (5.3, 1.9, 10.9), (6.2, 3.1, 10.6),
    (6.9, 2.9, 9.7), (7.9, 1.7, 9.0), (8.7, 1.5, 8.8), (9.6, 2.5, 9.3), (11.0, 4.4, 10.2),
    (12.5, 6.4, 10.4), (14.0, 8.4, 10.6),
]  # fmt: skip
_OTHERS = [
    [(0.0, 0.6, 11.8), (4.0, -4.6, 11.6)],  # crosses behind the target
    [(0.6, 3.8, 12.6), (3.3, -0.4, 12.7), (6.6, -5.4, 12.5)],  # another one
    [(2.6, 7.4, 12.0), (5.9, 2.6, 12.2), (9.0, -2.2, 12.4)],  # two in the smoke, behind it
    [(4.4, -3.4, 11.9), (7.5, 2.2, 11.7), (10.0, 6.6, 12.0)],
    [(7.0, 9.8, 11.2), (10.6, 5.0, 11.6), (14.0, 0.4, 11.8)],  # a double in the warm light
    [(8.2, -1.4, 8.4), (10.6, 1.4, 8.6), (12.0, 4.4, 8.8), (14.0, 7.4, 9.0)],
    [(0.0, -12.0, 22.5), (14.0, 5.0, 22.4)],  # passers-by on the far pavement
    [(0.0, 9.0, 23.0), (14.0, -8.0, 23.2)],
    [(0.0, 3.0, 22.0), (14.0, 17.0, 22.3)],
    [(0.0, -2.0, 23.4), (14.0, -14.0, 23.3)],
]
_COATS = (24.6, 30.5, 24.8, 30.2)  # of the first four: thermal cameras tell them apart, just
_SMOKE = (4.2, 5.5, 7.5, 9.0)
_WARMTH = (8.6, 9.7, 12.0, 13.0)


class Warming(NamedTuple):
    """Gain and offset of the temperatures of the scene and of bodies, and the 8-bit span."""

    scene: tuple[float, float]
    bodies: tuple[float, float]
    span: tuple[float, float]


def swell(t: float, begin: float, full: float, fade: float, end: float) -> float:
    """0 before `begin`, 1 from `full` to `fade`, 0 after `end`, smooth between."""
    rise = np.clip((t - begin) / (full - begin), 0, 1)
    fall = np.clip((end - t) / (end - fade), 0, 1)
    both = min(rise, fall)
    return float(both * both * (3 - 2 * both))


class Plot:
    """Camera, smoke and warmth as functions of the frame's number."""

    def __init__(
        self, rng: Rng, target: Path, frames: int, rate: float, size: tuple[int, int]
    ) -> None:
        self._rate, self._size = rate, size
        calm = np.hanning(75)
        calm /= calm.sum()
        padded = np.pad(target.position[:, 0], 37, mode="edge")
        follow = np.convolve(padded, calm, "valid")
        self._x = 0.62 * follow + 0.3
        self._yaw = np.arctan2(0.72 * (follow - self._x), 12.0)
        self._waves = rng.uniform(0, 2 * np.pi, (4, 3))

    def camera(self, index: int) -> Camera:
        """A robot's camera that follows the target lazily and trembles a little."""
        t = index / self._rate
        tremble = np.sin(self._waves + t * np.array([1.9, 4.3, 9.7])) @ np.array([1.0, 0.5, 0.22])
        return Camera(
            position=(float(self._x[index]), EYE + 0.02 * float(tremble[0]), 0.0),
            yaw=float(self._yaw[index] + 0.0032 * tremble[1]),
            pitch=float(0.135 + 0.0026 * tremble[2]),
            roll=float(0.0022 * tremble[3]),
            focal=600 / 640 * self._size[1],
            size=self._size,
        )

    def puffs(self, index: int) -> list[Puff]:
        """The smoke, as a far and a near sheet, so that people walk inside it."""
        t = index / self._rate
        density = swell(t, *_SMOKE)
        age = t - _SMOKE[0]
        reach = 2.0 + 3.4 * max(age, 0.0)
        return [
            Puff(-1.5, 13.6, reach, 2.0 + 1.2 * max(age, 0.0), 0.75 * density, age),
            Puff(-1.0, 8.3, 0.85 * reach, 1.4 + 0.75 * max(age, 0.0), density, age + 40),
        ]

    def warming(self, index: int) -> Warming:
        """How far the sun has brought everything to the temperature of skin and clothes."""
        k = swell(index / self._rate, *_WARMTH)
        return Warming(
            scene=(1 - 0.62 * k, k * (28.4 - 0.38 * 19.5)),
            bodies=(1 - 0.72 * k, k * (28.6 - 0.28 * 28.0)),
            span=(8 + 13 * k, 37 - 1 * k),
        )


def make_cast(
    rng: Rng, frames: int, rate: float, zoom: float
) -> tuple[Walker, list[Walker | Driver]]:
    """The target, and everybody else."""
    weave = periodic_noise(rng, 256, 1.2, 0.12)
    target = Walker(_hero(rng), Path(_TARGET, frames, rate), 64 * zoom, weave)
    others: list[Walker | Driver] = []
    for number, waypoints in enumerate(_OTHERS):
        like = np.array([196.0, 118, 44], np.float32) if number == 4 else None
        warm = None if number >= len(_COATS) else _COATS[number]
        near = 64 if waypoints[0][2] < 15 else 32
        body = random_person(rng, like, warm)
        path = Path(waypoints, frames, rate)
        others.append(Walker(body, path, near * zoom, weave, rng.uniform(0, 1)))
    red, green = (168, 44, 38), colour(rng, (80, 200), (0.3, 0.6), (0.3, 0.6))
    to_right = Path([(0.0, -19.0, 16.0), (6.0, 20.0, 16.0)], frames, rate)
    to_left = Path([(6.5, 26.0, 18.6), (13.0, -16.0, 18.6)], frames, rate)
    others.append(Driver(vehicle(rng, False, red, 40 * zoom, 1.0), to_right))
    others.append(Driver(vehicle(rng, True, green, 36 * zoom, 1.0, to_left=True), to_left))
    return target, others


def _hero(rng: Rng) -> Person:
    """Ochre jacket, dark jeans, a teal pack: to be found again, yet not unlike the others."""
    jacket = Material((204, 122, 40), 28.0)
    jeans = Material((46, 58, 92), 28.4)
    return Person(
        height=1.78,
        jacket=jacket,
        sleeve=Material((204, 122, 40), 27.4),
        forearm=Material((204, 122, 40), 27.0),
        trousers=jeans,
        shins=jeans,
        pack=Material((30, 112, 116), 21.5),
        swing=0.48,
    )
