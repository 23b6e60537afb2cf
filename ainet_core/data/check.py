"""What is wrong with a data set, before a run of hours finds out: `ainet data check DIR`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ainet_core.data.annotations import read_annotation, spread
from ainet_core.data.benchmarks import (
    DATASETS,
    attributes_of,
    find_test_set,
    missing_parts,
    open_files,
    select,
)
from ainet_core.data.check_frames import check_camera, first_of, unfinished_downloads
from ainet_core.data.groundtruth import visible_boxes
from ainet_core.data.layouts import LAYOUTS, Layout, SequenceFiles, find_sequences, recognise
from ainet_core.data.readers import open_sequence, read_benchmark
from ainet_core.data.sequence import Sequence

Attributes = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        path: what was checked.
        dataset: the layout that it has, one of DATASETS.
        sequences, frames: how many there are (frames of the RGB camera, else of the thermal).
        without_boxes: sequences of our own without a file of boxes: fine, but not to be scored.
        problems: what is wrong, one line each, with the file and the line in it.
    """

    path: Path
    dataset: str
    sequences: int
    frames: int
    without_boxes: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        layout = LAYOUTS.get(self.dataset)
        lines = [
            f"{self.path} looks like {self.dataset}: "
            f"{self.sequences} sequences, {self.frames} frames"
        ]
        if layout and layout.sequences not in (None, self.sequences):
            lines.append(f"its test set has {layout.sequences} sequences")
        if self.without_boxes:
            lines.append(f"without boxes: {self.without_boxes}")
        lines += self.problems or ["nothing is wrong"]
        return "\n".join(lines)


def check(
    path: str | Path, full: bool = False, dataset: str | None = None, progress: bool = False
) -> Report:
    """Look for all that is wrong with a data set.

    Missing and unreadable frames, counts that differ, boxes that are missing, outside or no
    numbers, downloads that did not end, sequences that a list names.

    Args:
        path: folder of any layout, or a list FILE.csv.
        full: decode every image, not only the first and last of each sequence.
        dataset: one of DATASETS; None: what it looks like.
        progress: show a bar on stderr if it takes more than 2 s.

    Raises:
        ValueError: no such folder or list, or no known layout.
    """
    path = Path(path)
    dataset = dataset or recognise(path)
    if dataset not in DATASETS:
        raise ValueError(f"expected a data set of {', '.join(DATASETS)}, got {dataset!r}")
    if dataset == "list":
        return _check_list(path, full, progress)
    found = find_sequences(dataset, path)
    if not found:
        raise ValueError(f"{path}: expected sequences of {dataset}, got none")
    attributes, wrong = _check_lists(dataset, path)
    problems, frames = unfinished_downloads(path) + wrong, 0
    for files in tqdm(found, unit="sequence", delay=2, disable=not progress):
        count, wrong = _check_sequence(files, dataset, full)
        frames += count
        problems += wrong or _check_opening(files, dataset, attributes)
    without = sum(files.boxes is None for files in found) if dataset == "folder" else 0
    return Report(path, dataset, len(found), frames, without, tuple(problems))


def _check_lists(dataset: str, path: Path) -> tuple[Attributes, list[str]]:
    """What lies beside the sequences: their attributes, and which belong to the test set."""
    try:
        select(find_test_set(dataset, path), None, path)
        return attributes_of(dataset, path), []
    except ValueError as error:
        return lambda sequence: (), [str(error)]


def _check_sequence(files: SequenceFiles, dataset: str, full: bool) -> tuple[int, list[str]]:
    """(frames, problems) of one sequence, all of them and not only the first."""
    layout = LAYOUTS.get(dataset, Layout("rgb", "tir", ("groundtruth.txt",)))
    problems = unfinished_downloads(files.folder)
    if dataset in LAYOUTS:
        problems += [f"{files.folder}: {part} is missing" for part in missing_parts(files, layout)]
    rgb = check_camera(files.rgb, False, full) if files.rgb else None
    thermal = check_camera(files.thermal, True, full) if files.thermal else None
    problems += [line for camera in (rgb, thermal) if camera for line in camera.problems]
    if rgb and thermal and rgb.count != thermal.count:
        problems.append(
            f"{files.folder}: both cameras must have equally many frames, "
            f"got {rgb.count} RGB and {thermal.count} thermal"
        )
    camera = rgb or thermal
    assert camera is not None  # find_sequences takes only folders that have one
    truths = ((files.boxes, camera), (files.thermal_boxes, thermal or camera))
    for file, seen_by in truths:
        if file is not None:
            problems += _check_file(file, layout, camera.count, seen_by.size, dataset in LAYOUTS)
    return camera.count, problems


def _check_file(
    file: Path, layout: Layout, frames: int, size: tuple[int, int] | None, published: bool
) -> list[str]:
    """Problems of a file of boxes; our own may say nan where nobody annotated a frame."""
    try:
        boxes = read_annotation(file, layout.corners)
    except ValueError as error:
        return [str(error)]
    problems = []
    if frames:
        try:
            spread(boxes, frames, layout.step, file)
        except ValueError as error:
            problems.append(str(error))
    unknown = np.flatnonzero(np.isnan(boxes).any(axis=1)) if published else ()
    problems += first_of([f"{file}, line {index + 1}: nan instead of a box" for index in unknown])
    return problems + check_boxes(boxes, size, lambda index: f"{file}, line {index + 1}")


def check_boxes(
    boxes: NDArray[np.float64], size: tuple[int, int] | None, where: Callable[[int], str]
) -> list[str]:
    """No box to start from, and boxes wholly outside the image.

    Args:
        boxes: (N, 4) x, y, w, h in pixels of the image.
        size: (width, height) of the image in pixels, None if that is not known.
        where: from a row's index to the place that a message names.
    """
    visible = visible_boxes(boxes)
    problems = []
    if not visible.any():
        problems.append(f"{where(0)}: expected a box in the first frame, got none in any")
    elif not visible[0]:
        problems.append(
            f"{where(0)}: expected a box in the first frame; the first is in "
            f"{where(int(visible.argmax())).rsplit(', ', 1)[1]}"
        )
    if size is None:
        return problems
    outside = visible & (
        (boxes[:, :2] >= size).any(axis=1) | (boxes[:, :2] + boxes[:, 2:] <= 0).any(axis=1)
    )
    return problems + first_of(
        [
            f"{where(index)}: box {','.join(f'{value:g}' for value in boxes[index])} lies outside "
            f"the {size[0]}x{size[1]} image"
            for index in np.flatnonzero(outside).tolist()
        ]
    )


def _check_opening(files: SequenceFiles, dataset: str, attributes: Attributes) -> list[str]:
    """A run will open it the same way: what is clean here has to open there."""
    try:
        if dataset == "folder":
            open_sequence(files.folder, files.boxes)
        else:
            open_files(files, LAYOUTS[dataset], attributes(files.name))
    except ValueError as error:
        return [str(error)]
    return []


def _check_list(path: Path, full: bool, progress: bool) -> Report:
    try:
        found = read_benchmark(path)
    except ValueError as error:
        return Report(path, "list", 0, 0, 0, (str(error),))
    problems = []
    for sequence in tqdm(found, unit="sequence", delay=2, disable=not progress):
        problems += _check_opened(sequence, path, full)
    frames = sum(len(sequence) for sequence in found)
    return Report(path, "list", len(found), frames, 0, tuple(problems))


def _check_opened(sequence: Sequence, path: Path, full: bool) -> list[str]:
    problems, size = [], None
    try:
        first = sequence[0]
        image = first.rgb if first.rgb is not None else first.thermal
        if image is not None:
            size = (image.shape[1], image.shape[0])
        for _ in sequence.frames() if full else [sequence[-1]]:
            pass
    except ValueError as error:
        problems.append(f"{path}, {sequence.name}: {error}")
    boxes = sequence.groundtruth
    return problems + check_boxes(
        boxes, size, lambda index: f"{path}, {sequence.name}, frame {index}"
    )
