"""How a random target, its likes and the camera move, in pixels of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.textures import Array, Rng

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """Where something is in every frame.

    Attributes:
        foot: (N, 2) pixel x, y on which it stands.
        scale: (N,) pixels per metre.
        phase: (N,) of its gait, rad.
        heading: (N,) rad; 0 to the right, pi/2 away.
    """

    foot: Floats
    scale: Floats
    phase: Floats
    heading: Floats


def wander(rng: Rng, frames: int, calm: float, columns: int = 1) -> Floats:
    """(frames, columns) smooth random course of deviation 1; `calm`: frames it stays alike."""
    reach = max(3, int(calm))
    noise = rng.standard_normal((frames + 4 * reach, columns))
    kernel = np.hanning(2 * reach + 1)
    kernel /= np.sqrt((kernel**2).sum())
    course = [np.convolve(column, kernel, "same") for column in noise.T]
    return np.column_stack(course)[2 * reach : 2 * reach + frames]


def main_track(
    rng: Rng, frames: int, size: tuple[int, int], pixels: float, metres: float, middle: float
) -> Track:
    """The target's: `pixels` large on average and `metres` in fact, with its middle so high."""
    scale = pixels / metres * np.exp(rng.uniform(0, 0.25) * wander(rng, frames, 30)[:, 0])
    room = np.array([size[1], size[0]]) / 2
    speed = rng.uniform(0.005, 0.06) * pixels + 0.3
    course = np.cumsum(wander(rng, frames, rng.uniform(8, 40), 2) * speed * (1.0, 0.5), axis=0)
    start = room * (1 + rng.uniform(-0.6, 0.6, 2))
    centre = _fold(course + start, np.array([size[1], size[0]]), 0.35 * pixels)
    foot = centre + np.column_stack([np.zeros(frames), scale * middle])
    return _with_gait(rng, foot, scale)


def crossing_track(rng: Rng, main: Track, moment: int, metres: float) -> Track:
    """Another one's: it passes the main one at frame `moment`."""
    frames = len(main.scale)
    pixels = float(main.scale[moment] * metres)
    speed = rng.uniform(0.01, 0.07) * pixels + 0.4
    angle = rng.choice([0.0, np.pi]) + rng.normal(0, 0.4)
    step = speed * np.array([np.cos(angle), 0.4 * np.sin(angle)])
    miss = rng.normal(0, (0.3, 0.12), 2) * pixels
    foot = main.foot[moment] + miss + (np.arange(frames) - moment)[:, None] * step
    foot = foot + 0.05 * pixels * wander(rng, frames, 20, 2)
    scale = np.full(frames, main.scale[moment] * rng.uniform(0.85, 1.15))
    return _with_gait(rng, foot, scale)


def view_matrices(rng: Rng, frames: int, canvas: tuple[int, int], size: tuple[int, int]) -> Array:
    """(frames, 2, 3) from pixels of a larger background canvas to those of the image."""
    zoom = np.exp(rng.uniform(0, 0.12) * wander(rng, frames, 40)[:, 0])
    turn = rng.uniform(0, 0.08) * wander(rng, frames, 30)[:, 0]
    room = np.array([canvas[1] - size[1], canvas[0] - size[0]]) / 2
    drift = np.cumsum(wander(rng, frames, 30, 2), axis=0) * rng.uniform(0, 1.5)
    shake = wander(rng, frames, 3, 2) * rng.choice([0.0, 0.6, 1.8])
    middle = np.array([canvas[1], canvas[0]]) / 2 + 0.7 * room * np.tanh(drift / room) + shake
    cos, sin = zoom * np.cos(turn), zoom * np.sin(turn)
    matrices = np.empty((frames, 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = cos, -sin
    matrices[:, 1, 0], matrices[:, 1, 1] = sin, cos
    centre = np.array([size[1], size[0]]) / 2
    matrices[:, :, 2] = centre - np.einsum("nij,nj->ni", matrices[:, :, :2], middle)
    return matrices


def _with_gait(rng: Rng, foot: Floats, scale: Floats) -> Track:
    step = np.gradient(foot, axis=0)
    calm = np.hanning(31) / np.hanning(31).sum()
    pace = np.column_stack([np.convolve(axis, calm, "same") for axis in step.T])
    heading = np.arctan2(-2.0 * pace[:, 1], pace[:, 0] + 1e-9)
    moved = np.cumsum(np.hypot(step[:, 0], step[:, 1]) / scale)
    phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * moved / 1.5 + 0.05 * np.arange(len(scale))
    return Track(foot, scale, phase, heading)


def _fold(course: Floats, size: NDArray[np.int_], margin: float) -> Floats:
    """Reflect a course at the image's borders, so that it stays inside."""
    room = np.maximum(size - 2 * margin, 1.0)
    folded = np.mod(course - margin, 2 * room)
    return margin + np.minimum(folded, 2 * room - folded)
