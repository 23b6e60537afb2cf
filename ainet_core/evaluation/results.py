"""Results on disk: `FOLDER/NAME.txt`, one x,y,w,h per line, as the field exchanges them.

Our own runs keep `NAME.score` and `NAME.seconds` (one number per line) beside the boxes, and say
in `run.json` how they were made. The boxes are written last, so a sequence with boxes is done.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.boxes import read_boxes, write_boxes
from ainet_core.data.groundtruth import GroundTruth
from ainet_core.evaluation.scoring import TrackResult
from ainet_core.whole import write_text_whole


class ResultFolder:
    """The results of one tracker on one data set."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run(self) -> dict[str, Any]:
        """What `run.json` says; empty for results from elsewhere.

        Raises:
            ValueError: the file is there, but is not JSON.
        """
        file = self.path / "run.json"
        if not file.is_file():
            return {}
        try:
            return dict(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{file}: expected a JSON object: {error}") from None

    def write_run(self, run: dict[str, Any]) -> None:
        text = json.dumps(run, indent=2, sort_keys=True) + "\n"
        write_text_whole(self.path / "run.json", text)

    @property
    def names(self) -> list[str]:
        """Of the sequences that have boxes, sorted.

        Raises:
            ValueError: no such folder.
        """
        if not self.path.is_dir():
            raise ValueError(f"no results in {self.path}: no such folder")
        return sorted(file.stem for file in self.path.glob("*.txt"))

    def done(self, name: str, frames: int) -> bool:
        """Whether the sequence has as many boxes as frames."""
        file = self._file(name, ".txt")
        return file.is_file() and len(read_boxes(file)) == frames

    def write(self, name: str, result: TrackResult) -> None:
        for values, ending in ((result.scores, ".score"), (result.seconds, ".seconds")):
            if values is not None:
                text = "".join(f"{value:.6f}\n" for value in values)
                write_text_whole(self._file(name, ending), text)
        write_boxes(self._file(name, ".txt"), result.boxes)

    def read(self, truth: GroundTruth, allow_missing: bool = False) -> tuple[TrackResult, str]:
        """The results of one sequence, and what was wrong with them, "" if nothing.

        Args:
            truth: says how many frames are expected.
            allow_missing: lines that lack are misses, lines too many are left out.

        Raises:
            ValueError: no file, not boxes (names file and line), or another number of lines than
                frames without `allow_missing`.
        """
        file = self._file(truth.name, ".txt")
        if not file.is_file():
            raise ValueError(f"{file}: expected the boxes of {truth.name}, got no file")
        boxes = read_boxes(file)
        wrong = ""
        if len(boxes) != len(truth):
            wrong = f"{file}, line {min(len(boxes), len(truth)) + 1}: expected {len(truth)} "
            wrong += f"boxes, one per frame, got {len(boxes)}"
            if not allow_missing:
                raise ValueError(wrong)
        scores = self._values(truth.name, ".score", len(truth))
        seconds = self._values(truth.name, ".seconds", len(truth))
        return TrackResult(_fitted(boxes, len(truth)), scores, seconds), wrong

    def _file(self, name: str, ending: str) -> Path:
        return self.path / f"{name}{ending}"

    def _values(self, name: str, ending: str, count: int) -> NDArray[np.float64] | None:
        file = self._file(name, ending)
        if not file.is_file():
            return None
        try:
            values = np.loadtxt(file, ndmin=1)
        except ValueError as error:
            raise ValueError(f"{file}: expected one number per line: {error}") from None
        if values.shape != (count,):
            raise ValueError(f"{file}: expected {count} numbers, got shape {values.shape}")
        return values


def _fitted(boxes: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Cut, or filled with boxes that miss. Not annotated (nan) is no answer either."""
    fitted = np.full((count, 4), np.nan)
    fitted[: len(boxes)] = boxes[:count]
    fitted[np.isnan(fitted).any(axis=1)] = (-1e6, -1e6, 0, 0)
    return fitted
