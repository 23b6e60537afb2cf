"""Train on a published data set image by image: memory stays constant however large it is.

The set is looked through once; what remains is an `Index` of a few arrays, which worker processes
share (lists of paths would be copied by each, as Python counts references to every one).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.benchmarks import find_test_set, open_files
from ainet_core.data.clip import Clip
from ainet_core.data.folder import ImageFolder, read_rgb, read_thermal
from ainet_core.data.layouts import LAYOUTS, SequenceFiles, find_sequences
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.whole import write_whole

logger = logging.getLogger(__name__)

PLACES = 64  # stretches of a sequence that one may land in
LEAST_SIDE = 4.0  # pixels; a smaller target cannot be seen


class UnreadableError(ValueError):
    """An image of the data cannot be read: skipped and counted by the trainer."""


@dataclass(frozen=True)
class Index:
    """Where the S sequences' T frames with a visible target lie.

    Attributes:
        folders: (S, 2) str, of the RGB and the thermal images.
        starts: (S + 1,) sequence s has the rows starts[s] to starts[s + 1] - 1 of what follows.
        names: (T, 2) bytes, file names.
        numbers: (T,) frame numbers, rising within a sequence.
        boxes: (T, 4) x, y, w, h in RGB pixels.
    """

    folders: NDArray[np.str_]
    starts: NDArray[np.int64]
    names: NDArray[np.bytes_]
    numbers: NDArray[np.int64]
    boxes: NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Write it whole or not at all; OSError if that fails."""

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez_compressed(file, **vars(self))

        write_whole(path, write)

    @classmethod
    def load(cls, path: Path) -> Index:
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**arrays)


def training_sequences(dataset: str, path: Path) -> list[SequenceFiles]:
    """The sequences of a benchmark that may be trained on: never those of a named test set.

    Raises:
        ValueError: nothing there, only the test set there, or `dataset` is none of LAYOUTS.
    """
    if dataset not in LAYOUTS:
        raise ValueError(f"dataset must be one of {', '.join(LAYOUTS)}, got {dataset!r}")
    found = find_sequences(dataset, path)
    if not found:
        raise ValueError(f"{path}: expected sequences of {dataset}, got none")
    if dataset not in ("lasher", "vtuav"):  # the others have no training set of their own
        return found
    tested = {files.folder for files in find_test_set(dataset, path)}
    chosen = [files for files in found if files.folder not in tested]
    if not chosen:
        raise ValueError(
            f"{path}: expected {dataset}'s training set, say its folder trainingset/ or "
            "train_ST/, got sequences of the test set alone"
        )
    return chosen


def build_index(dataset: str, sequences: Iterable[SequenceFiles]) -> tuple[Index, list[str]]:
    """Look through sequences once, one at a time.

    Returns:
        the index, and a line for each sequence that cannot be used.

    Raises:
        ValueError: no sequence can be used.
    """
    folders, counts, names, numbers, boxes, broken = [], [], [], [], [], []
    for files in sequences:
        try:
            sequence = open_files(files, LAYOUTS[dataset])
        except ValueError as error:
            broken.append(str(error))
            continue
        truth = sequence.groundtruth
        large = np.nan_to_num(truth[:, 2:]).min(axis=1) >= LEAST_SIDE
        seen = np.flatnonzero(sequence.visible & large)
        if len(seen) < 2:
            continue
        rgb, thermal = sequence.rgb, sequence.thermal
        assert isinstance(rgb, ImageFolder)
        assert isinstance(thermal, ImageFolder)
        folders.append((str(rgb.path), str(thermal.path)))
        pairs = [(rgb.files[row].name, thermal.files[row].name) for row in seen]
        names.append(np.char.encode(np.array(pairs), "utf-8"))
        numbers.append(seen)
        boxes.append(truth[seen])
        counts.append(len(seen))
    if not folders:
        raise ValueError(f"no sequence of {dataset} can be used" + "".join(broken[:1]))
    starts = np.concatenate([[0], np.cumsum(counts)])
    index = Index(
        np.array(folders), starts, np.concatenate(names),
        np.concatenate(numbers), np.concatenate(boxes),
    )  # fmt: skip
    return index, broken


class StreamedClips(Sequence[Clip]):
    """Stretches of an index's sequences as clips, each sequence equally often.

    Item n is a stretch of sequence n % S whose frames lie at most `gap` apart.
    """

    def __init__(self, index: Index, gap: int) -> None:
        self.frames, self.gap = index, gap
        self._sizes: dict[int, tuple[int, int]] = {}  # of sequences whose cameras differ in size

    def __len__(self) -> int:
        return len(self.frames.folders) * PLACES

    @overload
    def __getitem__(self, number: int) -> Clip: ...

    @overload
    def __getitem__(self, number: slice) -> list[Clip]: ...

    def __getitem__(self, number: int | slice) -> Clip | list[Clip]:
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        if not 0 <= number < len(self):
            raise IndexError(number)
        place, sequence = divmod(number, len(self.frames.folders))
        first, stop = self.frames.starts[sequence], self.frames.starts[sequence + 1]
        numbers = self.frames.numbers[first:stop]
        last_start = np.searchsorted(numbers, numbers[-1] - self.gap)
        start = int(last_start * place / (PLACES - 1))
        end = int(np.searchsorted(numbers, numbers[start] + self.gap, side="right"))
        rows = range(int(first) + start, int(first) + max(end, min(start + 2, len(numbers))))
        boxes = self.frames.boxes[rows.start : rows.stop]
        cameras = [_Images(self, sequence, rows, camera) for camera in (0, 1)]
        return Clip(cameras[0], cameras[1], boxes)

    def read(self, sequence: int, row: int, camera: int) -> NDArray[np.uint8]:
        """One image, (H, W, 3) RGB or (H, W) thermal at the RGB image's size.

        Raises:
            UnreadableError: names the file.
        """
        path = Path(self.frames.folders[sequence, camera], self.frames.names[row, camera].decode())
        try:
            if camera == 0:
                return read_rgb(path)
            image = to_eight_bit(read_thermal(path))
        except ValueError as error:
            raise UnreadableError(str(error)) from None
        if sequence not in self._sizes:
            self._sizes[sequence] = self.read(sequence, row, 0).shape[:2]
        height, width = self._sizes[sequence]
        if image.shape != (height, width):
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        return image


class _Images(Sequence[NDArray[np.uint8]]):
    """One camera's images of a stretch, read when asked for."""

    def __init__(self, clips: StreamedClips, sequence: int, rows: range, camera: int) -> None:
        self._clips, self._sequence, self._rows, self._camera = clips, sequence, rows, camera

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int | slice) -> Any:
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        return self._clips.read(self._sequence, self._rows[number], self._camera)
