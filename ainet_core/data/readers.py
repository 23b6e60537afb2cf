"""From folders, pairs of videos and benchmark lists to `Sequence`s.

Other people's data is where runs fail, so everything that can be checked without decoding is
checked when a sequence is opened, and said in one sentence with the file's name.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ainet_core.data import folder, video
from ainet_core.data.boxes import read_boxes
from ainet_core.data.folder import ImageFolder
from ainet_core.data.sequence import Frames, Sequence
from ainet_core.data.video import VideoFile

RGB_NAMES = ("visible", "rgb", "color", "colour", "vis")
THERMAL_NAMES = ("infrared", "tir", "thermal", "ir")
_COLUMNS = ("name", "group", "rgb", "thermal", "groundtruth", "first_frame", "last_frame")


def open_sequence(
    path: str | Path,
    groundtruth: str | Path | None = None,
    *,
    allow_missing: bool = False,
    rate: float | None = None,
) -> Sequence:
    """Open a folder: `visible.mp4` and `infrared.mp4`, or image folders `rgb/` and `tir/`.

    Args:
        path: the folder; either camera may be missing. Names: see RGB_NAMES, THERMAL_NAMES.
        groundtruth: the boxes' file, relative to the folder, or what follows `groundtruth_` in its
            name ("2" for `groundtruth_2.txt`). None: `groundtruth.txt`, if there is one, or
            the only `groundtruth_*.txt`.
        allow_missing: frames beyond the last line of boxes are "not annotated", not an error.
        rate: frames per second, for images (default 30); videos know theirs.

    Raises:
        ValueError: not readable, or the parts do not fit each other.
    """
    path = Path(path)
    if not path.is_dir():
        raise ValueError(f"cannot open sequence {path}: no such folder")
    rgb, thermal = _find_camera(path, RGB_NAMES), _find_camera(path, THERMAL_NAMES)
    if rgb is None and thermal is None:
        raise ValueError(
            f"cannot open sequence {path}: expected {RGB_NAMES[0]}.mp4 or {RGB_NAMES[1]}/ and "
            f"{THERMAL_NAMES[0]}.mp4 or {THERMAL_NAMES[1]}/, got neither"
        )
    boxes = _find_boxes(path, groundtruth)
    name = path.resolve().name
    if boxes is not None and boxes.stem.startswith("groundtruth_"):
        name += boxes.stem.removeprefix("groundtruth")
    return _join(name, rgb, thermal, boxes, allow_missing=allow_missing, rate=rate)


def open_videos(
    rgb: str | Path | None,
    thermal: str | Path | None,
    groundtruth: str | Path | None = None,
    *,
    name: str = "",
    allow_missing: bool = False,
    rate: float | None = None,
) -> Sequence:
    """Open a pair of videos (or of image folders), or either alone; boxes if there are any.

    `allow_missing`, `rate` and errors as in `open_sequence`; `name` defaults to the file's.
    """
    first = rgb if rgb is not None else thermal
    if first is None:
        raise ValueError("expected an RGB video, a thermal video or both, got neither")
    return _join(
        name or Path(first).stem,
        None if rgb is None else Path(rgb),
        None if thermal is None else Path(thermal),
        None if groundtruth is None else Path(groundtruth),
        allow_missing=allow_missing,
        rate=rate,
    )


def read_benchmark(csv_file: str | Path, root: str | Path | None = None) -> list[Sequence]:
    """Open every sequence of a list: name, group, rgb, thermal, groundtruth, first and last frame.

    Args:
        csv_file: columns as named; either camera may be empty; `last_frame` is inclusive. Boxes
            belong to the whole video, from its first frame.
        root: folder that the files are relative to (default: the list's own).

    Raises:
        ValueError: names the list's line and what does not fit.
    """
    csv_file = Path(csv_file)
    root = csv_file.parent if root is None else Path(root)
    try:
        with csv_file.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {csv_file}: {error}") from None
    lacking = [column for column in _COLUMNS if column not in columns]
    if lacking:
        raise ValueError(
            f"{csv_file}: expected columns {', '.join(_COLUMNS)}, missing {', '.join(lacking)}"
        )
    sequences = []
    for line, row in enumerate(rows, start=2):
        try:
            sequences.append(_open_row(row, root))
        except ValueError as error:
            raise ValueError(f"{csv_file}, line {line}: {error}") from None
    return sequences


def _open_row(row: dict[str, str], root: Path) -> Sequence:
    if any(row[column] is None for column in _COLUMNS):
        raise ValueError(f"expected {len(_COLUMNS)} values")
    try:
        first, last = int(row["first_frame"]), int(row["last_frame"])
    except ValueError:
        raise ValueError(
            "first_frame and last_frame must be whole numbers, "
            f"got {row['first_frame']!r} and {row['last_frame']!r}"
        ) from None
    whole = open_videos(
        root / row["rgb"] if row["rgb"] else None,
        root / row["thermal"] if row["thermal"] else None,
        root / row["groundtruth"],
        name=row["name"],
        allow_missing=True,
    )
    if not 0 <= first <= last < len(whole):
        raise ValueError(
            f"frames must lie in 0..{len(whole) - 1}, got first_frame {first}, last_frame {last}"
        )
    lines = len(read_boxes(root / row["groundtruth"]))
    if lines <= last:
        raise ValueError(
            f"{root / row['groundtruth']}: expected boxes up to frame {last}, "
            f"one per frame of the whole video, got {lines}"
        )
    part = whole[first : last + 1]
    return Sequence(part.name, part.rgb, part.thermal, part.groundtruth, part.rate, row["group"])


def _join(
    name: str,
    rgb: Path | None,
    thermal: Path | None,
    boxes: Path | None,
    *,
    allow_missing: bool,
    rate: float | None,
) -> Sequence:
    rgb_frames = None if rgb is None else _open_camera(rgb, thermal=False)
    thermal_frames = None if thermal is None else _open_camera(thermal, thermal=True)
    cameras = [frames for frames in (rgb_frames, thermal_frames) if frames is not None]
    if len({len(frames) for frames in cameras}) > 1:
        raise ValueError(
            f"{rgb} and {thermal} must have equally many frames, "
            f"got {len(cameras[0])} and {len(cameras[1])}"
        )
    frames = cameras[0]
    if rate is None:
        rate = frames.rate if isinstance(frames, VideoFile) else 30.0
    groundtruth = _boxes_for(boxes, len(frames), allow_missing)
    return Sequence(name, rgb_frames, thermal_frames, groundtruth, rate)


def _open_camera(path: Path, thermal: bool) -> Frames:
    return ImageFolder(path, thermal) if path.is_dir() else VideoFile(path, thermal)


def _boxes_for(path: Path | None, count: int, allow_missing: bool) -> NDArray[np.float64]:
    boxes = np.full((count, 4), np.nan)
    if path is None:
        return boxes
    known = read_boxes(path)
    if len(known) > count or (len(known) < count and not allow_missing):
        raise ValueError(
            f"{path}: expected {count} boxes, one per frame, got {len(known)}"
            + (" (allow_missing takes the rest as not annotated)" if len(known) < count else "")
        )
    boxes[: len(known)] = known
    return boxes


def _find_camera(path: Path, names: tuple[str, ...]) -> Path | None:
    """The video or image folder of one camera; two of them are a question, not a choice."""
    found = [
        entry
        for entry in sorted(path.iterdir())
        if entry.stem.lower() in names
        and (entry.suffix.lower() in video.ENDINGS or (entry.is_dir() and _has_images(entry)))
    ]
    if len(found) > 1:
        raise ValueError(
            f"cannot open sequence {path}: expected one of "
            f"{' and '.join(entry.name for entry in found)} for the same camera, got both"
        )
    return found[0] if found else None


def _has_images(path: Path) -> bool:
    return any(entry.suffix.lower() in folder.ENDINGS for entry in path.iterdir())


def _find_boxes(path: Path, wanted: str | Path | None) -> Path | None:
    if wanted is not None:
        for candidate in (path / wanted, path / f"groundtruth_{wanted}.txt", Path(wanted)):
            if candidate.is_file():
                return candidate
        raise ValueError(
            f"cannot open sequence {path}: expected boxes in {wanted} or "
            f"groundtruth_{wanted}.txt, got neither"
        )
    if (path / "groundtruth.txt").is_file():
        return path / "groundtruth.txt"
    numbered = sorted(path.glob("groundtruth_*.txt"))
    if len(numbered) > 1:
        names = ", ".join(file.name for file in numbered)
        raise ValueError(
            f"cannot open sequence {path}: expected the groundtruth to be named, got {names}"
        )
    return numbered[0] if numbered else None
