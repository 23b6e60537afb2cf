"""What goes wrong with one camera for a while: haze, darkness, glare, crossover, noise, blur.

A mishap has a camera, a span of frames with soft ends and a strength. Two cameras are never nearly
blind together: a tracker cannot learn whom to trust from frames that nobody can see in.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ainet_core.data.synthetic.smoke import veil
from ainet_core.data.synthetic.sprites import Canvas
from ainet_core.data.synthetic.textures import Array, Rng, fractal_noise

RGB_KINDS = ("haze", "dark", "glare", "blur")
THERMAL_KINDS = ("crossover", "noise", "blur")


@dataclass(frozen=True)
class Mishap:
    """Kind, first frame, last frame and strength 0..1 at its height."""

    kind: str
    begin: int
    end: int
    strength: float

    def level(self, index: int) -> float:
        """Strength in frame `index`; it comes and goes within an eighth of its span."""
        soft = max((self.end - self.begin) / 8, 1.0)
        inside = min(index - self.begin, self.end - index) / soft
        return self.strength * min(max(inside, 0.0), 1.0)


class Mishaps:
    """All mishaps of one world."""

    def __init__(self, rng: Rng, frames: int, size: tuple[int, int]) -> None:
        rgb, thermal = _spans(rng, frames)
        self._rgb = [Mishap(str(rng.choice(RGB_KINDS)), *span) for span in rgb]
        self._thermal = [Mishap(str(rng.choice(THERMAL_KINDS)), *span) for span in thermal]
        field = (max(size[0] // 4, 8), 2 * max(size[1] // 4, 8))
        self._haze = fractal_noise(rng, field, field[0] / 2, 4)
        self._haze_light = float(rng.uniform(120, 235))
        self._noise = rng.normal(0, 40, (size[0], 2 * size[1])).astype(np.float32)

    def level(self, index: int, kind: str, thermal: bool) -> float:
        """How strong mishaps of one kind are in frame `index`."""
        mishaps = self._thermal if thermal else self._rgb
        return max((m.level(index) for m in mishaps if m.kind == kind), default=0.0)

    def spoil_rgb(self, canvas: Canvas, index: int) -> None:
        """Haze, darkness, glare and blur of the RGB camera, in place."""
        haze, dark = (self.level(index, kind, False) for kind in ("haze", "dark"))
        glare, blur = (self.level(index, kind, False) for kind in ("glare", "blur"))
        height, width = canvas.heat.shape
        if haze > 0:
            start = index % (self._haze.shape[1] // 2)
            field = self._haze[:, start : start + self._haze.shape[1] // 2]
            alpha = np.clip(1.25 * haze + 0.35 * field * (1.2 - haze), 0, 0.99)
            veil(canvas, alpha, self._haze_light + 25 * field)
        if dark > 0:
            rgb = cv2.convertScaleAbs(canvas.rgb, alpha=1 - 0.93 * dark)
            noise = self._grain(index, height, width, 0.25 * dark)
            canvas.rgb[:] = cv2.add(rgb, noise, dtype=cv2.CV_8U)
        if glare > 0:
            canvas.rgb[:] = cv2.convertScaleAbs(canvas.rgb, alpha=1 + 2.5 * glare, beta=90 * glare)
        if blur > 0:
            canvas.rgb[:] = cv2.GaussianBlur(canvas.rgb, (0, 0), 0.3 + 4 * blur)

    def spoil_heat(self, heat: Array, index: int) -> Array:
        """Noise and blur of the thermal camera; (H, W) in degrees C."""
        blur, noise = (self.level(index, kind, True) for kind in ("blur", "noise"))
        if blur > 0:
            heat = cv2.GaussianBlur(heat, (0, 0), 0.3 + 4 * blur)
        if noise > 0:
            start = (index * 37) % heat.shape[1]
            heat = heat + (0.12 * noise) * self._noise[:, start : start + heat.shape[1]]
        return heat

    def _grain(self, index: int, height: int, width: int, level: float) -> Array:
        start = (index * 53) % width
        part = level * self._noise[:height, start : start + width]
        return np.repeat(part[:, :, None], 3, axis=2)


def _spans(rng: Rng, frames: int) -> tuple[list[tuple[int, int, float]], ...]:
    """Begin, end and strength of mishaps for RGB and thermal; strong ones do not overlap."""
    spans: tuple[list[tuple[int, int, float]], ...] = ([], [])
    cut = sorted(rng.integers(0, frames + 1, 2).tolist())
    parts = [(0, cut[0]), (cut[0], cut[1]), (cut[1], frames)]
    for begin, end in parts:
        if end - begin >= 4 and rng.random() < 0.75:
            hit = int(rng.integers(2))
            # A scene may begin and end within a mishap; inside, they do not overlap.
            long = (begin - 20 * (begin == 0), end + 20 * (end == frames))
            spans[hit].append((*long, float(rng.uniform(0.3, 1.0))))
            if rng.random() < 0.3:
                spans[1 - hit].append((begin, end, float(rng.uniform(0.1, 0.35))))
    return spans
