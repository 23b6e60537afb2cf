"""Pairs of images to calibrate by: two images, two folders or two videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.folder import ENDINGS, read_rgb, read_thermal
from ainet_core.data.readers import open_videos
from ainet_core.data.sequence import Image


@dataclass(frozen=True)
class Moment:
    """What both cameras saw at once, RGB (H, W, 3) and thermal (h, w), and what to call it."""

    name: str
    rgb: NDArray[np.uint8]
    thermal: Image


MOST = 20  # more pairs say little more, and take longer


def evenly(count: int, most: int = MOST) -> list[int]:
    """Which of `count` pairs are taken, from the first to the last."""
    return [int(index) for index in np.linspace(0, count - 1, min(most, count))]


def read_moments(rgb: Path, thermal: Path, most: int = MOST) -> list[Moment]:
    """At most so many pairs, evenly spread over two videos or folders; or two images.

    Raises:
        ValueError: not readable, or different numbers of frames.
    """
    images = [path.suffix.lower() in ENDINGS and not path.is_dir() for path in (rgb, thermal)]
    if all(images):
        return [Moment(f"{rgb} and {thermal}", read_rgb(rgb), read_thermal(thermal))]
    if any(images):
        raise ValueError(f"expected two images, folders or videos, got {rgb} and {thermal}")
    sequence = open_videos(rgb, thermal)
    moments = []
    for index in evenly(len(sequence), most):
        pair = sequence[index]
        assert pair.rgb is not None
        assert pair.thermal is not None
        moments.append(Moment(f"frame {index} of {rgb} and {thermal}", pair.rgb, pair.thermal))
    return moments
