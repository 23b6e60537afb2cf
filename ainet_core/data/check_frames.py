"""What may be wrong with the images of one camera: a folder of them or a video."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ainet_core.data import folder
from ainet_core.data.folder import read_rgb, read_thermal
from ainet_core.data.video import VideoFile

SHOWN = 3  # problems of one kind in one place that are written out
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".downloading", ".aria2", ".tmp")
# The decoder fills up a JPEG that breaks off with grey and says nothing: look for its end.
_ENDS = {".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9", ".png": b"IEND"}


@dataclass(frozen=True)
class CameraCheck:
    """One camera's frames.

    Attributes:
        count: how many there are.
        size: (width, height) of the first in pixels, None if it cannot be read.
        problems: what is wrong, each with the file's name.
    """

    count: int
    size: tuple[int, int] | None
    problems: list[str]


def check_camera(path: Path, thermal: bool, full: bool = False) -> CameraCheck:
    """Check numbering and sizes of files; decode the first and last frame, `full`: all."""
    return _check_images(path, thermal, full) if path.is_dir() else _check_video(path, full)


def unfinished_downloads(path: Path) -> list[str]:
    """What a browser or downloader left in a folder when it was stopped."""
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _UNFINISHED)
    return first_of([f"{file}: an unfinished download" for file in files])


def _check_images(path: Path, thermal: bool, full: bool) -> CameraCheck:
    with os.scandir(path) as listing:
        found = [entry for entry in listing if Path(entry.name).suffix.lower() in folder.ENDINGS]
        sizes = {entry.name: entry.stat().st_size for entry in found}
    if not sizes:
        return CameraCheck(0, None, [f"{path}: no images", *unfinished_downloads(path)])
    names = sorted(sizes, key=lambda name: (_number(name), name))
    problems = unfinished_downloads(path)
    problems += first_of([f"{path / name}: a hidden file" for name in names if name[0] == "."])
    problems += first_of([f"{path / name}: an empty file" for name in names if not sizes[name]])
    problems += _check_numbers(path, names)
    size, unreadable = None, []
    for name in names if full else dict.fromkeys((names[0], names[-1])):
        try:
            shape = _decode(path / name, thermal)
        except ValueError as error:
            if sizes[name]:  # an empty file is listed already
                unreadable.append(str(error))
            continue
        if size is not None and shape != size:
            unreadable.append(
                f"{path / name}: expected {_shown(size)} pixels, got {_shown(shape)}"
            )
        size = size or shape
    return CameraCheck(len(names), size, problems + first_of(unreadable))


def _check_video(path: Path, full: bool) -> CameraCheck:
    try:
        frames = VideoFile(path)
    except ValueError as error:
        return CameraCheck(0, None, [str(error)])
    size, problems = None, []
    try:
        height, width = frames[0].shape[:2]
        size = (width, height)
        for _ in frames.between(0 if full else len(frames) - 1, len(frames)):
            pass
    except ValueError as error:
        problems.append(str(error))
    return CameraCheck(len(frames), size, problems)


def _decode(path: Path, thermal: bool) -> tuple[int, int]:
    """(width, height); ValueError if the image cannot be read or its end is missing."""
    height, width = (read_thermal(path) if thermal else read_rgb(path)).shape[:2]
    end = _ENDS.get(path.suffix.lower())
    with path.open("rb") as file:
        file.seek(-min(1024, path.stat().st_size), os.SEEK_END)
        if end is not None and end not in file.read():
            raise ValueError(f"{path}: the image breaks off")
    return width, height


def _check_numbers(path: Path, names: list[str]) -> list[str]:
    """Gaps and repetitions, by the step that is most frequent: some count 1, 2, some 0, 5."""
    numbers = [_number(name) for name in names]
    problems = [f"{path / name}: no number in its name" for name in names if _number(name) < 0]
    pairs = [
        (numbers[index + 1] - numbers[index], names[index], names[index + 1])
        for index in range(len(names) - 1)
        if numbers[index] >= 0
    ]
    if not pairs:
        return first_of(problems)
    jumps = Counter(jump for jump, _, _ in pairs if jump > 0)
    step = max(jumps, key=lambda jump: (jumps[jump], -jump), default=1)
    for jump, before, after in pairs:
        if jump == 0:
            problems.append(f"{path}: {before} and {after} have the same number")
        elif jump > step:
            lost = -(-jump // step) - 1
            problems.append(
                f"{path}: {lost} frame{'s' * (lost > 1)} missing between {before} and {after}"
            )
    return first_of(problems)


def _number(name: str) -> int:
    """The last number in a file's name: 7 of 00007v.jpg; -1 without any."""
    digits = re.findall(r"\d+", Path(name).stem)
    return int(digits[-1]) if digits else -1


def first_of(problems: Iterable[str]) -> list[str]:
    """The first problems of one kind, and how many more there are."""
    problems = list(problems)
    more = [f"  and {len(problems) - SHOWN} more like the last"] if len(problems) > SHOWN else []
    return problems[:SHOWN] + more


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
