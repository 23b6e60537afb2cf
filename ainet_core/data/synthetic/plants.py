"""Trees and bushes: a branched trunk under clusters of leaves, lit from one side."""

from __future__ import annotations

import cv2
import numpy as np

from ainet_core.data.synthetic.sprites import Sprite
from ainet_core.data.synthetic.street import AIR
from ainet_core.data.synthetic.textures import Rng


def tree(rng: Rng, height: float, crown: float, trunk: float, scale: float) -> Sprite:
    """A tree of `height` metres with a crown `crown` metres wide that starts at `trunk` metres."""
    size = (int(height * scale) + 6, int(crown * 1.15 * scale) + 6)
    rgb = np.zeros((*size, 3), np.float32)
    alpha = np.zeros(size, np.float32)
    heat = np.full(size, AIR, np.float32)
    foot = (size[1] / 2, size[0] - 4.0)
    if trunk > 0:
        _draw_trunk(rng, rgb, alpha, heat, foot, (height, crown, trunk, scale))
    middle = foot[1] - (trunk + (height - trunk) / 2) * scale
    _draw_leaves(
        rng,
        rgb,
        alpha,
        heat,
        (foot[0], middle),
        (crown / 2 * scale, (height - trunk) / 2 * scale),
        scale,
    )
    return Sprite(rgb, alpha, heat, foot, scale)


def _draw_trunk(
    rng: Rng,
    rgb: np.ndarray,
    alpha: np.ndarray,
    heat: np.ndarray,
    foot: tuple[float, float],
    form: tuple[float, float, float, float],
) -> None:
    height, crown, trunk, scale = form
    top = (
        foot[0] + rng.uniform(-0.1, 0.1) * scale,
        foot[1] - (trunk + 0.35 * (height - trunk)) * scale,
    )
    limbs = [(foot, top, 0.16 * scale, 0.09 * scale)]
    for _ in range(5):
        share = rng.uniform(0.6, 1.0)
        start = (foot[0] + share * (top[0] - foot[0]), foot[1] + share * (top[1] - foot[1]))
        end = (
            start[0] + rng.uniform(-0.38, 0.38) * crown * scale,
            start[1] - rng.uniform(0.2, 0.5) * (height - trunk) * scale,
        )
        limbs.append((start, end, 0.07 * scale, 0.03 * scale))
    for (x0, y0), (x1, y1), r0, r1 in limbs:
        for t in np.linspace(0, 1, 40):
            x, y, r = x0 + t * (x1 - x0), y0 + t * (y1 - y0), r0 + t * (r1 - r0)
            bark = np.array([96, 78, 62]) * (0.9 + 0.15 * rng.random())
            centre = (round(x), round(y))
            cv2.circle(rgb, centre, max(1, round(r)), (bark * 0.7).tolist(), -1, cv2.LINE_AA)
            cv2.circle(alpha, centre, max(1, round(r)), 1.0, -1, cv2.LINE_AA)
            cv2.circle(heat, centre, max(1, round(r)), AIR + 1.5, -1)
            lit = (round(x - 0.35 * r), round(y))
            cv2.circle(rgb, lit, max(1, round(0.5 * r)), (bark * 1.15).tolist(), -1, cv2.LINE_AA)


def _draw_leaves(
    rng: Rng,
    rgb: np.ndarray,
    alpha: np.ndarray,
    heat: np.ndarray,
    centre: tuple[float, float],
    radii: tuple[float, float],
    scale: float,
) -> None:
    """Leaves from the dark inside of the crown to its bright outside."""
    clusters = max(12, int(26 * radii[0] / scale))
    tone = np.array([rng.uniform(70, 110), rng.uniform(112, 140), rng.uniform(40, 66)])
    turn = rng.uniform(0, 2 * np.pi, clusters)
    out = np.sqrt(rng.random(clusters)) * 0.8
    spots = np.column_stack([out * np.cos(turn), out * np.sin(turn)])
    order = np.argsort(-spots[:, 1] + rng.normal(0, 0.3, clusters))[::-1]
    leaf = max(1.6, 0.075 * scale)
    for spot in spots[order]:
        count = 70
        offsets = rng.normal(0, 0.16, (count, 2))
        offsets = offsets[np.argsort(offsets[:, 1] - 0.5 * offsets[:, 0])[::-1]]
        for offset in offsets:
            x, y = (
                centre[0] + (spot[0] + offset[0]) * radii[0],
                centre[1] + (spot[1] + offset[1]) * radii[1],
            )
            # The sun stands at the upper left: there the crown and each cluster are bright.
            light = 0.72 - 0.28 * spot[1] - 0.16 * spot[0] - 1.1 * offset[1] - 0.5 * offset[0]
            light = float(np.clip(light + rng.normal(0, 0.08), 0.28, 1.35))
            at, axes = (round(x * 4), round(y * 4)), (round(leaf * 4), round(leaf * 2.2))
            angle = float(rng.uniform(0, 180))
            colour = (tone * light + np.array([14, 10, 0]) * max(light - 1, 0) * 3).tolist()
            cv2.ellipse(rgb, at, axes, angle, 0, 360, colour, -1, cv2.LINE_AA, 2)
            cv2.ellipse(alpha, at, axes, angle, 0, 360, 1.0, -1, cv2.LINE_AA, 2)
            warmth = AIR - 0.6 + 1.4 * (light - 0.7)
            cv2.ellipse(heat, at, axes, angle, 0, 360, warmth, -1, cv2.LINE_8, 2)


def lamp_post(height: float, scale: float) -> Sprite:
    """A street lamp."""
    size = (int(height * scale) + 8, int(1.0 * scale))
    rgb, alpha = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    heat = np.full(size, AIR + 0.5, np.float32)
    foot = (size[1] / 2, size[0] - 4.0)
    x, y = foot
    half = 0.055 * scale
    for row in range(size[0] - int(height * scale), int(y)):
        wide = half * (1.6 if y - row < 0.8 * scale else 1.0)
        x0, x1 = int(round(x - wide)), int(round(x + wide))
        across = np.linspace(1.25, 0.5, x1 - x0)[:, None]
        rgb[row, x0:x1] = np.array([58, 66, 64]) * across
        alpha[row, x0:x1] = 1
    top = y - height * scale
    cv2.ellipse(
        rgb,
        (int(x), int(top + 0.2 * scale)),
        (int(0.3 * scale), int(0.16 * scale)),
        0,
        180,
        360,
        (48, 54, 52),
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(
        alpha,
        (int(x), int(top + 0.2 * scale)),
        (int(0.3 * scale), int(0.16 * scale)),
        0,
        180,
        360,
        1.0,
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(
        rgb,
        (int(x), int(top + 0.2 * scale)),
        (int(0.22 * scale), int(0.1 * scale)),
        0,
        0,
        180,
        (240, 232, 204),
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(
        alpha,
        (int(x), int(top + 0.2 * scale)),
        (int(0.22 * scale), int(0.1 * scale)),
        0,
        0,
        180,
        1.0,
        -1,
        cv2.LINE_AA,
    )
    return Sprite(rgb, alpha, heat, foot, scale)
