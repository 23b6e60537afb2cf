"""Upright pictures with transparency and temperature, and how they are put into a frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
Heat = NDArray[Any]


@dataclass
class Canvas:
    """A frame in the making: `rgb` (H, W, 3) uint8 and `heat` (H, W) float32 in degrees C."""

    rgb: Pixels
    heat: Heat


class Sprite:
    """A picture that stands on its anchor, at its own scale, in halved sizes for the distance."""

    def __init__(
        self,
        rgb: NDArray[Any],
        alpha: NDArray[Any],
        heat: NDArray[Any],
        anchor: tuple[float, float],
        scale: float,
    ) -> None:
        """Take (h, w, 3) colours 0..255, (h, w) opacity 0..1 and degrees C, none premultiplied.

        `anchor` is the pixel (x, y) that stands on the ground point, `scale` in pixels per metre.
        """
        rgba = np.dstack([rgb * alpha[:, :, None], 255 * alpha])
        rgba = np.clip(np.rint(rgba), 0, 255).astype(np.uint8)
        self._levels: list[tuple[Pixels, Heat]] = [(rgba, (heat * alpha).astype(np.float32))]
        while min(rgba.shape[:2]) >= 16 and len(self._levels) < 6:
            half = (rgba.shape[1] // 2 * 2, rgba.shape[0] // 2 * 2)
            size = (half[0] // 2, half[1] // 2)
            last_rgba, last_heat = self._levels[-1]
            rgba = cv2.resize(last_rgba[: half[1], : half[0]], size, interpolation=cv2.INTER_AREA)
            cool = cv2.resize(last_heat[: half[1], : half[0]], size, interpolation=cv2.INTER_AREA)
            self._levels.append((rgba, cool))
        self.anchor = anchor
        self.scale = scale
        self.extent = _extent(alpha, anchor, scale)
        self.area = float(alpha.sum()) / scale**2  # square metres

    def box(self, foot: tuple[float, float], scale: float) -> NDArray[np.float64]:
        """x, y, w, h of what is opaque, in pixels, with the anchor at `foot`."""
        left, top, right, bottom = (edge * scale for edge in self.extent)
        return np.array([foot[0] + left, foot[1] + top, right - left, bottom - top])

    @cached_property
    def outline(self) -> NDArray[np.float64]:
        """(n, 2) right, down in metres from the anchor: the convex hull of what is opaque."""
        opaque = (self._levels[0][0][:, :, 3] > 127).astype(np.uint8)
        shapes, _ = cv2.findContours(opaque, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        pixels = np.concatenate(shapes)[:, 0].astype(np.float64)
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        points = (pixels[:, None] + corners).reshape(-1, 2).astype(np.float32)
        hull = cv2.convexHull(points)[:, 0].astype(np.float64)
        return np.asarray((hull - self.anchor) / self.scale)

    def place(
        self, matrix: NDArray[np.float64], size: tuple[int, int]
    ) -> tuple[slice, slice, Pixels, Heat] | None:
        """Warp by `matrix`, (2, 3), metres from the anchor (right, down) to pixels.

        Returns rows, columns, premultiplied RGBA and premultiplied heat of the part that lies
        in an image of (height, width); None if nothing does.
        """
        (a, b, c), (d, e, f) = matrix.tolist()
        pixel = abs(a * e - b * d) ** 0.5 / self.scale
        level = 0
        while pixel < 0.6 and level + 1 < len(self._levels):
            pixel, level = pixel * 2, level + 1
        rgba, heat = self._levels[level]
        height, width = rgba.shape[:2]
        shrink = 2.0**level
        # Pixel (i, j) of this level has its centre at ((j + .5) * shrink - .5) of level 0.
        step = shrink / self.scale
        left = ((shrink - 1) / 2 - self.anchor[0]) / self.scale
        top = ((shrink - 1) / 2 - self.anchor[1]) / self.scale
        a, b, c = a * step, b * step, a * left + b * top + c
        d, e, f = d * step, e * step, d * left + e * top + f
        xs = [a * x + b * y + c for x in (-1, width) for y in (-1, height)]
        ys = [d * x + e * y + f for x in (-1, width) for y in (-1, height)]
        x0, x1 = max(int(min(xs)), 0), min(int(max(xs)) + 2, size[1])
        y0, y1 = max(int(min(ys)), 0), min(int(max(ys)) + 2, size[0])
        if x1 <= x0 or y1 <= y0:
            return None
        forward = np.array([[a, b, c - x0], [d, e, f - y0]])
        shape = (x1 - x0, y1 - y0)
        return (
            slice(y0, y1),
            slice(x0, x1),
            cv2.warpAffine(rgba, forward, shape, flags=cv2.INTER_LINEAR),
            cv2.warpAffine(heat, forward, shape, flags=cv2.INTER_LINEAR),
        )


def upright(foot: tuple[float, float], scale: float, tilt: float = 0.0) -> NDArray[np.float64]:
    """Matrix for `Sprite.place`: standing at `foot`, `scale` pixels per metre, tilted in rad."""
    cos, sin = scale * np.cos(tilt), scale * np.sin(tilt)
    return np.array([[cos, -sin, foot[0]], [sin, cos, foot[1]]])


def paste(
    canvas: Canvas,
    sprite: Sprite,
    matrix: NDArray[np.float64],
    warming: tuple[float, float] = (1.0, 0.0),
) -> tuple[slice, slice, Pixels] | None:
    """Lay a sprite over the canvas; its temperature becomes warming[0] * heat + warming[1].

    Returns rows, columns and opacity (0..255) of the part of the canvas that it covers.
    """
    placed = sprite.place(matrix, canvas.rgb.shape[:2])
    if placed is None:
        return None
    rows, columns, rgba, heat = placed
    alpha = np.ascontiguousarray(rgba[:, :, 3])
    lit = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
    through = cv2.bitwise_not(alpha)
    behind = cv2.multiply(
        canvas.rgb[rows, columns], cv2.cvtColor(through, cv2.COLOR_GRAY2RGB), scale=1 / 255
    )
    canvas.rgb[rows, columns] = cv2.add(behind, lit)
    part = canvas.heat[rows, columns]
    part *= through * np.float32(1 / 255)
    part += np.float32(warming[0]) * heat + alpha * np.float32(warming[1] / 255)
    return rows, columns, alpha


def cast_shadow(
    canvas: Canvas, sprite: Sprite, matrix: NDArray[np.float64], strength: float
) -> None:
    """Darken the canvas where the sprite's shadow falls; `matrix` lays it on the ground."""
    placed = sprite.place(matrix, canvas.rgb.shape[:2])
    if placed is None:
        return
    rows, columns, rgba, _ = placed
    kept = cv2.convertScaleAbs(rgba[:, :, 3], alpha=-strength, beta=255)
    kept = cv2.blur(kept, (3, 3))
    canvas.rgb[rows, columns] = cv2.multiply(
        canvas.rgb[rows, columns], cv2.cvtColor(kept, cv2.COLOR_GRAY2RGB), scale=1 / 255
    )


def _extent(
    alpha: NDArray[Any], anchor: tuple[float, float], scale: float
) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the opaque part in metres from the anchor."""
    opaque = alpha > 0.5
    xs, ys = np.flatnonzero(opaque.any(axis=0)), np.flatnonzero(opaque.any(axis=1))
    if len(xs) == 0:
        raise ValueError("a sprite must have opaque pixels, got none")
    return (
        (xs[0] - 0.5 - anchor[0]) / scale,
        (ys[0] - 0.5 - anchor[1]) / scale,
        (xs[-1] + 0.5 - anchor[0]) / scale,
        (ys[-1] + 0.5 - anchor[1]) / scale,
    )
