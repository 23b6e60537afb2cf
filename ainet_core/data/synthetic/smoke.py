"""Drifting smoke: opaque to the eye, nearly clear to a thermal camera.

Two seamless noise fields are carried by the wind at different speeds; one bends the other, which
makes the billows curl. Computed at a quarter of the resolution: smoke is soft, and must keep up.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ainet_core.data.synthetic.camera import Camera
from ainet_core.data.synthetic.sprites import Canvas
from ainet_core.data.synthetic.street import AIR
from ainet_core.data.synthetic.textures import Array, Rng, periodic_noise

_TILE = 512
_COARSE = 4
_METRE = 44.0  # noise pixels per metre: a tile is 11.6 m wide


@dataclass(frozen=True)
class Puff:
    """One cloud of smoke at one moment, in the plane Z = z.

    Attributes:
        x, z: where it comes from, metres.
        reach: how far it has spread downwind, metres.
        height: how high it stands, metres.
        density: 0 none .. 1 nothing can be seen through it.
        age: seconds since it began; moves the billows.
    """

    x: float
    z: float
    reach: float
    height: float
    density: float
    age: float


class Smoke:
    """Noise fields from which any puff is drawn."""

    def __init__(self, rng: Rng, size: tuple[int, int]) -> None:
        """`size`: (height, width) of the frames."""
        self._billows = periodic_noise(rng, _TILE, 2.0, 0.3)
        self._curls = periodic_noise(rng, _TILE, 1.7, 0.16)
        self._bend = periodic_noise(rng, _TILE, 2.6, 0.4) - np.float32(0.5)
        self._size = size
        rows, columns = -(-size[0] // _COARSE), -(-size[1] // _COARSE)
        ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
        self._xs = xs * _COARSE + np.float32(_COARSE / 2)
        self._ys = ys * _COARSE + np.float32(_COARSE / 2)

    def draw(self, canvas: Canvas, camera: Camera, puff: Puff) -> None:
        """Lay the puff over what the canvas shows so far."""
        if puff.density <= 0.01:
            return
        x0, y0, scale = camera.project(puff.x, 0.0, puff.z)
        x = (self._xs - x0) / np.float32(scale)  # metres downwind of the source
        y = (y0 - self._ys) / np.float32(scale)  # metres above the ground
        billow = self._noise(x, y, puff.age)
        body = self._body(x, y, puff) + np.float32(1.5) * (billow - np.float32(0.5))
        body = np.clip(body, 0, None)
        alpha = 1 - cv2.exp(-np.float32(3.2 * puff.density) * body)
        alpha *= np.float32(min(1.0, 1.15 * puff.density))
        # Lit from the upper left: bright where the field falls off towards the sun.
        relief = billow - cv2.warpAffine(
            billow,
            np.array([[1, 0, 2.5], [0, 1, 2.5]]),
            (billow.shape[1], billow.shape[0]),
            borderMode=cv2.BORDER_REPLICATE,
        )
        light = 190 - 165 * relief + 44 * (billow - 0.5) + 5 * np.clip(y, 0, 6)
        veil(canvas, alpha, np.clip(light, 90, 244))

    def _noise(self, x: Array, y: Array, age: float) -> Array:
        def look(tile: Array, u: Array, v: Array) -> Array:
            # The tile repeats; remap's own wrapping needs coordinates near the tile.
            return cv2.remap(
                tile,
                np.mod(u, _TILE),
                np.mod(v, _TILE),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_WRAP,
            )

        u, v = x * np.float32(_METRE), y * np.float32(-_METRE)
        bend = look(self._bend, u * 0.7 - 20 * age, v * 0.7 + 14 * age) * np.float32(110)
        billow = look(self._billows, u - 52 * age + bend, v + 18 * age - bend)
        curls = look(self._curls, 1.6 * u - 105 * age - bend, 1.6 * v + 50 * age + bend)
        return np.float32(0.68) * billow + np.float32(0.32) * curls

    @staticmethod
    def _body(x: Array, y: Array, puff: Puff) -> Array:
        """Where the smoke is, without its billows: 1 inside, falling to -1 outside."""
        ahead = np.where(x > 0, x / np.float32(puff.reach), -x / np.float32(0.45 * puff.reach))
        up = np.clip(y, 0, None) / np.float32(puff.height)
        away = np.sqrt(ahead * ahead + up * up)
        return np.clip(np.float32(2.2) * (1 - away), -1, 1).astype(np.float32)


def veil(canvas: Canvas, alpha: Array, light: Array) -> None:
    """Cover the canvas; opacity 0..1 and brightness 0..255 come in any smaller size."""
    size = (canvas.heat.shape[1], canvas.heat.shape[0])
    cover = cv2.resize(cv2.convertScaleAbs(alpha, alpha=255), size, interpolation=cv2.INTER_CUBIC)
    glow = cv2.resize(cv2.convertScaleAbs(light * alpha), size, interpolation=cv2.INTER_CUBIC)
    through = cv2.cvtColor(cv2.bitwise_not(cover), cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(canvas.rgb, through, scale=1 / 255)
    canvas.rgb[:] = cv2.add(behind, cv2.cvtColor(glow, cv2.COLOR_GRAY2RGB))
    # Long waves pass: a tenth of the contrast is lost.
    loss = cover * np.float32(0.12 / 255)
    canvas.heat += loss * (np.float32(AIR + 3) - canvas.heat)
