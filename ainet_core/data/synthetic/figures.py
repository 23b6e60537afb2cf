"""Bodies made of round cones, shaded and depth-sorted, seen from any side.

A body is a list of `Cone`s in metres: u to the right, v up, w towards the viewer. It is drawn with
a depth buffer, so arms pass before and behind the trunk as they should, lit by one sun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.sprites import Sprite

SUN = np.array([-0.55, 0.62, 0.56])
"""Direction towards the sun (u, v, w), in the viewer's frame."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """What a part is made of.

    Attributes:
        colour: RGB 0..255.
        heat: surface temperature in degrees C.
        stripe: width of stripes across the part in metres, 0 for none.
        second: the stripes' colour.
        second_heat: added to the temperature under the stripes.
    """

    colour: tuple[float, float, float]
    heat: float
    stripe: float = 0.0
    second: tuple[float, float, float] = (230.0, 230.0, 225.0)
    second_heat: float = 0.0


class Cone(NamedTuple):
    """A round cone: a ball of radius `ra` at `a` swept to a ball of radius `rb` at `b`."""

    a: Vector  # (3,)
    b: Vector  # (3,)
    ra: float
    rb: float
    material: Material


Point = tuple[float, float, float]


class Assembly:
    """Collects a body's parts, given along its own axes: forward, left, up.

    The body is turned by its heading (0 walks to the right, pi/2 away from the viewer) and scaled.
    """

    def __init__(self, heading: float, size: float = 1.0) -> None:
        """`heading` in rad; `size` multiplies every length."""
        self._cos, self._sin = float(np.cos(heading)), float(np.sin(heading))
        self._size = size
        self.parts: list[Cone] = []

    def add(self, a: Point, b: Point, ra: float, rb: float, material: Material) -> None:
        """Add a round cone from `a` to `b` (forward, left, up) with its radii."""
        size = self._size
        self.parts.append(Cone(self._place(a), self._place(b), ra * size, rb * size, material))

    def _place(self, point: Point) -> Vector:
        forward, left, up = point
        cos, sin = self._cos, self._sin
        turned = (forward * cos - left * sin, up, -forward * sin - left * cos)
        return self._size * np.array(turned)


def draw_figure(cones: list[Cone], scale: float, weave: NDArray[Any]) -> Sprite:
    """Render a body standing on v = 0.

    Args:
        cones: the body's parts.
        scale: pixels per metre.
        weave: (n, n) periodic noise 0..1 for folds and fur.
    """
    ends = np.array([[cone.a, cone.b] for cone in cones])  # (K, 2, 3)
    reach = np.array([[cone.ra, cone.rb] for cone in cones])[:, :, None]
    low, high = (ends - reach).min(axis=(0, 1)), (ends + reach).max(axis=(0, 1))
    anchor = (-low[0] * scale + 2.0, high[1] * scale + 2.0)
    width, height = int((high[0] - low[0]) * scale) + 5, int((high[1] - low[1]) * scale) + 5
    layers = _Layers(height, width)
    for cone in cones:
        _draw_cone(layers, cone, anchor, scale, weave)
    return Sprite(layers.rgb, layers.alpha, layers.heat, anchor, scale)


class _Layers:
    def __init__(self, height: int, width: int) -> None:
        self.rgb = np.zeros((height, width, 3), np.float32)
        self.alpha = np.zeros((height, width), np.float32)
        self.heat = np.zeros((height, width), np.float32)
        self.depth = np.full((height, width), -1e9, np.float32)


def _draw_cone(
    layers: _Layers,
    cone: Cone,
    anchor: tuple[float, float],
    scale: float,
    weave: NDArray[Any],
) -> None:
    height, width = layers.alpha.shape
    ax, ay = anchor[0] + cone.a[0] * scale, anchor[1] - cone.a[1] * scale
    bx, by = anchor[0] + cone.b[0] * scale, anchor[1] - cone.b[1] * scale
    ra, rb = cone.ra * scale, cone.rb * scale
    x0, x1 = int(max(min(ax - ra, bx - rb) - 1, 0)), int(min(max(ax + ra, bx + rb) + 2, width))
    y0, y1 = int(max(min(ay - ra, by - rb) - 1, 0)), int(min(max(ay + ra, by + rb) + 2, height))
    if x1 <= x0 or y1 <= y0:
        return
    xs = np.arange(x0, x1, dtype=np.float32)[None, :]
    ys = np.arange(y0, y1, dtype=np.float32)[:, None]
    dx, dy = bx - ax, by - ay
    along = ((xs - ax) * dx + (ys - ay) * dy) / max(dx * dx + dy * dy, 1e-6)
    along = np.clip(along, 0, 1)
    nx, ny = xs - (ax + along * dx), ys - (ay + along * dy)
    radius = ra + along * (rb - ra)
    distance = np.sqrt(nx * nx + ny * ny)
    cover = np.clip(radius - distance + 0.5, 0, 1)
    nz = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
    depth = (cone.a[2] + along * (cone.b[2] - cone.a[2])) * scale + radius * nz
    window = np.s_[y0:y1, x0:x1]
    front = (cover > 0.02) & (depth > layers.depth[window])

    size = weave.shape[0]
    iy = (np.arange(y0, y1) * 2 + int(cone.ra * 7919)) % size
    ix = (np.arange(x0, x1) * 2 + int(cone.rb * 104729)) % size
    folds = weave[iy[:, None], ix[None, :]] - 0.5
    lambert = np.clip((nx * SUN[0] - ny * SUN[1]) / radius + nz * SUN[2] + 0.25 * folds, 0, 1)
    shade = 0.42 + 0.72 * lambert - 0.1 * ny / radius
    material = cone.material
    tone = np.array(material.colour, np.float32)
    warmth = np.float32(material.heat)
    # Less heat reaches the eye from surfaces seen at a flat angle; folds hold air.
    heat = warmth - 1.6 * (1 - nz) + 0.9 * folds
    rgb = shade[:, :, None] * tone
    if material.stripe > 0:
        length = float(np.linalg.norm(cone.b - cone.a))
        striped = ((along * length / material.stripe) % 2) >= 1
        rgb[striped] = shade[striped][:, None] * np.array(material.second, np.float32)
        heat = heat + np.where(striped, np.float32(material.second_heat), 0)

    old = layers.alpha[window]
    layers.rgb[window] = np.where(
        front[:, :, None], _over(layers.rgb[window], rgb, cover, old), layers.rgb[window]
    )
    layers.heat[window] = np.where(
        front, _over(layers.heat[window], heat, cover, old), layers.heat[window]
    )
    layers.alpha[window] = np.maximum(old, cover)
    layers.depth[window] = np.where(front & (cover > 0.5), depth, layers.depth[window])


def _over(
    below: NDArray[Any],
    above: NDArray[Any],
    cover: NDArray[Any],
    old: NDArray[Any],
) -> NDArray[Any]:
    """Colour of an edge pixel: the new part's, as far as something lies below it at all."""
    share = np.where(old > 0.02, cover, 1)
    if above.ndim == 3:
        share = share[:, :, None]
    mixed: NDArray[Any] = below + (above - below) * share
    return mixed


def shadow_blob(scale: float) -> Sprite:
    """The soft dark patch under something that stands on the ground, 1 m wide."""
    size = int(scale)
    ys, xs = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    alpha = np.exp(-3.0 * (xs**2 + ys**2)).astype(np.float32)
    alpha = cv2.GaussianBlur(alpha, (0, 0), scale / 20)
    black = np.zeros((size, size, 3), np.float32)
    return Sprite(black, alpha, np.zeros((size, size), np.float32), (size / 2, size / 2), scale)
