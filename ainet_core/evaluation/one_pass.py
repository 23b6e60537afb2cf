"""One-pass evaluation: set the target in the first frame, never help again."""

from __future__ import annotations

import time
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import Image, Sequence
from ainet_core.evaluation.metrics import precision_rate, success_rate
from ainet_core.tracking.tracker import Target

Modality = Literal["both", "rgb", "thermal"]


class SingleObjectTracker(Protocol):
    """What is evaluated: the contract of `Tracker`."""

    def init(self, rgb: Image | None, thermal: Image | None, box: NDArray[np.float64]) -> None: ...
    def update(self, rgb: Image | None, thermal: Image | None) -> Target: ...


@dataclass(frozen=True)
class SequenceResult:
    """Boxes (n, 4), scores (n,), seconds (n,) of one sequence; the first box is the given one."""

    sequence: Sequence
    boxes: NDArray[np.float64] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)
    seconds: NDArray[np.float64] = field(repr=False)

    @property
    def success(self) -> float:
        return success_rate(self.boxes, self.sequence.groundtruth)

    @property
    def precision(self) -> float:
        return precision_rate(self.boxes, self.sequence.groundtruth)

    @property
    def frames_per_second(self) -> float:
        return float(1 / np.median(self.seconds[1:])) if len(self.seconds) > 1 else float("nan")


class StaticBox:
    """The first box for ever: what any tracker must beat."""

    def init(self, rgb: Image | None, thermal: Image | None, box: NDArray[np.float64]) -> None:
        self._box = np.asarray(box, dtype=np.float64)

    def update(self, rgb: Image | None, thermal: Image | None) -> Target:
        return Target(self._box.copy(), 1.0, "tracking", ())


def run_sequence(
    tracker: SingleObjectTracker, sequence: Sequence, modality: Modality = "both"
) -> SequenceResult:
    """Track one sequence from its first annotated frame, which must be the first frame.

    Raises:
        ValueError: the first frame has no box, or no image of the chosen camera.
    """
    if not sequence.visible[0]:
        raise ValueError(f"{sequence.name}: the first frame has no box to start from")
    if modality != "both":
        sequence = sequence.only(modality)
    boxes, scores, seconds = [sequence.groundtruth[0].copy()], [1.0], [0.0]
    for number, (rgb, thermal) in enumerate(sequence.frames()):
        if number == 0:
            tracker.init(rgb, thermal, sequence.groundtruth[0])
            continue
        started = time.perf_counter()
        target = tracker.update(rgb, thermal)
        seconds.append(time.perf_counter() - started)
        boxes.append(target.box)
        scores.append(target.score)
    return SequenceResult(sequence, np.array(boxes), np.array(scores), np.array(seconds))


@dataclass(frozen=True)
class GroupFigures:
    """Means over the sequences of one group."""

    group: str
    sequences: int
    success: float
    precision: float


def by_group(results: Items[SequenceResult]) -> list[GroupFigures]:
    """Figures for each group in order of first appearance, then for the mean over groups."""
    groups: dict[str, list[SequenceResult]] = {}
    for result in results:
        groups.setdefault(result.sequence.group, []).append(result)
    rows = [
        GroupFigures(
            name,
            len(members),
            float(np.nanmean([r.success for r in members])),
            float(np.nanmean([r.precision for r in members])),
        )
        for name, members in groups.items()
    ]
    mean = GroupFigures(
        "mean over groups",
        len(results),
        float(np.mean([row.success for row in rows])),
        float(np.mean([row.precision for row in rows])),
    )
    return [*rows, mean]
