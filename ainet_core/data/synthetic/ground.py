"""The street's ground: paving, kerb, asphalt with markings; painted for both cameras at once.

It is painted from above and then seen once, carefully averaged, by a very wide camera. A frame's
view differs little from that one, so it can be warped out of it quickly and without aliasing.
"""

from __future__ import annotations

import cv2
import numpy as np

from ainet_core.data.synthetic.camera import Camera, Matrix, ground_plane
from ainet_core.data.synthetic.street import AIR, Painter
from ainet_core.data.synthetic.textures import Array, Rng, fractal_noise, grain, masonry

KERB = 4.2
"""Depth in metres of the pavement before the houses."""
_FINE = 3  # the wide view is drawn so many times as high, then averaged


def paint_ground(rng: Rng, width: float, near: float, far: float, scale: float) -> Painter:
    """Ground of `width` metres from Z = near to far, seen from above; y of the painter is Z."""
    ground = Painter(width, far - near, scale)
    shape = ground.heat.shape
    stains = fractal_noise(rng, shape, 5 * scale, 6)
    spots = fractal_noise(rng, shape, 0.5 * scale, 4)
    road = far - near - KERB
    asphalt = 1 + 0.08 * stains + 0.05 * spots + grain(rng, shape, 0.05)
    ground.fill(0, 0, width, road, (118, 117, 116), AIR + 5.0, asphalt)
    _paint_lane(ground, rng, width, road)
    _paint_plaza(ground, rng, width, road - 7.2)
    slabs = masonry(rng, shape, (0.5 * scale, 0.75 * scale), 1.2, 0.06, 0.8)
    pavement = (slabs * (1 + 0.06 * stains + 0.04 * spots)).astype(np.float32)
    ground.fill(0, road, width, far - near, (178, 170, 158), AIR + 2.5, pavement)
    ground.fill(0, road - 0.18, width, road, (196, 192, 184), AIR + 1.5)
    ground.shade(0, road - 0.34, width, road - 0.18, 0.62)
    ground.heat += 0.9 * stains + 0.35 * spots
    return ground


def _paint_lane(ground: Painter, rng: Rng, width: float, road: float) -> None:
    """Two lanes: dashes between them, a zebra crossing, manholes, tar seams, oil."""
    white, cool = (214, 212, 204), AIR + 3.8
    for x in np.arange(0.0, width, 4.0).tolist():
        ground.fill(x, road - 3.7, x + 2.0, road - 3.58, white, cool)
    crossing = width * 0.56
    for z in np.arange(road - 6.9, road - 0.6, 0.95).tolist():
        ground.fill(crossing, z, crossing + 3.4, z + 0.5, white, cool)
    for _ in range(int(width / 3)):
        x, z = rng.uniform(0, width), rng.uniform(road - 6.5, road - 0.8)
        if rng.random() < 0.4:
            _paint_disc(ground, x, z, 0.36, (84, 82, 80), AIR + 8.0)
            _paint_disc(ground, x, z, 0.28, (104, 101, 97), AIR + 7.0)
        else:
            length = rng.uniform(1, 6)
            ground.shade(x, z, x + length, z + 0.07, 0.72)
    for _ in range(int(width)):
        x, z = rng.uniform(0, width), rng.uniform(0, road)
        _stain(ground, x, z, rng.uniform(0.3, 1.0), rng.uniform(0.8, 0.93))


def _paint_plaza(ground: Painter, rng: Rng, width: float, depth: float) -> None:
    """Cobbles between the viewer and the road, with bands of darker stone."""
    if depth <= 0:
        return
    scale = ground.scale
    part = ground.window(0, 0, width, depth)
    shape = ground.heat[part].shape
    cobbles = masonry(rng, shape, (0.3 * scale, 0.42 * scale), 1.6, 0.09, 0.72)
    worn = fractal_noise(rng, shape, 3 * scale, 5)
    texture = (cobbles * (1 + 0.07 * worn)).astype(np.float32)
    ground.fill(0, 0, width, depth, (164, 150, 132), AIR + 3.5, texture)
    for x in np.arange(1.0, width, 4.2).tolist():
        ground.shade(x, 0, x + 0.6, depth, 0.78)
    ground.shade(0, depth - 0.6, width, depth, 0.75)
    ground.fill(0, depth, width, depth + 0.16, (192, 188, 180), AIR + 1.8)


def _paint_disc(
    ground: Painter, x: float, z: float, radius: float, rgb: tuple[int, int, int], heat: float
) -> None:
    height = ground.heat.shape[0]
    centre = (round(x * ground.scale), height - round(z * ground.scale))
    cv2.circle(ground.rgb, centre, round(radius * ground.scale), rgb, -1, cv2.LINE_AA)
    cv2.circle(ground.heat, centre, round(radius * ground.scale), heat, -1)


def _stain(ground: Painter, x: float, z: float, radius: float, factor: float) -> None:
    rows, columns = ground.window(x - radius, z - radius, x + radius, z + radius)
    shape = ground.heat[rows, columns].shape
    if 0 in shape:
        return
    ys, xs = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    soft = np.exp(-4 * (xs**2 + ys**2)).astype(np.float32)
    ground.rgb[rows, columns] *= (1 - (1 - factor) * soft)[:, :, None]


def shade_ground(ground: Painter, footprint: Array, strength: float) -> None:
    """Darken and cool the ground by a shadow of 0..1 as large as the painter's picture."""
    ground.rgb *= (1 - strength * footprint)[:, :, None]
    ground.heat -= 3.0 * footprint


class WideView:
    """A plane as a fixed wide camera sees it, from which nearby cameras' views are warped."""

    def __init__(self, ground: Painter, camera: Camera, left: float, near: float) -> None:
        """`left`, `near`: world X and Z of the painter's lower left corner."""
        height, width = camera.size
        far = near + ground.heat.shape[0] / ground.scale
        top = int(np.ceil(camera.project(0.0, 0.0, far)[1])) + 1  # nothing but ground in the view
        shift = np.array([[1.0, 0, 0], [0, 1, -top], [0, 0, 1]])
        plane = shift @ ground_plane(camera)
        stretch = np.array([[1, 0, 0], [0, _FINE, (_FINE - 1) / 2], [0, 0, 1]])
        to_picture = stretch @ plane @ _to_world(ground, left, near)
        size = (width, (height - top) * _FINE)
        views = [
            cv2.resize(
                cv2.warpPerspective(image, to_picture, size, borderMode=cv2.BORDER_REPLICATE),
                (width, height - top),
                interpolation=cv2.INTER_AREA,
            )
            for image in (ground.rgb, ground.heat)
        ]
        self.rgb = np.clip(views[0], 0, 255).astype(np.uint8)
        self.heat = views[1].astype(np.float32)
        self._from_picture = np.linalg.inv(plane)

    def warp(self, camera: Camera) -> Matrix:
        """(3, 3) from this view's pixels to those of another camera."""
        matrix: Matrix = ground_plane(camera) @ self._from_picture
        return matrix


def _to_world(ground: Painter, left: float, near: float) -> Matrix:
    """(3, 3) from the painter's pixels to (X, Z, 1)."""
    step, height = 1 / ground.scale, ground.heat.shape[0]
    return np.array(
        [
            [step, 0, left + step / 2],
            [0, -step, near + (height - 0.5) * step],
            [0, 0, 1],
        ]
    )
