"""What the page shows now. The tracker leaves references here and goes on; nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.box import BoxLike

HISTORY = 1200  # scores kept: 40 s at 30 frames/s


@dataclass(frozen=True, eq=False)
class Frame:
    """One answer of the tracker, with the images that it was made from.

    Args:
        rgb: (H, W, 3) uint8, None when that camera is silent.
        thermal: any thermal image that shows the same view, or None.
        box_size: (height, width) of the image whose pixels the box is in.
        box: x, y, w, h; None without a target, or when it is lost.
        index: in its recording, from 0.
    """

    rgb: NDArray[np.uint8] | None
    thermal: NDArray[Any] | None
    box_size: tuple[int, int]
    box: BoxLike | None = None
    score: float = 0.0
    state: str = "no target"
    target_id: int = 0
    index: int = 0


@dataclass(frozen=True)
class Score:
    """One frame of the history."""

    number: int  # frames since the page began
    time: float  # time.monotonic()
    score: float
    state: str


@dataclass(frozen=True)
class News:
    """What a client has not seen yet."""

    number: int  # of the frame; 0 before the first
    version: int  # grows with everything that can be shown
    frame: Frame | None
    values: Mapping[str, str]
    scores: list[Score] = field(default_factory=list)


class Live:
    """The newest frame, the newest status and the last scores; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._values: Mapping[str, str] = {}
        self._scores: deque[Score] = deque(maxlen=HISTORY)
        self._number = self._version = 0
        self._wake: Callable[[], None] | None = None

    def show(self, frame: Frame, values: Mapping[str, str] | None = None) -> None:
        """Show this frame instead of the one before: keeps a reference, does nothing else.

        Args:
            values: a status that belongs to the frame, see `tell`; None: it stays.
        """
        with self._lock:
            self._frame = frame
            if values is not None:
                self._values = dict(values)
            self._number += 1
            self._scores.append(
                Score(self._number, time.monotonic(), float(frame.score), frame.state)
            )
            self._changed()

    def tell(self, values: Mapping[str, str]) -> None:
        """Show this status: lifecycle, state, trouble, latency, drops, ... in words."""
        with self._lock:
            self._values = dict(values)
            self._changed()

    def on_change(self, wake: Callable[[], None] | None) -> None:
        """`wake` is called after every change, by the thread that changed; None: by nobody.

        It is set only while somebody looks, must be quick and must not raise.
        """
        with self._lock:
            self._wake = wake

    def since(self, number: int) -> News:
        """Everything as it is now, with the scores of the frames after `number`."""
        with self._lock:
            new = list(takewhile(lambda score: score.number > number, reversed(self._scores)))
            return News(self._number, self._version, self._frame, self._values, new[::-1])

    def _changed(self) -> None:
        self._version += 1
        if self._wake is not None:
            self._wake()
