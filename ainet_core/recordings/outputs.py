"""Where answers go: a video with boxes as text, a table, frames to train on.

All are context managers; nothing is made before the first answer, and what was written when a run
is interrupted stays readable.
"""

from __future__ import annotations

import csv
from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.boxes import write_boxes
from ainet_core.imaging.draw import side_by_side
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.imaging.video import VideoWriter
from ainet_core.recordings.follow import Answer

COLUMNS = ("stamp", "x", "y", "w", "h", "score", "state")
_NOTHING = np.full(4, np.nan)


class Output(AbstractContextManager["Output"]):
    """Takes every answer once, in order; `close` ends it, whatever happened.

    Attributes:
        written: the paths, folders among them, that there are in the end.
    """

    written: tuple[Path, ...]

    @abstractmethod
    def write(self, answer: Answer) -> None: ...

    def close(self) -> None:
        """Write what is not written yet."""

    def __exit__(self, *_: object) -> None:
        self.close()


class Video(Output):
    """An mp4 of both cameras side by side, all pictures of the first one's size."""

    def __init__(self, path: Path, rate: float) -> None:
        self.written = (path,)
        self._video = VideoWriter(path, rate)
        self._shape: tuple[int, ...] | None = None

    def write(self, answer: Answer) -> None:
        rgb, thermal = answer.moment.rgb, answer.moment.thermal
        if rgb is None and thermal is None:
            return
        if rgb is None and thermal is not None and thermal.shape[:2] != answer.box_size:
            thermal = np.asarray(cv2.resize(thermal, answer.box_size[::-1]))
        words: tuple[str, ...] = (answer.state,)
        if answer.state not in ("no target", "error"):
            words += (f"score {answer.score:.2f}",)
        picture = side_by_side(rgb, thermal, answer.box, caption=words)
        if self._shape is None:
            self._shape = picture.shape
            self.written[0].parent.mkdir(parents=True, exist_ok=True)
        if picture.shape != self._shape:
            picture = np.asarray(cv2.resize(picture, self._shape[1::-1]), np.uint8)
        self._video.write(picture)

    def close(self) -> None:
        self._video.close()


class VideoAndText(Video):
    """FILE.mp4, and beside it FILE.txt with a line x,y,w,h per picture; nan without a box."""

    def __init__(self, path: Path, rate: float) -> None:
        super().__init__(path, rate)
        self.written = path, path.with_suffix(".txt")
        self._boxes: list[NDArray[np.float64]] = []

    def write(self, answer: Answer) -> None:
        super().write(answer)
        self._boxes.append(_NOTHING if answer.box is None else answer.box)

    def close(self) -> None:
        super().close()
        if self._boxes:
            write_boxes(self.written[1], np.array(self._boxes))


class Table(Output):
    """A CSV with COLUMNS: stamp in seconds, the box in RGB pixels (empty: none), score, state."""

    def __init__(self, path: Path) -> None:
        self.written = (path,)
        self._file: TextIO | None = None
        self._rows: Any = None

    def write(self, answer: Answer) -> None:
        if self._file is None:
            self.written[0].parent.mkdir(parents=True, exist_ok=True)
            self._file = self.written[0].open("w", newline="", encoding="utf-8")
            self._rows = csv.writer(self._file)
            self._rows.writerow(COLUMNS)
        box = [""] * 4 if answer.box is None else [f"{value:.4f}" for value in answer.box]
        second, nanosecond = divmod(answer.moment.stamp, 1_000_000_000)
        stamp = f"{second}.{nanosecond:09d}"
        self._rows.writerow([stamp, *box, f"{answer.score:.4f}", answer.state])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class TrainingFrames(Output):
    """A folder that training reads: visible/, infrared/ and groundtruth.txt with our boxes.

    Both folders must have equally many frames, so moments that lack a camera are left out.

    Args:
        folder: to be made.
        cameras: whether there is an RGB and a thermal camera.
        every: only every so many-th moment.
    """

    def __init__(self, folder: Path, cameras: tuple[bool, bool], every: int = 1) -> None:
        self.written = (folder,)
        self._cameras, self._every = cameras, every
        self._boxes: list[NDArray[np.float64]] = []
        self._seen = 0

    def write(self, answer: Answer) -> None:
        images = answer.moment.rgb, answer.moment.thermal
        needed = zip(self._cameras, images, strict=True)
        if any(needs and image is None for needs, image in needed):
            return
        self._seen += 1
        if (self._seen - 1) % self._every:
            return
        name = f"{len(self._boxes):06d}"
        if self._cameras[0]:
            bgr = cv2.cvtColor(np.asarray(images[0]), cv2.COLOR_RGB2BGR)
            self._save("visible", f"{name}.jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
        if self._cameras[1]:
            self._save("infrared", f"{name}.png", _grey(images[1]), [])
        self._boxes.append(_NOTHING if answer.box is None else answer.box)

    def _save(self, camera: str, name: str, pixels: NDArray[Any], how: list[int]) -> None:
        folder = self.written[0] / camera
        folder.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(folder / name), pixels, how):
            raise OSError(f"cannot write {folder / name}")

    def close(self) -> None:
        if self._boxes:
            write_boxes(self.written[0] / "groundtruth.txt", np.array(self._boxes))


def _grey(thermal: Any) -> NDArray[Any]:
    """(h, w) uint8 or uint16 as a PNG holds it: float and false colour become 8 bits."""
    if thermal.ndim == 3:
        return np.asarray(cv2.cvtColor(thermal, cv2.COLOR_RGB2GRAY))
    return thermal if thermal.dtype in (np.uint8, np.uint16) else to_eight_bit(thermal)
