"""Backgrounds to train on: quick to paint, of many kinds, for both cameras."""

from __future__ import annotations

import cv2
import numpy as np

from ainet_core.data.synthetic.plants import tree
from ainet_core.data.synthetic.sprites import Canvas, paste, upright
from ainet_core.data.synthetic.street import AIR, paint_street
from ainet_core.data.synthetic.textures import Array, Rng, colour, fractal_noise, grain, masonry

Size = tuple[int, int]


def random_background(rng: Rng, size: Size, flying: bool) -> Canvas:
    """Something of (height, width); the sky is likelier behind what flies."""
    kinds = (sky, meadow, pavement, houses, landscape, clutter)
    weights = np.array([6, 1, 1, 1, 4, 2] if flying else [0.5, 3, 3, 4, 4, 2], float)
    canvas = kinds[rng.choice(len(kinds), p=weights / weights.sum())](rng, size)
    # Between cold and hot places, with much or little contrast.
    middle = float(np.median(canvas.heat))
    contrast, level = rng.uniform(0.4, 1.6), AIR + rng.uniform(-14, 9)
    canvas.heat = ((canvas.heat - middle) * contrast + level).astype(np.float32)
    return canvas


def sky(rng: Rng, size: Size) -> Canvas:
    """Blue, grey or evening sky with more or fewer clouds."""
    height, width = size
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    high = colour(rng, (195, 230), (0.05, 0.6), (0.35, 0.85))
    low = colour(rng, (0, 360), (0.0, 0.25), (0.6, 0.95))
    clouds = fractal_noise(rng, size, rng.uniform(0.2, 0.7) * height, 6, 0.55)
    cover = np.clip(clouds * rng.uniform(0.3, 1.5) + rng.uniform(-0.4, 0.6), 0, 1)[:, :, None]
    light = colour(rng, (20, 60), (0, 0.1), (0.7, 1.0))
    rgb: Array = high + (low - high) * fall
    rgb = rgb + (light - rgb) * cover * rng.uniform(0.2, 0.95)
    heat = -6 + 9 * cover[:, :, 0] + 6 * fall[:, :, 0]
    return _canvas(rgb, heat)


def meadow(rng: Rng, size: Size) -> Canvas:
    """Grass, soil or sand with patches."""
    base = colour(rng, (25, 120), (0.15, 0.6), (0.25, 0.7))
    other = colour(rng, (20, 110), (0.1, 0.5), (0.3, 0.8))
    patches = fractal_noise(rng, size, size[0] / rng.uniform(1.5, 5), 5, 0.6)
    blades = fractal_noise(rng, size, rng.uniform(4, 14), 3, 0.8)
    share = np.clip(0.5 + 0.9 * patches, 0, 1)[:, :, None]
    texture = 1 + 0.22 * blades + grain(rng, size, 0.05)
    rgb = (base + (other - base) * share) * texture[:, :, None]
    heat = AIR + 2.5 * patches + 0.8 * blades + rng.uniform(-1, 5) * share[:, :, 0]
    return _canvas(rgb, heat)


def pavement(rng: Rng, size: Size) -> Canvas:
    """Slabs, cobbles, brick or asphalt with lines, seen at an angle."""
    stone = rng.uniform(8, 50)
    shape = (stone, stone * rng.uniform(1, 2.5))
    joint, variety, level = rng.uniform((0, 0.02, 0.5), (2.5, 0.15, 0.95)).tolist()
    texture = masonry(rng, size, shape, joint, variety, level)
    stains = fractal_noise(rng, size, size[0] / 3, 6)
    texture = texture * (1 + 0.12 * stains + grain(rng, size, 0.04))
    rgb = texture[:, :, None] * colour(rng, (0, 60), (0, 0.45), (0.3, 0.8))
    heat = AIR + 4 + 3 * (texture - 1) + 1.2 * stains
    for _ in range(rng.integers(0, 5)):
        a, b = rng.uniform(0, 1, (2, 2)) * (size[1], size[0])
        start, end = np.rint(a).astype(int).tolist(), np.rint(b).astype(int).tolist()
        thick = int(rng.integers(2, 12))
        paint = colour(rng, (40, 60), (0, 0.5), (0.7, 1)).tolist()
        cv2.line(rgb, start, end, paint, thick, cv2.LINE_AA)
        cv2.line(heat, start, end, AIR + rng.uniform(0, 5), thick)
    return _canvas(*_tilt(rng, rgb, heat))


def houses(rng: Rng, size: Size) -> Canvas:
    """A piece of a street's houses."""
    metres = rng.uniform(9, 16)
    scale = size[0] / metres
    street = paint_street(rng, size[1] / scale, metres, scale)
    shape = (size[1], size[0])
    return _canvas(cv2.resize(street.rgb, shape), cv2.resize(street.heat, shape))


def landscape(rng: Rng, size: Size) -> Canvas:
    """Hills under the sky, a field before them, trees."""
    canvas = sky(rng, size)
    height, width = size
    ground = meadow(rng, size)
    horizon = rng.uniform(0.25, 0.6) * height
    rows = np.arange(height)[:, None]
    haze = colour(rng, (190, 230), (0.05, 0.3), (0.5, 0.8))
    layers = 3
    for layer in range(layers):
        line = fractal_noise(rng, (1, width), width / rng.uniform(1.5, 4), 5)
        edge = horizon + (layer - layers) * 0.06 * height + line * (0.1 - 0.03 * layer) * height
        below = rows > edge
        near = (layer + 1) / (layers + 1)
        tone = haze + near * (ground.rgb.astype(np.float32) * 0.7 - haze)
        canvas.rgb[below] = np.clip(tone, 0, 255).astype(np.uint8)[below]
        canvas.heat[below] = (AIR - 2 + near * (ground.heat - AIR))[below]
    below = np.broadcast_to(rows > horizon, size)
    canvas.rgb[below], canvas.heat[below] = ground.rgb[below], ground.heat[below]
    plant = tree(rng, 5.0, rng.uniform(2.5, 4.0), rng.uniform(0, 2), 16)
    for near in np.sort(rng.uniform(0.05, 0.7, rng.integers(2, 9))).tolist():
        foot = (rng.uniform(0, width), horizon + near * (height - horizon))
        paste(canvas, plant, upright(foot, (4 + 30 * near) * height / 400))
    return canvas


def clutter(rng: Rng, size: Size) -> Canvas:
    """Shapes over shapes, each with its own texture, colour and temperature."""
    height, width = size
    noise = fractal_noise(rng, size, rng.uniform(10, 80), 5, 0.6)
    rgb = colour(rng, saturation=(0, 0.4)) * (1 + 0.25 * noise)[:, :, None]
    heat = AIR + 2 * noise
    for _ in range(rng.integers(8, 45)):
        reach = np.exp(rng.uniform(np.log(6), np.log(0.5 * height)))
        spot = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        corners = rng.integers(3, 9)
        turn = np.sort(rng.uniform(0, 2 * np.pi, corners)) + rng.uniform(0, 6)
        radius = reach * rng.uniform(0.4, 1, corners)
        shape = spot + np.column_stack([radius * np.cos(turn), radius * np.sin(turn)])
        points = np.rint(shape).astype(np.int32)
        x0, y0 = np.maximum(points.min(axis=0), 0)
        x1, y1 = points.max(axis=0) + 1
        window = np.s_[y0 : min(y1, height), x0 : min(x1, width)]
        part = heat[window]
        if 0 in part.shape:
            continue
        mask = np.zeros(part.shape, np.uint8)
        cv2.fillPoly(mask, [points - (x0, y0)], 1)
        inside = mask > 0
        texture = _pattern(rng, part.shape)
        tones = colour(rng, saturation=(0, 0.7), value=(0.1, 1)) * texture[:, :, None]
        rgb[window][inside] = tones[inside]
        part[inside] = (AIR + rng.normal(0, 5) + rng.uniform(0, 4) * (texture - 1))[inside]
    return _canvas(rgb, heat)


def _pattern(rng: Rng, shape: Size) -> Array:
    """Factors near 1: noise, stripes or stones."""
    kind = rng.integers(4)
    if kind == 0:
        return 1 + 0.25 * fractal_noise(rng, shape, rng.uniform(4, 40), 4)
    if kind == 1:
        ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]]
        angle, wave = rng.uniform(0, np.pi), rng.uniform(4, 24)
        stripes = np.sin((xs * np.cos(angle) + ys * np.sin(angle)) * 2 * np.pi / wave)
        return (1 + rng.uniform(0.1, 0.4) * np.sign(stripes)).astype(np.float32)
    if kind == 2:
        return masonry(rng, shape, (rng.uniform(5, 20), rng.uniform(5, 40)), rng.uniform(0, 2))
    slope = np.linspace(0.75, 1.25, shape[1], dtype=np.float32)[None, :]
    return np.repeat(slope, shape[0], axis=0)


def _tilt(rng: Rng, rgb: Array, heat: Array) -> tuple[Array, Array]:
    """See a flat picture in perspective."""
    height, width = heat.shape
    squeeze = rng.uniform(0, 0.35) * width
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    source = corners.copy()
    source[2:, 0] += np.array([-squeeze, squeeze], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners)
    border = cv2.BORDER_REFLECT
    return (
        cv2.warpPerspective(rgb, matrix, (width, height), borderMode=border),
        cv2.warpPerspective(heat, matrix, (width, height), borderMode=border),
    )


def _canvas(rgb: Array, heat: Array) -> Canvas:
    return Canvas(np.clip(rgb, 0, 255).astype(np.uint8), heat.astype(np.float32))
