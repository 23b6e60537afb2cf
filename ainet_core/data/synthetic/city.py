"""The demo's world: a town square where people cross, smoke drifts, and walls grow warm.

Fourteen seconds with a plot. One person is the target. Others cross before and behind, a planter
hides the legs, smoke blinds the RGB camera while the target turns round, and later the sun
heats everything to skin temperature, which blinds the thermal camera while a double walks by.
Neither camera alone sees the target all the way; one of them always does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ainet_core.data.synthetic.camera import Camera, upright_plane
from ainet_core.data.synthetic.ground import WideView, paint_ground, shade_ground
from ainet_core.data.synthetic.plants import lamp_post, tree
from ainet_core.data.synthetic.sprites import Canvas, Sprite
from ainet_core.data.synthetic.street import Painter, paint_street
from ainet_core.data.synthetic.textures import Rng
from ainet_core.data.synthetic.vehicles import vehicle

FAR, NEAR = 25.0, 5.0
"""Depth of the houses, and of the nearest ground that can be seen, in metres."""
LEFT, WIDTH, SKY = -30.0, 62.0, 17.0


@dataclass(frozen=True)
class Prop:
    """Something that stands still."""

    sprite: Sprite
    x: float
    z: float
    contact: bool = False  # rests on the ground with its whole width


class Backdrop:
    """Houses and ground, painted once, warped into every frame."""

    def __init__(self, rng: Rng, camera: Camera, props: list[Prop]) -> None:
        scale = max(0.4, camera.focal / 600) * 28
        street = paint_street(rng, WIDTH, SKY, scale)
        self._street = np.clip(street.rgb, 0, 255).astype(np.uint8)
        self._street_heat = street.heat
        step = 1 / scale
        self._to_plane = np.array(
            [[step, 0, LEFT + step / 2], [0, -step, SKY - step / 2], [0, 0, 1]]
        )
        ground = paint_ground(rng, WIDTH, NEAR, FAR, 1.6 * scale)
        for prop in props:
            _bake_shadow(ground, prop)
        height, width = camera.size
        wide = replace(
            camera,
            position=(0.0, camera.position[1], 0.0),
            yaw=0.0,
            roll=0.0,
            size=(height + height // 6, int(3.4 * width)),
        )
        self._ground = WideView(ground, wide, LEFT, NEAR)

    def draw(self, canvas: Canvas, camera: Camera) -> None:
        """Fill the canvas."""
        height, width = camera.size
        foot = max(camera.project(camera.position[0] + side, 0, FAR)[1] for side in (-14, 14))
        rows = int(np.clip(foot + 8, 1, height))
        matrix = upright_plane(camera, FAR) @ self._to_plane
        cv2.warpPerspective(
            self._street, matrix, (width, rows), dst=canvas.rgb[:rows],
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        cv2.warpPerspective(
            self._street_heat, matrix, (width, rows), dst=canvas.heat[:rows],
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        top = max(0, rows - 24)
        matrix = self._ground.warp(camera)
        matrix = np.array([[1, 0, 0], [0, 1, -top], [0, 0, 1]]) @ matrix
        for image, view in ((canvas.rgb, self._ground.rgb), (canvas.heat, self._ground.heat)):
            cv2.warpPerspective(
                view, matrix, (width, height - top), dst=image[top:],
                flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT,
            )  # fmt: skip


def _bake_shadow(ground: Painter, prop: Prop) -> None:
    """The prop's picture laid on the ground, away from the sun at the upper left behind us."""
    scale = ground.scale
    x, z = (prop.x - LEFT) * scale, ground.heat.shape[0] - (prop.z - NEAR) * scale
    matrix = np.array([[scale, -0.75 * scale, x], [0, 0.42 * scale, z]])
    placed = prop.sprite.place(matrix, ground.heat.shape)
    if placed is None:
        return
    rows, columns, rgba, _ = placed
    mask = np.zeros(ground.heat.shape, np.float32)
    mask[rows, columns] = rgba[:, :, 3] / np.float32(255)
    left, _, right, _ = prop.sprite.extent
    centre, axes = (round(x), round(z)), (round((right - left) / 2 * scale), round(0.3 * scale))
    if prop.contact:
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1)
    shade_ground(ground, cv2.GaussianBlur(mask, (0, 0), 0.05 * scale), 0.42)


def make_props(rng: Rng, zoom: float) -> list[Prop]:
    """Trees along the road, a lamp, planters, parked vehicles."""
    props = []
    for x in (-21.0, -12.5, -4.2, 4.8, 13.5, 22.0):
        sprite = tree(rng, rng.uniform(5.2, 6.4), rng.uniform(3.2, 4.0), 2.3, 50 * zoom)
        props.append(Prop(sprite, x + rng.uniform(-0.5, 0.5), 13.0))
    for x in (-8.5, 1.5, 8.8):
        props.append(Prop(lamp_post(4.6, 50 * zoom), x, 12.6))
    props.append(Prop(lamp_post(4.2, 66 * zoom), 5.9, 9.6))
    for x, z in ((1.1, 9.5), (9.4, 9.4), (-9.0, 11.5)):
        props.append(Prop(tree(rng, 1.05, 2.1, 0.0, 66 * zoom), x, z, contact=True))
    for paint, van, x, warm in (
        ((214, 215, 214), True, 7.2, 0.3),
        ((58, 92, 146), False, -9.6, 0.1),
        ((122, 126, 120), False, 16.5, 0.7),
    ):
        sprite = vehicle(rng, van, paint, 42 * zoom, warm, to_left=van)
        props.append(Prop(sprite, x, 14.6, contact=True))
    return props
