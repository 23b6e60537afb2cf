"""Turn files on disk into clips to train on: boxed videos and stills, and unlabelled material.

Unlabelled images become self-supervised targets: a region that has texture, or something that
moves before a fixed camera, is followed from frame to frame and its place is the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.clip import Clip, around_target

Image = NDArray[np.uint8]
Boxes = NDArray[np.float64]


def read_video(path: Path, frames: NDArray[np.int64] | None = None, step: int = 1) -> list[Image]:
    """RGB frames (H, W, 3) of a video: those numbered in `frames`, or every `step`-th.

    Raises:
        ValueError: OpenCV cannot open the file.
    """
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise ValueError(f"cannot read {path} as a video")
    wanted = None if frames is None else set(frames.tolist())
    images: list[Image] = []
    number = 0
    while video.grab():
        if (number % step == 0) if wanted is None else (number in wanted):
            images.append(cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]
        number += 1
        if wanted is not None and number > max(wanted):
            break
    video.release()
    return images


def boxed_video(video: Path, boxes: Path, camera: str, frames: int = 24) -> Iterator[Clip]:
    """One clip of a video with a line x, y, w, h for each frame; `camera` is rgb or thermal.

    No more than so many frames are kept, evenly over the video.
    """
    truth = np.genfromtxt(boxes, delimiter=",", ndmin=2)
    seen = np.flatnonzero(np.isfinite(truth).all(axis=1) & (truth[:, 2:] >= 4).all(axis=1))
    if len(seen) < 2:
        return
    chosen = np.unique(seen[np.linspace(0, len(seen) - 1, frames).astype(int)])
    images = read_video(video, chosen)
    yield make_clip([_of_camera(image, camera) for image in images], truth[chosen])


def boxed_stills(folder: Path, camera: str) -> Iterator[Clip]:
    """Clips of a single frame from `boxes.csv` (image, class, x, y, w, h) and `images/`."""
    with (folder / "boxes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_image: dict[str, list[Boxes]] = {}
    for row in rows:
        box = np.array([float(row[key]) for key in "xywh"])
        if box[2:].min() >= 10:
            by_image.setdefault(row["image"], []).append(box)
    for name, boxes in by_image.items():
        path = next((p for p in (folder / "images" / name, folder / name) if p.is_file()), None)
        if path is None:
            continue
        image = _of_camera(read_image(path), camera)
        for box in boxes[:8]:
            yield make_clip([image], box[None])


def boxed_tracks(video: Path, tracks: Path, camera: str) -> Iterator[Clip]:
    """Clips from a video and a table `frame, track, x, y, w, h` of several tracks."""
    table = np.genfromtxt(tracks, delimiter=",", skip_header=1)
    table = table[np.isfinite(table).all(axis=1)]
    for track in np.unique(table[:, 1]):
        rows = table[table[:, 1] == track]
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, 40).astype(int))]
        images = read_video(video, rows[:, 0].astype(np.int64))
        count = min(len(images), len(rows))
        cut = [_of_camera(image, camera) for image in images[:count]]
        yield replace(make_clip(cut, rows[:count, 2:6]), sized=False)


def textured_regions(
    rgb: Image | None, thermal: Image | None, count: int, rng: np.random.Generator
) -> Iterator[Clip]:
    """Regions of a still (or registered pair) that can be told from their surroundings."""
    energy = _texture(rgb if rgb is not None else thermal)
    for box in _textured_boxes(energy, count, rng):
        yield make_pair_clip(
            None if rgb is None else [rgb], None if thermal is None else [thermal], box[None]
        )


def textured_tracks(
    rgb: list[Image] | None, thermal: list[Image] | None, count: int, rng: np.random.Generator
) -> Iterator[Clip]:
    """Textured regions followed through consecutive frames by normalised correlation."""
    guide = rgb if rgb is not None else thermal
    assert guide is not None
    grey = [_grey(image) for image in guide]
    for first in _textured_boxes(_texture(guide[0]), count, rng):
        boxes = follow(grey, first)
        if len(boxes) >= 2:
            kept = len(boxes)
            yield make_pair_clip(
                None if rgb is None else rgb[:kept],
                None if thermal is None else thermal[:kept],
                np.array(boxes),
            )


def follow(grey: list[Image], first: Boxes, least: float = 0.75) -> list[Boxes]:
    """Track a patch frame by frame while the correlation is high and has one distinct peak."""
    boxes = [first]
    x, y, w, h = first.astype(int)
    patch = grey[0][y : y + h, x : x + w]
    for image in grey[1:]:
        reach = max(16, int(0.5 * max(w, h)))
        x0, y0 = max(0, x - reach), max(0, y - reach)
        region = image[y0 : y + h + reach, x0 : x + w + reach]
        if region.shape[0] <= h or region.shape[1] <= w:
            break
        match = cv2.matchTemplate(region, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (column, row) = cv2.minMaxLoc(match)
        # Distinct: nothing far from the peak comes near it.
        margin = max(3, min(w, h) // 4)
        match[max(0, row - margin) : row + margin, max(0, column - margin) : column + margin] = -1
        if best < least or match.max() > best - 0.05:
            break
        x, y = x0 + column, y0 + row
        if x + w > image.shape[1] or y + h > image.shape[0]:
            break
        patch = image[y : y + h, x : x + w]
        boxes.append(np.array([x, y, w, h], dtype=np.float64))
    return boxes


def moving_targets(images: list[Image], camera: str, least_frames: int = 4) -> Iterator[Clip]:
    """What moves before a fixed camera: differences from the median image, linked over frames."""
    grey = [_grey(image) for image in images]
    background = np.median(np.stack(grey[:: max(1, len(grey) // 25)]), axis=0).astype(np.uint8)
    tracks: list[tuple[list[int], list[Boxes]]] = []
    for number, image in enumerate(grey):
        for box in _moving_boxes(image, background):
            track = next(
                (t for t in tracks if t[0][-1] == number - 1 and _iou(t[1][-1], box) > 0.3), None
            )
            if track is None:
                tracks.append(([number], [box]))
            else:
                track[0].append(number)
                track[1].append(box)
    for numbers, boxes in tracks:
        if len(numbers) < least_frames:
            continue
        moved = np.abs(boxes[0][:2] - boxes[-1][:2]).max()
        if moved < 0.3 * boxes[0][2]:
            continue
        clip = make_clip([_of_camera(images[n], camera) for n in numbers], np.array(boxes))
        yield replace(clip, sized=False)


def read_image(path: Path) -> Image:
    """An image file as (H, W, 3) uint8 RGB. Raises ValueError when it is not one."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"cannot read {path} as an image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def make_clip(images: list[Image], boxes: Boxes) -> Clip:
    """A clip of one camera: (H, W) images are thermal, (H, W, 3) RGB."""
    if images[0].ndim == 2:
        return make_pair_clip(None, images, boxes)
    return make_pair_clip(images, None, boxes)


def make_pair_clip(rgb: list[Image] | None, thermal: list[Image] | None, boxes: Boxes) -> Clip:
    """A clip of one camera or both, every frame cut down to what is near its target."""
    frames = [
        around_target([rgb[i] if rgb else None, thermal[i] if thermal else None], box)
        for i, box in enumerate(boxes)
    ]
    return Clip(
        [cut[0] for cut, _ in frames if cut[0] is not None] or None,
        [cut[1] for cut, _ in frames if cut[1] is not None] or None,
        np.array([box for _, box in frames]),
    )


def _of_camera(image: Image, camera: str) -> Image:
    return _grey(image) if camera == "thermal" else image


def _grey(image: Image) -> Image:
    if image.ndim == 2:
        return image
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]


def _texture(image: Image | None) -> NDArray[np.float64]:
    """Summed-area table of the gradient's size: (H + 1, W + 1)."""
    assert image is not None
    grey = _grey(image).astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return cv2.integral(gradient, sdepth=cv2.CV_64F)  # type: ignore[return-value]


def _textured_boxes(
    energy: NDArray[np.float64], count: int, rng: np.random.Generator
) -> Iterator[Boxes]:
    height, width = energy.shape[0] - 1, energy.shape[1] - 1
    mean = energy[-1, -1] / (height * width)
    made = 0
    for _ in range(count * 12):
        side = float(np.exp(rng.uniform(np.log(20), np.log(min(height, width) / 3.5))))
        aspect = float(np.exp(rng.normal(0, 0.35)))
        w, h = int(side * np.sqrt(aspect)), int(side / np.sqrt(aspect))
        if w >= width - 2 or h >= height - 2 or min(w, h) < 10:
            continue
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        inside = energy[y + h, x + w] - energy[y, x + w] - energy[y + h, x] + energy[y, x]
        if inside / (w * h) < max(1.1 * mean, 12.0):
            continue
        yield np.array([x, y, w, h], dtype=np.float64)
        made += 1
        if made == count:
            return


def _moving_boxes(image: Image, background: Image) -> Iterator[Boxes]:
    difference = cv2.GaussianBlur(cv2.absdiff(image, background), (5, 5), 0)
    moving = cv2.morphologyEx(
        (difference > 18).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 5), np.uint8)
    )
    count, _, stats, _ = cv2.connectedComponentsWithStats(moving)
    height, width = image.shape
    for x, y, w, h, area in stats[1:count]:
        inside = x > 2 and y > 2 and x + w < width - 2 and y + h < height - 2
        if inside and area > 0.35 * w * h and 20 <= h <= height / 2 and 0.8 <= h / w <= 5:
            yield np.array([x, y, w, h], dtype=np.float64)


def _iou(a: Boxes, b: Boxes) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    shared = float(np.clip(high - low, 0, None).prod())
    return shared / float(a[2:].prod() + b[2:].prod() - shared)
