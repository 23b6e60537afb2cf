"""What passes between worker, node and status: the tracker's side, an answer, and progress."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.box import BoxLike
from ainet_ros.pairing import Pair


class TargetLike(Protocol):
    """What `update` returns (ainet_core.Target)."""

    @property
    def box(self) -> NDArray[np.float64]: ...
    @property
    def score(self) -> float: ...
    @property
    def state(self) -> str: ...


class TrackerLike(Protocol):
    """What the node needs of ainet_core.Tracker; a test hands in something simpler."""

    def init(self, rgb: Any, thermal: Any, box: BoxLike) -> None: ...
    def update(self, rgb: Any, thermal: Any) -> TargetLike: ...


@dataclass(frozen=True, eq=False)
class Images:
    """A pair as arrays: RGB (H, W, 3) uint8, thermal (h, w) or (h, w, 3); None where silent."""

    rgb: NDArray[np.uint8] | None = None
    thermal: NDArray[np.generic] | None = None

    @property
    def cameras(self) -> str:
        """Which ones are there, in words."""
        seen = {"rgb": self.rgb is not None, "thermal": self.thermal is not None}
        return ",".join(name for name, there in seen.items() if there) or "none"


@dataclass
class Answer:
    """The outcome for one pair; `box` None: no target, or it is lost."""

    pair: Pair
    box: NDArray[np.float64] | None  # x, y, w, h in pixels of the RGB image
    score: float = 0.0
    target_id: int = 0
    state: str = "no target"
    images: Images = Images()
    box_size: tuple[int, int] = (1, 1)  # (height, width) of the image whose pixels the box is in


@dataclass
class Progress:
    """What the worker did so far, read by the status."""

    processed: int = 0
    failed: int = 0  # pairs with an image that cannot be read, or not tracked; of processed
    failures_in_a_row: int = 0  # of the tracker itself
    state: str = "no target"
    score: float = 0.0
    target_id: int = 0
    order: tuple[int, ...] = ()
    cameras: str = "none"  # which images the newest answer was made from
    pixels: str = "rgb"  # whose pixels the box is in
    frozen: int = 0  # thermal images in a row that equal the one before
    trouble: str = ""  # why the newest target or pair was refused, until one is accepted
    latency: deque[float] = field(default_factory=lambda: deque(maxlen=300))  # seconds
    inference: deque[float] = field(default_factory=lambda: deque(maxlen=300))
    finished: deque[float] = field(default_factory=lambda: deque(maxlen=30))  # monotonic times
