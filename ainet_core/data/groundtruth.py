"""The true boxes of one sequence, apart from its images: scoring needs no more than this."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class GroundTruth:
    """What is known about the target of one sequence.

    Attributes:
        name: of the sequence, as its result file is called.
        boxes: (N, 4) x, y, w, h in RGB pixels, as published. nan: not annotated; no area: absent.
        thermal_boxes: (N, 4), the second truth of benchmarks that annotate each camera
            (RGBT234, GTOT, VTUAV), else None.
        attributes: challenges that the benchmark says the sequence has, say "PO", "LI".
        group: kind of scene, where a list says so.
    """

    name: str
    boxes: NDArray[np.float64] = field(repr=False)
    thermal_boxes: NDArray[np.float64] | None = field(default=None, repr=False)
    attributes: tuple[str, ...] = ()
    group: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", checked_boxes(self.name, self.boxes))
        if self.thermal_boxes is not None:
            thermal = checked_boxes(self.name, self.thermal_boxes, len(self.boxes))
            object.__setattr__(self, "thermal_boxes", thermal)

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(N,) whether the frame has a box with an area: annotated, and the target is there."""
        return visible_boxes(self.boxes)


def visible_boxes(boxes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(N,) which of the boxes (N, 4) are known and have an area."""
    return np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1))


def checked_boxes(
    name: str, boxes: NDArray[np.floating], count: int | None = None
) -> NDArray[np.float64]:
    """A read-only copy, (N, 4) float64; ValueError if that is not its shape."""
    copy = np.array(boxes, dtype=np.float64)
    if copy.ndim != 2 or copy.shape[1] != 4 or (count is not None and len(copy) != count):
        expected = "boxes" if count is None else f"{count} boxes"
        raise ValueError(
            f"{name}: expected {expected} x, y, w, h, one per frame, got shape {copy.shape}"
        )
    copy.setflags(write=False)
    return copy
