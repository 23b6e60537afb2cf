"""Cars and vans from the side: bodies, windows, wheels, and where they are warm."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.sprites import Sprite
from ainet_core.data.synthetic.street import AIR
from ainet_core.data.synthetic.textures import Rng

Outline = list[tuple[float, float]]

# Outlines in metres, x from the rear bumper, y above the ground; the car drives to the right.
_VAN: Outline = [
    (0.05, 0.45), (0.0, 1.0), (0.03, 2.15), (0.15, 2.32), (3.55, 2.32), (3.8, 2.22), (4.45, 1.35),
    (5.05, 1.12), (5.2, 0.95), (5.22, 0.45),
]  # fmt: skip
_VAN_GLASS: list[Outline] = [[(3.3, 1.35), (3.3, 2.08), (3.72, 2.08), (4.22, 1.35)]]
_CAR: Outline = [
    (0.05, 0.42), (0.0, 0.75), (0.08, 0.98), (0.35, 1.03), (0.95, 1.42), (1.35, 1.5), (2.35, 1.5),
    (2.7, 1.42), (3.25, 1.02), (4.05, 0.92), (4.3, 0.78), (4.35, 0.42),
]  # fmt: skip
_CAR_GLASS: list[Outline] = [
    [(0.78, 1.04), (1.08, 1.36), (1.72, 1.4), (1.72, 1.04)],
    [(1.82, 1.04), (1.82, 1.4), (2.3, 1.4), (2.62, 1.32), (2.95, 1.04)],
]


def vehicle(
    rng: Rng,
    van: bool,
    paint: NDArray[np.floating] | tuple[float, float, float],
    scale: float,
    warm: float,
    to_left: bool = False,
) -> Sprite:
    """A van or a car; `warm` 0..1: how recently it was driven (bonnet, wheels, exhaust)."""
    outline, glass = (_VAN, _VAN_GLASS) if van else (_CAR, _CAR_GLASS)
    wheels = (1.05, 4.3) if van else (0.85, 3.5)
    draw = _Drawing(outline, scale)
    draw.body(np.asarray(paint, np.float32), AIR + 2.0)
    _warm_bonnet(draw, outline, warm)
    for pane in glass:
        draw.glass(pane)
    _draw_details(draw, rng, van, np.asarray(paint, np.float32))
    for x in wheels:
        draw.wheel(x, 0.36 if van else 0.33, AIR + 2 + 9 * warm)
    return draw.sprite(to_left)


def _warm_bonnet(draw: _Drawing, outline: Outline, warm: float) -> None:
    front, height = outline[-1][0], draw.heat.shape[0]
    ys, xs = np.mgrid[0:height, 0 : draw.heat.shape[1]].astype(np.float32)
    x, y = draw.pixel(front - 0.55, 0.75)
    spread = 0.55 * draw.scale
    glow = np.exp(-(((xs - x) / spread) ** 2 + ((ys - y) / (0.6 * spread)) ** 2))
    draw.heat += 11 * warm * glow
    x, y = draw.pixel(0.15, 0.3)
    glow = np.exp(-(((xs - x) / 10) ** 2 + ((ys - y) / 6) ** 2))
    draw.heat += 14 * warm * glow


def _draw_details(draw: _Drawing, rng: Rng, van: bool, paint: NDArray[Any]) -> None:
    dark, front = tuple((paint * 0.55).tolist()), draw.length
    doors = (3.2, 2.2, 1.1) if van else (0.78, 1.77, 2.95)
    for x in doors:
        draw.line((x, 0.5), (x, 2.1 if van else 1.03), dark)
    draw.line((0.1, 0.62), (front - 0.1, 0.62), dark)
    if van:
        stripe = tuple(rng.uniform(40, 220, 3).tolist())
        draw.patch([(0.3, 1.1), (0.3, 1.3), (2.9, 1.3), (2.9, 1.1)], stripe)
        draw.patch([(0.5, 1.45), (0.5, 1.85), (1.6, 1.85), (1.6, 1.45)], stripe)
    for x in (doors[0] - 0.25, doors[1] - 0.25):
        draw.patch([(x, 0.93), (x, 0.98), (x + 0.16, 0.98), (x + 0.16, 0.93)], dark)
    light = 0.85 if van else 0.72
    draw.patch(
        [
            (front - 0.32, light),
            (front - 0.3, light + 0.15),
            (front - 0.08, light + 0.1),
            (front - 0.04, light),
        ],
        (242, 238, 220),
    )
    draw.patch(
        [(0.03, light + 0.05), (0.03, light + 0.25), (0.14, light + 0.25), (0.14, light + 0.05)],
        (178, 30, 28),
    )
    draw.patch([(0.02, 0.4), (0.02, 0.56), (front, 0.56), (front, 0.4)], (54, 54, 56))


class _Drawing:
    """A vehicle in the making, drawn three times as fine as it is delivered."""

    fine = 3

    def __init__(self, outline: Outline, scale: float) -> None:
        self.outline, self.scale = outline, scale * self.fine
        self.length = max(x for x, _ in outline)
        top = max(y for _, y in outline)
        size = (int((top + 0.2) * self.scale), int((self.length + 0.3) * self.scale))
        size = (size[0] // 3 * 3, size[1] // 3 * 3)
        self.rgb = np.zeros((*size, 3), np.float32)
        self.alpha = np.zeros(size, np.float32)
        self.heat = np.full(size, AIR, np.float32)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        return (x + 0.15) * self.scale, self.alpha.shape[0] - (y + 0.05) * self.scale

    def body(self, paint: NDArray[Any], heat: float) -> None:
        points = self._points(self.outline)
        cv2.fillPoly(self.alpha, [points], 1.0)
        height = self.alpha.shape[0]
        rise = np.linspace(0, 1, height, dtype=np.float32)[::-1]  # 0 at the ground
        # A painted side mirrors the sky above its shoulder line and the street below.
        shine = 0.62 + 0.3 * rise + 0.25 * np.exp(-(((rise - 0.52) / 0.06) ** 2))
        shine = shine + 0.25 * np.clip((rise - 0.86) / 0.1, 0, 1)
        self.rgb[:] = np.minimum(shine[:, None, None] * paint, 250)
        self.heat[:] = heat + 2.5 * rise[:, None]

    def glass(self, outline: Outline) -> None:
        mask = np.zeros(self.alpha.shape, np.uint8)
        cv2.fillPoly(mask, [self._points(outline)], 1)
        ys, xs = np.nonzero(mask)
        slant = ((xs + ys) / self.scale * 2.2) % 2.4
        mirror = np.where(slant < 0.5, 0.62, 0.35)[:, None]
        self.rgb[ys, xs] = np.array([30, 38, 44]) * (1 - mirror) + mirror * np.array(
            [150, 176, 200]
        )
        self.heat[ys, xs] = AIR - 3.5

    def patch(self, outline: Outline, rgb: tuple[float, ...]) -> None:
        cv2.fillPoly(self.rgb, [self._points(outline)], rgb, cv2.LINE_AA)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], rgb: tuple[float, ...]
    ) -> None:
        a, b = self._points([start, end])
        cv2.line(
            self.rgb, tuple(a.tolist()), tuple(b.tolist()), rgb, max(1, self.fine - 1), cv2.LINE_AA
        )

    def wheel(self, x: float, radius: float, heat: float) -> None:
        cx, cy = self.pixel(x, radius)
        centre = (round(cx), round(cy))
        arch = round((radius + 0.08) * self.scale)
        cv2.ellipse(self.rgb, centre, (arch, arch), 0, 180, 360, (24, 24, 26), -1, cv2.LINE_AA)
        for share, rgb, warmth in (
            (1.0, (34, 34, 36), heat),
            (0.66, (120, 122, 126), heat + 2),
            (0.56, (70, 72, 76), heat + 2),
            (0.2, (150, 152, 156), heat + 3),
        ):
            reach = round(radius * share * self.scale)
            cv2.circle(self.rgb, centre, reach, rgb, -1, cv2.LINE_AA)
            cv2.circle(self.heat, centre, reach, warmth, -1)
            if share == 1.0:
                cv2.circle(self.alpha, centre, reach, 1.0, -1)
        for turn in np.arange(5) * 2 * np.pi / 5:
            spoke = 0.52 * radius * self.scale
            tip = (round(cx + spoke * np.cos(turn)), round(cy + spoke * np.sin(turn)))
            cv2.line(self.rgb, centre, tip, (160, 162, 166), round(0.06 * self.scale), cv2.LINE_AA)

    def sprite(self, to_left: bool) -> Sprite:
        size = (self.alpha.shape[1] // self.fine, self.alpha.shape[0] // self.fine)
        parts = [
            cv2.resize(x, size, interpolation=cv2.INTER_AREA)
            for x in (self.rgb, self.alpha, self.heat)
        ]
        if to_left:
            parts = [np.ascontiguousarray(part[:, ::-1]) for part in parts]
        rgb, alpha, heat = parts
        foot = (size[0] / 2 - 0.5, size[1] - 0.05 * self.scale / self.fine)
        return Sprite(rgb, alpha, heat, foot, self.scale / self.fine)

    def _points(self, outline: Outline) -> NDArray[np.int32]:
        return np.rint([self.pixel(*point) for point in outline]).astype(np.int32)
