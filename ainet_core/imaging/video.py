"""Write pictures as a video."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray


class VideoWriter:
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

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._video is not None:
            self._video.release()
