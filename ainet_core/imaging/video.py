"""Write pictures as a video."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """An mp4 of RGB pictures (H, W, 3) uint8 of one size; a context manager.

    A last odd row or column is left out: mp4 wants pairs.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._video: cv2.VideoWriter | None = None

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append a picture. Raises ValueError when the file cannot be written."""
        height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
        if self._video is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._video = cv2.VideoWriter(str(self._path), code, self._rate, (width, height))
            if not self._video.isOpened():
                raise ValueError(
                    f"cannot write a video to {self._path}: expected a name like FILE.mp4"
                )
        self._video.write(cv2.cvtColor(picture[:height, :width], cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """End the file; there is none if nothing was written."""
        if self._video is not None:
            self._video.release()

    def __exit__(self, *_: object) -> None:
        self.close()
