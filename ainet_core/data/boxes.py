"""Boxes as plain text: one line per frame, x,y,w,h in pixels, the origin top left.

Commas, tabs and spaces separate alike when reading, since every benchmark has its own habit.
`nan,nan,nan,nan` is a frame that nobody annotated, `0,0,0,0` one in which the target is absent.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ainet_core.whole import write_text_whole

_SEPARATOR = re.compile(r"\s*,\s*|\s+")


def read_boxes(path: str | Path) -> NDArray[np.float64]:
    """Read a text file of boxes.

    Returns:
        (N, 4) x, y, w, h; nan where a frame is not annotated.

    Raises:
        ValueError: not readable, empty, or a line that is not four numbers; names file and line.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ValueError(f"cannot read boxes from {path}: {reason}") from None
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError(f"{path} must hold one box x,y,w,h per line, got an empty file")
    return np.array([_parse(line, path, number) for number, line in enumerate(lines, start=1)])


def write_boxes(path: str | Path, boxes: NDArray[np.floating]) -> None:
    """Write (N, 4) boxes, 4 decimals, whole or not at all.

    The file is written beside its place and moved there, so that a run that is killed leaves
    either the old file or the new one, never half of it.
    """
    boxes = np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must be (N, 4) x, y, w, h, got shape {boxes.shape}")
    rows = (",".join(_show(value) for value in box) + "\n" for box in boxes.tolist())
    write_text_whole(Path(path), "".join(rows))


def _parse(line: str, path: Path, number: int) -> list[float]:
    try:
        box = [float(word) for word in _SEPARATOR.split(line.strip())]
    except ValueError:
        box = []
    known = np.isfinite(box)
    if len(box) != 4 or np.isinf(box).any() or known.any() != known.all():
        shown = line.strip()[:60]
        raise ValueError(
            f"{path}, line {number}: expected 4 numbers x,y,w,h or four nan, got {shown!r}"
        )
    return box


def _show(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if np.isfinite(value) else "nan"
