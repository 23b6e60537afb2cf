"""One-pass evaluation: set the target in the first frame, never help again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import FramePair, Image, Sequence
from ainet_core.evaluation.scoring import TrackResult
from ainet_core.tracking.tracker import Target

Modality = Literal["both", "rgb", "thermal"]
Frames = Callable[[Sequence], Iterator[FramePair]]


class SingleObjectTracker(Protocol):
    """What is evaluated: the contract of `Tracker`."""

    def init(self, rgb: Image | None, thermal: Image | None, box: NDArray[np.float64]) -> None: ...
    def update(self, rgb: Image | None, thermal: Image | None) -> Target: ...


class StaticBox:
    """The first box for ever: what any tracker must beat."""

    def init(self, rgb: Image | None, thermal: Image | None, box: NDArray[np.float64]) -> None:
        self._box = np.asarray(box, dtype=np.float64)

    def update(self, rgb: Image | None, thermal: Image | None) -> Target:
        return Target(self._box.copy(), 1.0, "tracking", ())


def run_sequence(
    tracker: SingleObjectTracker,
    sequence: Sequence,
    modality: Modality = "both",
    frames: Frames = Sequence.frames,
    step: Callable[[], object] = lambda: None,
) -> TrackResult:
    """Track one sequence from its first frame, which must have a box.

    Args:
        frames: what the cameras deliver of a sequence, see `conditions`.
        step: called after each frame, for progress.

    Raises:
        ValueError: the first frame has no box, or there are no images of the chosen camera.
    """
    if not sequence.visible[0]:
        raise ValueError(f"{sequence.name}: the first frame has no box to start from")
    if modality != "both":
        if getattr(sequence, modality) is None:
            raise ValueError(f"{sequence.name}: expected a {modality} camera, got none")
        sequence = sequence.only(modality)
    boxes, scores, seconds = [sequence.groundtruth[0].copy()], [1.0], [0.0]
    for number, (rgb, thermal) in enumerate(frames(sequence)):
        if number == 0:
            tracker.init(rgb, thermal, sequence.groundtruth[0])
        else:
            started = time.perf_counter()
            target = tracker.update(rgb, thermal)
            seconds.append(time.perf_counter() - started)
            boxes.append(target.box)
            scores.append(target.score)
        step()
    return TrackResult(np.array(boxes), np.array(scores), np.array(seconds))
