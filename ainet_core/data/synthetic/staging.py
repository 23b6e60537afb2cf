"""What happens in a staged scene: one thing at a time, as hard as asked, the same at every seed.

A random world says how trackers do on the whole; a staged one says at which size, motion or share
outside the image they stop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_RANGES = (("side", 1.0, np.inf), ("cover", 0.0, 1.0), ("light", 0.0, np.inf),
           ("noise", 0.0, np.inf), ("exposure", 0.0, 1.0))  # fmt: skip


@dataclass(frozen=True)
class Staging:
    """What target, camera and look-alike do in each of N frames; `stage` makes one.

    Attributes:
        middle: (N, 2) x, y of the middle of the target's box in pixels of the image.
        side: (N,) sqrt(w * h) of its box in pixels, where it is upright.
        tilt: (N,) clockwise about that middle, rad.
        outside: (N,) share of the upright box's width that is beyond the image's right border,
            negative: so much room is left to it; in place of x of `middle` where it is not nan.
        camera: (N, 2) how far the scene behind the target has moved in the image, pixels. Both
            cameras blur with it.
        cover: (N,) share of the target's width behind a screen that comes from its left.
        twin: (N, 2) middle of a thing that looks the same, behind the target; nan: there is none.
        light: (N,) factor on the RGB image.
        noise: deviation of the thermal image, Kelvin.
        aspect: w / h that the target is stretched to; nan: its own.
        exposure: share of the time between two frames that the cameras look.

    Raises:
        ValueError: fewer than two frames, another length than N, or a value that cannot be.
    """

    middle: Floats
    side: Floats
    tilt: Floats
    outside: Floats
    camera: Floats
    cover: Floats
    twin: Floats
    light: Floats
    noise: float
    aspect: float
    exposure: float

    def __post_init__(self) -> None:
        if len(self) < 2:
            raise ValueError(f"frames must be >= 2, got {len(self)}")
        for name, low, high in _RANGES:
            values = np.asarray(getattr(self, name))
            if not ((values >= low) & (values <= high)).all():
                raise ValueError(
                    f"{name} must be {low:g} .. {high:g}, got {values.min():g} .. {values.max():g}"
                )

    def __len__(self) -> int:
        return len(self.side)


def stage(
    frames: int,
    middle: ArrayLike,
    side: ArrayLike,
    *,
    tilt: ArrayLike = 0.0,
    outside: ArrayLike = np.nan,
    camera: ArrayLike = (0.0, 0.0),
    cover: ArrayLike = 0.0,
    twin: ArrayLike = (np.nan, np.nan),
    light: ArrayLike = 1.0,
    noise: float = 0.1,
    aspect: float = np.nan,
    exposure: float = 0.5,
) -> Staging:
    """A `Staging` of so many frames; what is the same in all of them may be given once."""

    def each(name: str, values: ArrayLike, *shape: int) -> Floats:
        try:
            return np.broadcast_to(np.asarray(values, np.float64), (frames, *shape))
        except ValueError:
            raise ValueError(
                f"{name} must fit {(frames, *shape)}, got {np.shape(values)}"
            ) from None

    return Staging(
        each("middle", middle, 2), each("side", side), each("tilt", tilt),
        each("outside", outside), each("camera", camera, 2), each("cover", cover),
        each("twin", twin, 2), each("light", light), noise, aspect, exposure,
    )  # fmt: skip


def circle(frames: int, around: tuple[float, float], radius: float, step: float) -> Floats:
    """(frames, 2) points on a circle, each exactly `step` pixels from the one before.

    Raises:
        ValueError: a step longer than the circle is wide.
    """
    if step > 2 * radius:
        raise ValueError(f"step must be at most {2 * radius:g} pixels, got {step:g}")
    turn = 2 * np.arcsin(step / (2 * radius)) * np.arange(frames)
    return np.asarray(around) + radius * np.column_stack([np.cos(turn), np.sin(turn)])


def back_and_forth(frames: int, reach: float, step: float) -> Floats:
    """(frames,) from 0 to about `reach` and back again and so on, by exactly `step` each frame."""
    if step == 0:
        return np.zeros(frames)
    there = max(1, round(reach / step))
    return step * (there - np.abs(np.arange(frames) % (2 * there) - there))


def ramp(frames: int, begin: int, end: int, low: float, high: float) -> Floats:
    """(frames,) `low` up to frame `begin`, `high` from frame `end` on, straight in between."""
    return np.interp(np.arange(frames), (begin, end), (low, high))
