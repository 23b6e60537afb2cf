"""Follow one target through moments, as the node's worker does it pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.box import BoxLike, as_box
from ainet_core.imaging.thermal import in_rgb_pixels
from ainet_core.recordings.moments import Moment


class TrackerLike(Protocol):
    """What is needed of ainet_core.Tracker; a test hands in something simpler."""

    def init(self, rgb: Any, thermal: Any, box: BoxLike) -> None: ...
    def update(self, rgb: Any, thermal: Any) -> Any: ...


class TargetSource(Protocol):
    """Says where the target is, when it is not followed."""

    def box(self, moment: Moment, state: str) -> BoxLike | None:
        """x, y, w, h in RGB pixels to start on; None: not now."""


@dataclass(frozen=True)
class Answer:
    """The outcome for one moment; `box` None: no target, or it is lost."""

    moment: Moment
    box: NDArray[np.float64] | None  # x, y, w, h in pixels of the RGB image
    score: float
    state: str
    target_id: int
    box_size: tuple[int, int]  # (height, width) of the image whose pixels the box is in
    order: tuple[int, ...] = ()
    trouble: str = ""

    @property
    def cameras(self) -> str:
        """Which images there were, in words."""
        seen = {"rgb": self.moment.rgb, "thermal": self.moment.thermal}
        return ",".join(name for name, image in seen.items() if image is not None) or "none"


@dataclass
class BoxAt:
    """A box that somebody gave: acts once, on the first moment with an image from `stamp` on."""

    given: BoxLike
    stamp: int = 0
    used: bool = False

    def box(self, moment: Moment, state: str) -> BoxLike | None:
        if self.used or moment.stamp < self.stamp:
            return None
        self.used = True
        return self.given


class Detected:
    """A detector's boxes by stamp (ns): taken when there is no target, or it is lost."""

    def __init__(self, boxes: dict[int, BoxLike], slop: float, stamp: int = 0) -> None:
        self._boxes, self._slop, self._first = boxes, round(slop * 1e9), stamp
        self._stamps = np.array(sorted(boxes), np.int64)

    def box(self, moment: Moment, state: str) -> BoxLike | None:
        if state not in ("no target", "lost") or moment.stamp < self._first:
            return None
        if not len(self._stamps):
            return None
        nearest = int(self._stamps[np.abs(self._stamps - moment.stamp).argmin()])
        return self._boxes[nearest] if abs(nearest - moment.stamp) <= self._slop else None


class Follower:
    """Answers one moment after the other, as ainet_ros.worker answers every pair.

    Args:
        tracker: is given every moment on which there is a target.
        source: asked at every moment with an image whether to start on a target there.
    """

    def __init__(self, tracker: TrackerLike, source: TargetSource) -> None:
        self._tracker, self._source = tracker, source
        self._state, self._target_id = "no target", 0
        self._rgb_size: tuple[int, int] | None = None  # (height, width) of the last RGB image
        self._thermal_size = (1, 1)
        self._had_rgb = False  # the tracker has seen the target in an RGB image

    def answer(self, moment: Moment) -> Answer:
        """The next moment's answer.

        Raises:
            ValueError: the source's box has no area or lies outside the image.
        """
        if moment.jumped:
            self._state = "no target"
        if moment.rgb is not None:
            self._rgb_size = moment.rgb.shape[0], moment.rgb.shape[1]
        if moment.thermal is not None:
            self._thermal_size = moment.thermal.shape[0], moment.thermal.shape[1]
        if moment.rgb is None and moment.thermal is None:
            return self._answer(moment, None, 0.0, "error")
        box = self._source.box(moment, self._state)
        if box is not None:
            return self._start(moment, box)
        if self._state == "no target":
            return self._answer(moment, None, 0.0, "no target")
        return self._update(moment)

    def _start(self, moment: Moment, box: BoxLike) -> Answer:
        checked = as_box(box, self._box_size)
        self._had_rgb = moment.rgb is not None
        self._tracker.init(moment.rgb, self._thermal(moment), checked)
        self._state, self._target_id = "tracking", self._target_id + 1
        return self._answer(moment, checked, 1.0, "tracking")

    def _update(self, moment: Moment) -> Answer:
        self._had_rgb = self._had_rgb or moment.rgb is not None
        try:
            found = self._tracker.update(moment.rgb, self._thermal(moment))
        except ValueError as error:  # the one image is of the camera that never saw the target
            return self._answer(moment, None, 0.0, "error", trouble=str(error))
        self._state = str(getattr(found.state, "value", found.state))
        box = None if self._state == "lost" else as_box(found.box)
        order = tuple(getattr(found, "order", ()) or ())
        return self._answer(moment, box, float(found.score), self._state, order)

    def _answer(
        self,
        moment: Moment,
        box: NDArray[np.float64] | None,
        score: float,
        state: str,
        order: tuple[int, ...] = (),
        trouble: str = "",
    ) -> Answer:
        told = trouble or moment.trouble
        return Answer(moment, box, score, state, self._target_id, self._box_size, order, told)

    @property
    def _box_size(self) -> tuple[int, int]:
        return self._rgb_size or self._thermal_size

    def _thermal(self, moment: Moment) -> Any:
        """As the tracker needs it for a box in pixels of the last RGB image, if there was one."""
        thermal, size = moment.thermal, self._rgb_size
        if thermal is None or self._had_rgb or size is None:
            return thermal
        return in_rgb_pixels(thermal, size)
