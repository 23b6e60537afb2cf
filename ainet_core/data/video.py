"""Frames of a video file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ainet_core.data.sequence import Frames, Image

ENDINGS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts")
_EXACT_COUNT = (".mp4", ".m4v", ".mov")  # their index counts frames; others give an estimate


class VideoFile(Frames):
    """A video, decoded in order.

    Seeking is not used: depending on codec and container it lands some frames off, and boxes would
    no longer belong to their frames. Skipping costs decoding (about 1 ms a frame at 640x480), so
    `frames[i]` is cheap when the indices rise and starts anew when they fall.
    """

    def __init__(self, path: str | Path, thermal: bool = False) -> None:
        """`thermal`: deliver (h, w) grey, else (H, W, 3) RGB."""
        self.path = Path(path)
        self._thermal = thermal
        self._reader: cv2.VideoCapture | None = None
        self._next = 0  # frame that the reader delivers next
        capture = self._open()
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate = float(rate) if np.isfinite(rate) and rate > 0 else 30.0
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if count <= 0 or self.path.suffix.lower() not in _EXACT_COUNT:
            count = 0
            while capture.grab():
                count += 1
        capture.release()
        if count == 0:
            raise ValueError(f"cannot read {self.path}: expected a video, got no frames")
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Image:
        if self._reader is None or index < self._next:
            if self._reader is not None:
                self._reader.release()
            self._reader, self._next = self._open(), 0
        self._skip(self._reader, self._next, index)
        self._next = index + 1
        return self._decode(self._reader, index)

    def between(self, first: int, stop: int) -> Iterator[Image]:
        capture = self._open()
        try:
            self._skip(capture, 0, first)
            for index in range(first, stop):
                yield self._decode(capture, index)
        finally:
            capture.release()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_reader": None, "_next": 0}  # a worker process opens its own

    def _open(self) -> cv2.VideoCapture:
        if not self.path.is_file():
            raise ValueError(f"cannot read {self.path}: no such file")
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise ValueError(f"cannot read {self.path}: expected a video, OpenCV cannot open it")
        return capture

    def _skip(self, capture: cv2.VideoCapture, index: int, stop: int) -> None:
        for skipped in range(index, stop):
            if not capture.grab():
                raise self._ends_early(skipped)

    def _decode(self, capture: cv2.VideoCapture, index: int) -> Image:
        ok, image = capture.read()
        if not ok:
            raise self._ends_early(index)
        code = cv2.COLOR_BGR2GRAY if self._thermal else cv2.COLOR_BGR2RGB
        return cv2.cvtColor(image, code)

    def _ends_early(self, index: int) -> ValueError:
        return ValueError(
            f"cannot read {self.path}: expected {self._count} frames, "
            f"got {index} before the data end"
        )
