"""Pictures for people: boxes, both cameras side by side, a sheet of frames.

All pictures are RGB, (H, W, 3) uint8, and new: what comes in is never drawn on. Our box is solid
and cyan, the true one dashed and amber: colours that colour-blind people tell apart, both bright
on the thermal palette, with a dark rim for bright scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.box import BoxLike
from ainet_core.imaging.thermal import to_eight_bit

Picture = NDArray[Any]
Colour = tuple[int, int, int]

OURS: Colour = (0, 224, 255)
TRUTH: Colour = (255, 176, 0)
PEER: Colour = (255, 96, 208)
INK: Colour = (16, 18, 24)
PAPER: Colour = (236, 238, 240)

_FONT = cv2.FONT_HERSHEY_DUPLEX
_SHIFT = 4  # cv2 draws with 1/16 pixel
_BAR = 28  # height of the caption in pixels at 480 rows


def paint_thermal(thermal: NDArray[Any]) -> Picture:
    """Colour a thermal image of any depth, cold dark violet to hot pale yellow."""
    painted = cv2.applyColorMap(to_eight_bit(thermal), cv2.COLORMAP_INFERNO)
    return cv2.cvtColor(painted, cv2.COLOR_BGR2RGB)


def draw_target(
    image: NDArray[np.uint8],
    box: BoxLike | None,
    label: str = "",
    color: Colour = OURS,
    dashed: bool = False,
) -> Picture:
    """Draw one box and its label.

    Args:
        image: (H, W, 3) RGB.
        box: x, y, w, h in pixels of the image; nothing is drawn for None, nan or no area.
        label: a few words above the box, or below it at the image's upper edge.
        color: RGB.
        dashed: broken lines, for boxes that are not our answer.
    """
    picture = _checked(image).copy()
    if box is None or not _has_area(box):
        return picture
    x, y, w, h = (float(value) for value in box)
    thick = max(1, round(picture.shape[0] / 300))
    _rectangle(picture, (x, y, w, h), INK, thick + 2, dashed)
    _rectangle(picture, (x, y, w, h), color, thick, dashed)
    if label:
        _tag(picture, (x, y, w, h), label, color)
    return picture


def side_by_side(
    rgb: NDArray[np.uint8] | None,
    thermal: NDArray[Any] | None,
    box: BoxLike | None = None,
    truth: BoxLike | None = None,
    caption: Sequence[str] = (),
    label: str = "",
) -> Picture:
    """Both cameras in one picture, with boxes and a caption below.

    Args:
        rgb: (H, W, 3), or None when that camera is silent.
        thermal: any thermal image that sees the same field, scaled to the RGB size; or None.
        box: our box in RGB pixels (thermal pixels when there is no RGB image); None: no target.
        truth: the true box, if it is known.
        caption: what the bar says, for example ("tracking", "score 0.87", "31 frames/s").
        label: words at our box.

    Returns:
        (H + bar, 2 W, 3) uint8.
    """
    if rgb is None and thermal is None:
        raise ValueError("expected an RGB image, a thermal image or both, got neither")
    if rgb is not None:
        left = _checked(rgb)
    height, width = (rgb if rgb is not None else thermal).shape[:2]  # type: ignore[union-attr]
    panels = [
        _silent("no RGB image", height, width) if rgb is None else left,
        _silent("no thermal image", height, width)
        if thermal is None
        else _fit(paint_thermal(thermal), height, width),
    ]
    for number, live in enumerate((rgb is not None, thermal is not None)):
        if live:
            panels[number] = draw_target(panels[number], truth, color=TRUTH, dashed=True)
            panels[number] = draw_target(panels[number], box, label if number == 0 else "")
    bar = _caption(2 * width, height, caption, with_truth=truth is not None)
    return np.vstack([np.hstack(panels), bar])


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]], columns: int = 3, width: int = 1920, gap: int = 6
) -> Picture:
    """Lay pictures out in rows.

    Args:
        pictures: RGB pictures; all are scaled to the first one's shape.
        columns: pictures in a row.
        width: of the sheet in pixels; pictures are scaled to it.
        gap: between pictures, in pixels.
    """
    if len(pictures) == 0 or columns < 1:
        raise ValueError(
            f"expected pictures and columns >= 1, got {len(pictures)} pictures, columns {columns}"
        )
    columns = min(columns, len(pictures))
    height, first_width = _checked(pictures[0]).shape[:2]
    cell_width = max(1, (width - gap * (columns + 1)) // columns)
    cell_height = max(1, round(height * cell_width / first_width))
    rows = -(-len(pictures) // columns)
    sheet = np.full((gap + rows * (cell_height + gap), width, 3), INK, np.uint8)
    for number, picture in enumerate(pictures):
        y = gap + number // columns * (cell_height + gap)
        x = gap + number % columns * (cell_width + gap)
        cell = _fit(_checked(picture), cell_height, cell_width)
        sheet[y : y + cell_height, x : x + cell_width] = cell
    return sheet


def _checked(image: NDArray[Any]) -> NDArray[Any]:
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3:
        got = image.shape if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"image must be (H, W, 3) uint8 in RGB order, got {got}")
    if image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(
            f"image must be (H, W, 3) uint8 in RGB order, got {image.shape} {image.dtype}"
        )
    return image


def _has_area(box: BoxLike) -> bool:
    values = np.asarray(box, dtype=np.float64)
    return bool(values.shape == (4,) and np.isfinite(values).all() and (values[2:] > 0).all())


def _fit(picture: Picture, height: int, width: int) -> Picture:
    if picture.shape[:2] == (height, width):
        return picture
    smaller = height * width < picture.shape[0] * picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=how)


def _rectangle(
    picture: Picture,
    box: tuple[float, float, float, float],
    color: Colour,
    thick: int,
    dashed: bool,
) -> None:
    x, y, w, h = box
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        count = max(2, 2 * round(np.hypot(x1 - x0, y1 - y0) / 14) + 1) if dashed else 1
        for piece in range(0, count, 2):
            ends = []
            for share in (piece / count, (piece + 1) / count):
                point = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
                ends.append(_fixed(point))
            cv2.line(picture, ends[0], ends[1], color, thick, cv2.LINE_AA, _SHIFT)


def _fixed(point: tuple[float, float]) -> tuple[int, int]:
    # Far outside nothing is seen; cv2's coordinates have 32 bits.
    x, y = np.clip(point, -20_000, 20_000)
    return round(float(x) * (1 << _SHIFT)), round(float(y) * (1 << _SHIFT))


def _tag(
    picture: Picture, box: tuple[float, float, float, float], label: str, color: Colour
) -> None:
    scale, thick = _text_size(picture.shape[0])
    (width, height), drop = cv2.getTextSize(label, _FONT, scale, thick)
    pad = max(2, round(4 * scale))
    wide, high = width + 2 * pad, height + drop + 2 * pad
    x = int(np.clip(box[0] - 1, 0, max(picture.shape[1] - wide, 0)))
    above = box[1] - high - 1
    y = int(np.clip(above if above >= 0 else box[1] + box[3] + 2, 0, picture.shape[0] - high))
    cv2.rectangle(picture, (x, y), (x + wide, y + high), color, -1)
    at = (x + pad, y + pad + height)
    cv2.putText(picture, label, at, _FONT, scale, INK, thick, cv2.LINE_AA)


def _caption(width: int, rows: int, words: Sequence[str], with_truth: bool) -> Picture:
    """The bar below: words at the left, what the colours mean at the right."""
    scale, thick = _text_size(rows)
    high = max(16, round(_BAR * rows / 480))
    bar = np.full((high, width, 3), INK, np.uint8)
    base = round(0.68 * high)
    x = round(0.5 * high)
    for number, word in enumerate(words):
        tone = PAPER if number == 0 else (172, 178, 186)
        cv2.putText(bar, word, (x, base), _FONT, scale, tone, thick, cv2.LINE_AA)
        x += cv2.getTextSize(word, _FONT, scale, thick)[0][0] + round(0.9 * high)
    legend = [("AINet", OURS, False)] + ([("true", TRUTH, True)] if with_truth else [])
    right = width
    for word, color, dashed in reversed(legend):
        right -= cv2.getTextSize(word, _FONT, scale, thick)[0][0] + round(0.5 * high)
        cv2.putText(bar, word, (right, base), _FONT, scale, PAPER, thick, cv2.LINE_AA)
        right -= round(1.1 * high)
        swatch = (right, 0.32 * high, 0.8 * high, 0.4 * high)
        _rectangle(bar, swatch, color, max(1, round(high / 16)), dashed)
    return bar


def _silent(words: str, height: int, width: int) -> Picture:
    """A dark panel in the place of a camera that sends nothing."""
    panel = np.full((height, width, 3), (28, 31, 38), np.uint8)
    scale, thick = _text_size(height)
    wide, high = cv2.getTextSize(words, _FONT, scale, thick)[0]
    at = ((width - wide) // 2, (height + high) // 2)
    cv2.putText(panel, words, at, _FONT, scale, (150, 156, 166), thick, cv2.LINE_AA)
    return panel


def _text_size(rows: int) -> tuple[float, int]:
    """Scale and thickness of letters in a picture of so many rows."""
    scale = float(np.clip(0.5 * rows / 480, 0.32, 2.0))
    return scale, max(1, round(scale * 1.4))
