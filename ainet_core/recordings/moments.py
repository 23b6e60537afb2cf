"""What both cameras saw, moment after moment: of a sequence of frames, or of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import Sequence


class Moment(NamedTuple):
    """One pair of images, decoded; None for a camera that is silent or sent nonsense."""

    stamp: int  # of the RGB image, or of the only one, ns
    time: int  # when it was recorded, ns
    frame_id: str
    rgb: NDArray[np.uint8] | None  # (H, W, 3)
    thermal: NDArray[Any] | None  # (h, w), or (h, w, 3) false colour
    jumped: bool = False  # stamps went back since the moment before
    trouble: str = ""  # why an image was refused


class Moments(Protocol):
    """A source of moments, to be gone through any number of times."""

    count: int
    rate: float  # moments per second
    start: int  # stamp of the first, ns
    end: int  # stamp of the last
    cameras: tuple[bool, bool]  # is there RGB, is there thermal

    def __iter__(self) -> Iterator[Moment]: ...


class SequenceMoments:
    """The frames of a sequence; stamps count from its start."""

    def __init__(self, sequence: Sequence) -> None:
        self._sequence = sequence
        self.count, self.rate, self.start = len(sequence), sequence.rate, 0
        self.cameras = sequence.rgb is not None, sequence.thermal is not None
        self.end = round((self.count - 1) / self.rate * 1e9)

    def __iter__(self) -> Iterator[Moment]:
        for index, (rgb, thermal) in enumerate(self._sequence.frames()):
            stamp = round(index / self.rate * 1e9)
            yield Moment(stamp, stamp, "", rgb, thermal)
