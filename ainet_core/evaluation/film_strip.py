"""A sequence at a glance: frames evenly spread, answers solid, the truth dashed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import Image, Sequence
from ainet_core.evaluation.metrics import Boxes
from ainet_core.imaging.draw import INK, PAPER, PEER, TRUTH, Picture, draw_target, paint_thermal

_WIDTH, _HEIGHT, _GAP = 240, 180, 3
_JPEG = (
    cv2.IMWRITE_JPEG_QUALITY, 72,
    # Lines one pixel wide keep their colour only where colour has every pixel.
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)  # fmt: skip
_AROUND = 5.0  # target sizes that are seen at least: a 10 pixel target is lost in a whole frame

View = tuple[float, float, float, float]


def spread(frames: int, count: int) -> list[int]:
    """At most `count` frame numbers from the first to the last, evenly spread."""
    return [int(n) for n in np.unique(np.linspace(0, frames - 1, count).round().astype(int))]


def film_strip(
    sequence: Sequence, boxes: Boxes, count: int = 8, peer: Boxes | None = None
) -> bytes:
    """Frames side by side as JPEG, a row for each camera.

    Each picture shows the surroundings of box and truth, so that small targets are seen.

    Args:
        boxes: (N, 4) x, y, w, h, in the pixels of the sequence's truth.
        peer: the same of another tracker, drawn where it lies in the picture.

    Raises:
        ValueError: not as many boxes as frames.
    """
    for answer in (boxes,) if peer is None else (boxes, peer):
        if answer.shape != (len(sequence), 4):
            raise ValueError(
                f"{sequence.name}: expected {len(sequence)} boxes x, y, w, h, "
                f"got shape {answer.shape}"
            )
    columns = [
        _column(sequence, boxes, number, peer) for number in spread(len(sequence), count)
    ]
    strip = np.hstack(columns)[:, :-_GAP]
    swapped = cv2.cvtColor(strip, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", swapped, _JPEG)
    if not done:
        raise ValueError(f"{sequence.name}: cannot encode a film strip of shape {strip.shape}")
    return data.tobytes()


def _column(sequence: Sequence, boxes: Boxes, number: int, peer: Boxes | None) -> Picture:
    """One moment, camera below camera."""
    rgb, thermal = sequence[number]
    truth, box = sequence.groundtruth[number], boxes[number]
    first: Any = rgb if rgb is not None else thermal
    height, width = first.shape[:2]
    view = _view(box, truth, width, height)
    pictures = [
        _picture(image, width, view, box, truth, None if peer is None else peer[number])
        for image in (rgb, None if thermal is None else paint_thermal(thermal))
        if image is not None
    ]
    _tag(pictures[0], f"{number}")
    gap = np.full((_GAP, _WIDTH, 3), INK, np.uint8)
    rows = [part for picture in pictures for part in (picture, gap)][:-1]
    column = np.vstack(rows)
    return np.hstack([column, np.full((len(column), _GAP, 3), INK, np.uint8)])


def _view(box: NDArray[Any], truth: NDArray[Any], width: int, height: int) -> View:
    """x, y, w, h of what is shown: both boxes and room around them, inside the image if possible;
    the whole image where that is all the same or a box lies outside."""
    known = [b for b in (box, truth) if np.isfinite(b).all() and (b[2:] > 0).all()]
    whole = _with_shape(width / 2, height / 2, width, height)
    if not known:
        return whole
    low = np.min([b[:2] for b in known], axis=0)
    high = np.max([b[:2] + b[2:] for b in known], axis=0)
    side = _AROUND * max(np.sqrt(b[2] * b[3]) for b in known)
    x, y = (low + high) / 2
    view = _with_shape(x, y, max(side, 1.2 * (high[0] - low[0])), max(side, 1.2 * (high - low)[1]))
    if view[2] >= whole[2]:
        return whole
    return (
        float(np.clip(view[0], min(0.0, width - view[2]), max(0.0, width - view[2]))),
        float(np.clip(view[1], min(0.0, height - view[3]), max(0.0, height - view[3]))),
        view[2],
        view[3],
    )


def _with_shape(x: float, y: float, w: float, h: float) -> View:
    """The smallest view of the pictures' shape around a centre that holds w x h."""
    w = max(float(w), float(h) * _WIDTH / _HEIGHT)
    h = w * _HEIGHT / _WIDTH
    return float(x) - w / 2, float(y) - h / 2, w, h


def _picture(
    image: Image,
    width: int,
    view: View,
    box: NDArray[Any],
    truth: NDArray[Any],
    peer: NDArray[Any] | None,
) -> Picture:
    """Cut out, scaled and with boxes. `width`: of the image that boxes and view belong to; the
    other camera sees the same field."""
    pixels = image.shape[1] / width
    scale = _WIDTH / view[2]
    shrink = scale / pixels
    move = np.array([[shrink, 0, -view[0] * scale], [0, shrink, -view[1] * scale]])
    if shrink < 1:  # warpAffine skips pixels instead of averaging them
        size = np.ceil(np.array(image.shape[1::-1]) * shrink).astype(int).clip(1)
        image = cv2.resize(image, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        move[:, :2] = np.eye(2)
    picture: Any = cv2.warpAffine(image, move, (_WIDTH, _HEIGHT), borderValue=INK)
    corner = np.array([view[0], view[1], 0, 0])
    if peer is not None:
        picture = draw_target(picture, (peer - corner) * scale, color=PEER)
    picture = draw_target(picture, (truth - corner) * scale, color=TRUTH, dashed=True)
    return draw_target(picture, (box - corner) * scale)


def _tag(picture: Picture, words: str) -> None:
    """The frame's number in the corner."""
    font, at = cv2.FONT_HERSHEY_DUPLEX, (5, 15)
    cv2.putText(picture, words, at, font, 0.45, INK, 3, cv2.LINE_AA)
    cv2.putText(picture, words, at, font, 0.45, PAPER, 1, cv2.LINE_AA)
