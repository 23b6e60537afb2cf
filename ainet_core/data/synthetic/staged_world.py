"""`StagedWorld`: a target of some kind before some background that does exactly as told."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.box import clip_box
from ainet_core.data.synthetic.backgrounds import random_background
from ainet_core.data.synthetic.looks import animals, drones, people, things, vehicles
from ainet_core.data.synthetic.sensors import ColourSensor, ThermalSensor
from ainet_core.data.synthetic.sprites import Canvas, Sprite, paste
from ainet_core.data.synthetic.staging import Staging
from ainet_core.data.synthetic.textures import Rng, masonry
from ainet_core.data.synthetic.world import WorldFrame, WorldView

KINDS = (people, vehicles, animals, drones, things)
"""Of the target, in the order of the seeds."""

WARMER = 8.0
"""Kelvin between the target and the background's median."""

_DRAWN = (32.0, 500.0)  # least and most pixels that pictures are drawn with, then scaled
_MARGIN = 0.2  # of the target's size by which the screen is larger


class StagedWorld(WorldView):
    """One staged scene. The target keeps its pose, so that nothing changes but what is asked."""

    rate = 30.0

    def __init__(self, seed: int, staging: Staging, size: tuple[int, int] = (384, 480)) -> None:
        """Paint background and target (about 0.2 s).

        Args:
            seed: decides what is seen; its remainder by 5 the target's kind.
            staging: decides what happens.
            size: (height, width) of both cameras' images.
        """
        if min(size) < 64:
            raise ValueError(f"size must be (height, width) >= 64, got {size}")
        rng = np.random.default_rng(seed)
        self.size, self.staging = size, staging
        kind = KINDS[seed % len(KINDS)]
        drawn = float(np.clip(2.0 * np.max(staging.side), *_DRAWN))
        self._sprite = kind(rng, drawn)().sprite(0.6, 0.3)
        self._own = np.ptp(self._sprite.outline, axis=0)  # width and height in metres
        canvas = (int(1.5 * size[0]), int(1.5 * size[1]))
        self._background = random_background(rng, canvas, kind is drones)
        self._around = float(np.median(self._background.heat))
        self._warming = (1.0, self._around + WARMER - _warmth(self._sprite))
        self._span = (self._around - 20.0, self._around + 25.0)
        self._screen = _screen(rng, size)
        self._colour = ColourSensor(rng, size)
        self._thermal = ThermalSensor(rng, size, staging.noise)
        self._canvas = Canvas(np.zeros((*size, 3), np.uint8), np.zeros(size, np.float32))

    def __len__(self) -> int:
        return len(self.staging)

    def box(self, index: int) -> NDArray[np.float64]:
        """The target's box in frame `index`, without rendering it."""
        whole = self.whole_box(index)
        height, width = self.size
        if (whole[:2] >= (width, height)).any() or (whole[:2] + whole[2:] <= 0).any():
            return np.zeros(4)
        return clip_box(whole, self.size)

    def whole_box(self, index: int) -> NDArray[np.float64]:
        """As `box`, not cut to the image."""
        matrix = self._matrix(self._checked(index), self._middle(index))
        points = self._sprite.outline @ matrix[:, :2].T + matrix[:, 2]
        low, high = points.min(axis=0), points.max(axis=0)
        return np.concatenate([low, high - low])

    def frame(self, index: int) -> WorldFrame:
        """Render frame 0 <= index < len; the same whenever it is asked for."""
        index = self._checked(index)
        canvas = self._canvas
        self._draw_background(canvas, index)
        twin = self.staging.twin[index]
        if np.isfinite(twin).all():
            paste(canvas, self._sprite, _centred(self._matrix(index, twin)), self._warming)
        visible = self._draw_target(canvas, index)
        self._blur(canvas, index)
        light = float(self.staging.light[index])
        canvas.rgb[:] = cv2.convertScaleAbs(canvas.rgb, alpha=light)
        thermal = self._thermal(canvas.heat, index, self._span)
        return WorldFrame(self._colour(canvas.rgb, index), thermal, self.box(index), visible)

    def _middle(self, index: int) -> NDArray[np.float64]:
        """Of the upright box, in pixels."""
        staging = self.staging
        middle, outside = staging.middle[index].copy(), staging.outside[index]
        if np.isfinite(outside):
            width = self._own[0] * self._scales(index)[0]
            middle[0] = self.size[1] - (0.5 - outside) * width
        return np.asarray(middle)

    def _scales(self, index: int) -> NDArray[np.float64]:
        """Pixels per metre to the right and down."""
        own = self._own
        aspect = own[0] / own[1] if np.isnan(self.staging.aspect) else self.staging.aspect
        side = float(self.staging.side[index])
        wanted = side * np.array([np.sqrt(aspect), 1 / np.sqrt(aspect)])
        return np.asarray(wanted / own)

    def _matrix(self, index: int, middle: NDArray[np.float64]) -> NDArray[np.float64]:
        """(2, 3) from metres off the anchor to pixels, the box's middle where it is wanted.

        Pixel i of the image is from i to i + 1, as the tracker's crops have it.
        """
        tilt = float(self.staging.tilt[index])
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        linear = turn * self._scales(index)
        points = self._sprite.outline @ linear.T
        now = (points.min(axis=0) + points.max(axis=0)) / 2
        return np.column_stack([linear, middle - now])

    def _draw_background(self, canvas: Canvas, index: int) -> None:
        moved = self.staging.camera[index]
        room = np.array(self._background.heat.shape[::-1]) - self.size[::-1]
        shift = np.column_stack([np.eye(2), moved - room / 2])
        for image, source in (
            (canvas.rgb, self._background.rgb),
            (canvas.heat, self._background.heat),
        ):
            cv2.warpAffine(
                source, shift, self.size[::-1], dst=image, borderMode=cv2.BORDER_REFLECT
            )

    def _draw_target(self, canvas: Canvas, index: int) -> float:
        """Target and screen; returns the visible share of the target."""
        matrix = self._matrix(index, self._middle(index))
        drawn = paste(canvas, self._sprite, _centred(matrix), self._warming)
        if drawn is None:
            return 0.0
        left = np.zeros(self.size, np.float32)
        left[drawn[0], drawn[1]] = drawn[2]
        cover = float(self.staging.cover[index])
        if cover > 0:
            x, y, w, h = self.whole_box(index)
            edge = x + (cover if cover < 1 else 1 + _MARGIN) * w
            rows = _pixels(y - _MARGIN * h, y + (1 + _MARGIN) * h, self.size[0])
            columns = _pixels(edge - (1 + 2 * _MARGIN) * w, edge, self.size[1])
            canvas.rgb[rows, columns] = self._screen[rows, columns]
            canvas.heat[rows, columns] = self._around
            left[rows, columns] = 0
        area = 255 * self._sprite.area * abs(np.linalg.det(matrix[:, :2]))
        return float(min(left.sum() / area, 1.0))

    def _blur(self, canvas: Canvas, index: int) -> None:
        """What the camera's motion smears while it looks."""
        camera = self.staging.camera
        step = camera[index] - camera[index - 1] if index else camera[1] - camera[0]
        length = self.staging.exposure * float(np.hypot(*step))
        if length < 1:
            return
        kernel = _line(step * self.staging.exposure)
        canvas.rgb[:] = cv2.filter2D(canvas.rgb, -1, kernel, borderType=cv2.BORDER_REFLECT)
        canvas.heat[:] = cv2.filter2D(canvas.heat, -1, kernel, borderType=cv2.BORDER_REFLECT)


def _centred(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for `paste`, where pixel i has its centre, not its edge, at i."""
    return matrix - np.array([[0, 0, 0.5], [0, 0, 0.5]])


def _warmth(sprite: Sprite) -> float:
    """Mean temperature of a picture, degrees C."""
    left, top, right, bottom = sprite.extent
    scale = sprite.scale
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    size = int((bottom - top) * scale) + 1, int((right - left) * scale) + 1
    placed = sprite.place(matrix, size)
    assert placed is not None
    _, _, rgba, heat = placed
    return float(heat.sum() / (rgba[:, :, 3].sum() / 255))


def _screen(rng: Rng, size: tuple[int, int]) -> NDArray[Any]:
    """(H, W, 3) brickwork; where the screen stands it shows a part of this."""
    bricks = masonry(rng, size, (9.0, 22.0), 1.5, 0.12, 0.7)
    return np.clip(bricks[:, :, None] * np.array([150.0, 110.0, 95.0]), 0, 255).astype(np.uint8)


def _pixels(start: float, stop: float, limit: int) -> slice:
    return slice(max(0, round(start)), max(0, min(limit, round(stop))))


def _line(step: NDArray[np.float64]) -> NDArray[np.float32]:
    """A blur along `step` pixels, its middle in the kernel's."""
    reach = int(np.ceil(np.abs(step).max() / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for part in np.linspace(-0.5, 0.5, 8 * reach + 1):
        x, y = np.rint(part * step).astype(int) + reach
        kernel[y, x] += 1
    return kernel / kernel.sum()
