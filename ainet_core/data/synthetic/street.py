"""A row of houses: walls, windows, doors and shops, painted for both cameras at once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.synthetic.textures import (
    Array,
    Rng,
    colour,
    fractal_noise,
    grain,
    masonry,
    periodic_noise,
)

AIR = 16.0
"""Temperature of the air in degrees C; walls, plants and ground start from it."""

_WALLS = (
    (176, 112, 88),  # brick
    (150, 92, 74),
    (214, 196, 164),  # plaster
    (196, 178, 150),
    (188, 190, 186),
    (206, 168, 128),
    (168, 176, 178),
)


class Painter:
    """A picture in both spectra that is painted in metres, y upwards from its lower edge."""

    def __init__(self, width: float, height: float, scale: float) -> None:
        """`width`, `height` in metres, `scale` in pixels per metre."""
        shape = (round(height * scale), round(width * scale))
        self.rgb: Array = np.zeros((*shape, 3), np.float32)
        self.heat: Array = np.full(shape, AIR, np.float32)
        self.scale = scale

    def window(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        """Rows and columns of a rectangle in metres, cut to the picture."""
        height, width = self.heat.shape
        rows = (height - round(y1 * self.scale), height - round(y0 * self.scale))
        columns = (round(x0 * self.scale), round(x1 * self.scale))
        return (
            slice(*np.clip(rows, 0, height).tolist()),
            slice(*np.clip(columns, 0, width).tolist()),
        )

    def fill(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        rgb: NDArray[np.floating] | tuple[float, float, float],
        heat: float | Array,
        texture: Array | None = None,
    ) -> None:
        """Paint a rectangle; `texture` multiplies the colour."""
        part = self.window(x0, y0, x1, y1)
        tone = np.asarray(rgb, np.float32)
        if texture is not None:
            shape = self.heat[part].shape
            tone = texture[: shape[0], : shape[1], None] * tone
        self.rgb[part] = tone
        self.heat[part] = heat

    def shade(self, x0: float, y0: float, x1: float, y1: float, factor: float) -> None:
        """Multiply the brightness of a rectangle."""
        self.rgb[self.window(x0, y0, x1, y1)] *= factor


def paint_street(rng: Rng, width: float, height: float, scale: float) -> Painter:
    """Sky and a row of houses, `width` x `height` metres; drawn twice as fine, then averaged."""
    fine = Painter(width, height, 2 * scale)
    _paint_sky(fine, rng)
    _paint_skyline(fine, rng, width)
    x = -2.0
    while x < width:
        house = rng.uniform(6.5, 11.0)
        if rng.random() < 0.88:
            _paint_house(fine, rng, x, x + house, int(rng.integers(2, 5)))
        else:
            _paint_garden(fine, rng, x, x + house)
        x += house
    _paint_foot(fine, rng)
    street = Painter(width, height, scale)
    size = (street.heat.shape[1], street.heat.shape[0])
    street.rgb = cv2.resize(fine.rgb, size, interpolation=cv2.INTER_AREA)
    street.heat = cv2.resize(fine.heat, size, interpolation=cv2.INTER_AREA)
    return street


def _paint_sky(street: Painter, rng: Rng) -> None:
    height, width = street.heat.shape
    rise = np.linspace(1, 0, height, dtype=np.float32)[:, None, None]
    low, high = np.array([222, 226, 226], np.float32), np.array([112, 156, 206], np.float32)
    sky = low + (high - low) * rise**0.7
    clouds = periodic_noise(rng, 512, 1.6, 0.3)[: 512 * height // width]
    clouds = cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip(2.6 * (clouds - 0.45), 0, 1)[:, :, None]
    street.rgb[:] = sky + (np.array([248, 247, 244], np.float32) - sky) * 0.85 * cover
    street.heat[:] = -4.0 + 8.0 * cover[:, :, 0] + 4.0 * (1 - rise[:, :, 0])


def _paint_skyline(street: Painter, rng: Rng, width: float) -> None:
    """Far houses, pale in the haze."""
    x = 0.0
    while x < width:
        step, top = rng.uniform(1.5, 4), rng.uniform(4.5, 8.5)
        tone = np.array([168, 180, 190]) + rng.normal(0, 6, 3)
        street.fill(x, 0, x + step, top, tone, AIR - 1 + rng.normal(0, 0.4))
        for _ in range(int(step * top)):
            wx, wy = x + rng.uniform(0.2, step - 0.3), rng.uniform(3, top - 0.3)
            street.shade(wx, wy, wx + 0.22, wy + 0.3, 0.88)
        x += step


def _paint_garden(street: Painter, rng: Rng, x0: float, x1: float) -> None:
    """A gap between houses: a hedge behind a brick wall."""
    rows, columns = street.window(x0, 0, x1, 4.2)
    height, width = street.heat[rows, columns].shape
    if not height or not width:
        return
    leaves = fractal_noise(rng, (height, width), 0.9 * street.scale, 5, 0.75)
    top = 0.25 * height * (1 + 0.6 * fractal_noise(rng, (1, width), 1.2 * street.scale, 4))
    inside = np.arange(height)[:, None] > top
    tone = np.array([74, 104, 50], np.float32) * (0.85 + 0.5 * leaves)[:, :, None]
    street.rgb[rows, columns][inside] = np.clip(tone, 10, 255)[inside]
    street.heat[rows, columns][inside] = (AIR - 0.8 + 0.5 * leaves)[inside]
    _paint_wall(street, rng, (x0, 0.0, x1, 1.7), np.array([158.0, 98, 78]), AIR + 1.5)
    street.fill(x0, 1.7, x1, 1.85, (188, 180, 168), AIR + 1)


def _paint_house(street: Painter, rng: Rng, x0: float, x1: float, floors: int) -> None:
    storey = rng.uniform(2.9, 3.3)
    ground = rng.uniform(3.4, 3.9)
    top = ground + (floors - 1) * storey
    wall = np.array(_WALLS[rng.integers(len(_WALLS))]) * rng.uniform(0.85, 1.08)
    warmth = AIR + rng.uniform(0.5, 3.0)
    _paint_wall(street, rng, (x0, 0.0, x1, top), wall, warmth)
    _paint_roof(street, rng, x0, x1, top, wall)
    _paint_ground_floor(street, rng, x0, x1, ground)
    columns = max(2, round((x1 - x0) / rng.uniform(1.9, 2.6)))
    pitch = (x1 - x0) / columns
    size = (rng.uniform(0.9, 1.25), rng.uniform(1.4, 1.8))
    frame = colour(rng, saturation=(0, 0.12), value=(0.75, 0.97))
    for floor in range(floors - 1):
        base = ground + floor * storey + 0.75
        for column in range(columns):
            middle = x0 + (column + 0.5) * pitch
            _paint_window(street, rng, middle, base, size, frame, wall)
    for pipe in (x0 + 0.12, x1 - 0.16):
        street.fill(pipe, 0, pipe + 0.09, top, wall * 0.62, AIR)
        street.fill(pipe, 0, pipe + 0.03, top, wall * 0.8, AIR)


def _paint_wall(
    street: Painter,
    rng: Rng,
    area: tuple[float, float, float, float],
    wall: NDArray[np.floating],
    warmth: float,
) -> None:
    part = street.window(*area)
    shape = street.heat[part].shape
    if 0 in shape:
        return
    scale = street.scale
    stains = fractal_noise(rng, shape, 2.5 * scale, 5)
    streaks = cv2.resize(fractal_noise(rng, (8, shape[1]), 0.25 * scale, 3), (shape[1], shape[0]))
    texture = 1 + 0.07 * stains + 0.05 * streaks + grain(rng, shape, 0.02)
    if wall[0] > 1.35 * wall[2]:  # red walls are of brick
        texture = texture * masonry(rng, shape, (0.11 * scale, 0.32 * scale), 1.2, 0.09, 0.86)
    rows = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    texture = texture * (1.04 - 0.16 * rows)
    heat = warmth + 0.7 * stains + 0.4 * streaks - 0.8 * (1 - rows)
    street.fill(*area, wall, heat.astype(np.float32), texture.astype(np.float32))


def _paint_roof(
    street: Painter, rng: Rng, x0: float, x1: float, top: float, wall: NDArray[np.floating]
) -> None:
    if rng.random() < 0.6:  # a pitched roof with tiles
        rise = rng.uniform(1.0, 1.8)
        area = (x0 - 0.1, top, x1 + 0.1, top + rise)
        shape = street.heat[street.window(*area)].shape
        if 0 not in shape:
            tiles = masonry(rng, shape, (0.22 * street.scale, 0.2 * street.scale), 1.5, 0.1, 0.7)
            tone = np.array([142, 78, 60]) * rng.uniform(0.75, 1.1)
            street.fill(*area, tone, AIR - 2.5, tiles)
    if rng.random() < 0.7:
        chimney = rng.uniform(x0 + 0.6, x1 - 1.2)
        street.fill(chimney, top + 0.3, chimney + 0.6, top + 2.4, wall * 0.7, AIR + 6)
        street.fill(chimney - 0.05, top + 2.3, chimney + 0.65, top + 2.45, wall * 0.5, AIR + 8)
    street.fill(x0 - 0.05, top - 0.12, x1 + 0.05, top + 0.14, np.minimum(wall * 1.15, 240), AIR)
    street.shade(x0, top - 0.34, x1, top - 0.12, 0.72)


def _paint_window(
    street: Painter,
    rng: Rng,
    middle: float,
    base: float,
    size: tuple[float, float],
    frame: Array,
    wall: NDArray[np.floating],
) -> None:
    half, height = size[0] / 2, size[1]
    x0, x1, y1 = middle - half, middle + half, base + height
    leak = AIR + rng.uniform(1.5, 5.0)  # warm rooms show around their windows
    street.fill(x0 - 0.12, base - 0.1, x1 + 0.12, y1 + 0.14, np.minimum(wall * 1.12, 240), leak)
    street.shade(x0 - 0.12, base - 0.22, x1 + 0.16, base - 0.1, 0.7)
    street.fill(x0, base, x1, y1, frame, leak - 1)
    for pane in ((x0 + 0.06, middle - 0.03), (middle + 0.03, x1 - 0.06)):
        _paint_glass(street, rng, pane[0], base + 0.07, pane[1], y1 - 0.07)
    street.shade(x0, y1 - 0.1, x1, y1, 0.6)
    street.fill(x0 - 0.16, base - 0.12, x1 + 0.16, base - 0.02, np.minimum(wall * 1.3, 245), leak)


def _paint_glass(street: Painter, rng: Rng, x0: float, y0: float, x1: float, y1: float) -> None:
    part = street.window(x0, y0, x1, y1)
    rows, columns = street.heat[part].shape
    if not rows or not columns:
        return
    fall = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    slope = np.linspace(0, 0.35, columns, dtype=np.float32)[None, :]
    mirror = np.clip(1.1 - 1.3 * (fall + slope) + rng.uniform(-0.2, 0.2), 0, 1)[:, :, None]
    glass = np.array([44, 52, 58], np.float32) * (1 - mirror) + mirror * np.array(
        [128, 152, 176], np.float32
    )
    if rng.random() < 0.45:  # curtains
        share = int(columns * rng.uniform(0.25, 0.6))
        tone = colour(rng, saturation=(0, 0.3), value=(0.5, 0.85))
        waves = 0.8 + 0.12 * np.sin(np.arange(share) * rng.uniform(0.9, 1.6))
        side = slice(0, share) if rng.random() < 0.5 else slice(columns - share, columns)
        glass[:, side] = 0.35 * glass[:, side] + 0.55 * waves[None, :, None] * tone
    street.rgb[part] = glass
    street.heat[part] = AIR - 5.0 + 2.0 * fall + rng.uniform(-1, 2)  # glass mirrors the cold sky


def _paint_ground_floor(street: Painter, rng: Rng, x0: float, x1: float, ground: float) -> None:
    x = x0 + 0.5
    while x < x1 - 2.0:
        if rng.random() < 0.6 and x1 - x > 3.4:
            _paint_shop(street, rng, x, x + 2.8, ground)
            x += 3.2
        else:
            _paint_door(street, rng, x + 0.2)
            x += 1.9
    street.fill(x0, ground - 0.12, x1, ground + 0.05, (196, 190, 180), AIR + 0.5)
    street.shade(x0, ground - 0.24, x1, ground - 0.12, 0.75)


def _paint_shop(street: Painter, rng: Rng, x0: float, x1: float, ground: float) -> None:
    body = colour(rng, saturation=(0.15, 0.6), value=(0.2, 0.5))
    street.fill(x0 - 0.15, 0, x1 + 0.15, ground - 0.3, body, AIR + 1)
    _paint_glass(street, rng, x0, 0.6, (x0 + x1) / 2 - 0.05, 2.5)
    _paint_glass(street, rng, (x0 + x1) / 2 + 0.05, 0.6, x1, 2.5)
    for _ in range(9):  # goods in the window
        gx, gy = rng.uniform(x0, x1 - 0.3), rng.choice([0.62, 1.2, 1.75])
        w, h = rng.uniform(0.12, 0.3), rng.uniform(0.15, 0.4)
        street.fill(gx, gy, gx + w, gy + h, colour(rng, value=(0.3, 0.75)), AIR + 1.5)
    street.fill(x0, 2.75, x1, 3.05, np.minimum(body * 1.7 + 30, 240), AIR + 1.2)
    for letter in np.arange(x0 + 0.5, x1 - 0.5, 0.2).tolist():
        if rng.random() < 0.85:
            street.fill(letter, 2.82, letter + 0.12, 2.98, (240, 236, 222), AIR + 1.4)
    tone = colour(rng, hue=(0, 360), saturation=(0.5, 0.8), value=(0.5, 0.8))
    for number, strip in enumerate(np.arange(x0 - 0.1, x1 + 0.05, 0.25).tolist()):
        paint = tone if number % 2 else np.array([236, 230, 218])
        street.fill(strip, 2.3, strip + 0.25, 2.72, paint, AIR + 2.5)
        street.shade(strip, 2.3, strip + 0.25, 2.36, 0.8)
    street.shade(x0, 1.9, x1, 2.3, 0.66)


def _paint_door(street: Painter, rng: Rng, x0: float) -> None:
    tone = colour(rng, saturation=(0.2, 0.7), value=(0.2, 0.55))
    street.fill(x0 - 0.12, 0, x0 + 1.12, 2.45, (190, 184, 174), AIR + 2)
    street.fill(x0, 0, x0 + 1.0, 2.3, tone, AIR + 3.2)
    for y in (0.25, 0.95, 1.6):
        street.fill(x0 + 0.12, y, x0 + 0.46, y + 0.5, tone * 0.78, AIR + 2.6)
        street.fill(x0 + 0.54, y, x0 + 0.88, y + 0.5, tone * 0.78, AIR + 2.6)
    street.shade(x0, 2.15, x0 + 1.0, 2.3, 0.6)
    street.fill(x0 + 0.86, 1.05, x0 + 0.93, 1.13, (214, 190, 120), AIR + 3)


def _paint_foot(street: Painter, rng: Rng) -> None:
    """Walls are dirty and dim where they meet the ground, and damp, so cooler."""
    part = street.window(0, 0, street.heat.shape[1] / street.scale, 0.7)
    rows = street.heat[part].shape[0]
    fade = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    street.rgb[part] *= (1 - 0.38 * fade**2)[:, :, None]
    street.heat[part] -= 1.5 * fade
