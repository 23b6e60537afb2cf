"""The one thread that infers: takes the newest pair, answers it with exactly one message."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ainet_core.box import BoxLike, as_box
from ainet_ros.conversions import rgb_array, thermal_array
from ainet_ros.mailbox import Mailbox, Request, Work
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


@dataclass
class Answer:
    """The outcome for one pair; `box` None: no target, or it is lost."""

    pair: Pair
    box: NDArray[np.float64] | None
    score: float = 0.0
    target_id: int = 0
    rgb: NDArray[np.uint8] | None = None
    thermal: NDArray[np.generic] | None = None


@dataclass
class Progress:
    """What the worker did so far, read by the status."""

    processed: int = 0
    failed: int = 0  # pairs that could not be read or tracked; part of processed
    state: str = "no target"
    score: float = 0.0
    target_id: int = 0
    order: tuple[int, ...] = ()
    trouble: str = ""  # why the newest target or pair was refused, until one is accepted
    latency: deque[float] = field(default_factory=lambda: deque(maxlen=300))  # seconds
    inference: deque[float] = field(default_factory=lambda: deque(maxlen=300))
    finished: deque[float] = field(default_factory=lambda: deque(maxlen=30))  # monotonic times


class Worker:
    """Runs the tracker over a mailbox.

    Args:
        tracker: used by this thread only.
        mailbox: where pairs, targets and resets come from.
        publish: sends one answer; called once for every pair that is processed.
        warn: logs what went wrong; `throttled=False` for what must always be told.
        changed: called after the state or the trouble changed.
    """

    def __init__(
        self,
        tracker: TrackerLike,
        mailbox: Mailbox,
        publish: Callable[[Answer], None],
        warn: Callable[..., None],
        changed: Callable[[], None],
    ) -> None:
        self.progress = Progress()
        self._tracker, self._mailbox = tracker, mailbox
        self._publish, self._warn, self._changed = publish, warn, changed
        self._tracking_epoch: int | None = None  # the epoch whose target the tracker follows
        self._thread = threading.Thread(target=self._run, name="ainet_worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 10.0) -> bool:
        """End the thread after the pair in hand; False when it did not end in time."""
        self._mailbox.close()
        if self._thread.is_alive():
            self._thread.join(patience)
        return not self._thread.is_alive()

    def reset(self) -> None:
        """Say at once what a reset of the mailbox means; the thread sees the new epoch itself."""
        self.progress.trouble = ""
        self._set_state("no target", 0.0)

    def refuse(self, sentence: str) -> None:
        """Record and report why a target was not taken; the one before stays."""
        self.progress.trouble = f"target refused: {sentence}"
        self._warn(self.progress.trouble, throttled=False)
        self._changed()

    def _run(self) -> None:
        while (work := self._mailbox.take()) is not None:
            try:
                self._do(work)
            except Exception as error:  # the thread must outlive whatever one pair holds
                self._warn(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")

    def _do(self, work: Work) -> None:
        pairs = [work.pair]
        if work.request is not None:
            pairs.insert(0, work.request.pair)
            self._start_on(work.request, work.epoch)
        for pair in pairs:
            if pair is not None and not pair.answered:
                self._follow(pair, work.epoch)

    def _start_on(self, request: Request, epoch: int) -> None:
        pair = request.pair
        assert pair is not None
        begun = time.monotonic()
        try:
            box = as_box(request.box, pair.size)
            rgb, thermal = self._images(pair)
            self._tracker.init(rgb, thermal, box)
        except ValueError as error:
            self.refuse(str(error))
            return
        except Exception as error:
            self.refuse(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
            return
        if self._mailbox.epoch != epoch:  # reset meanwhile: this target is not wanted any more
            return
        self._tracking_epoch = epoch
        self.progress.target_id += 1
        self.progress.trouble = ""
        if not pair.answered:
            self._answer(Answer(pair, box, 1.0, self.progress.target_id, rgb, thermal), begun)
        self._set_state("tracking", 1.0)

    def _follow(self, pair: Pair, epoch: int) -> None:
        begun = time.monotonic()
        answer = Answer(pair, None, 0.0, self.progress.target_id)
        state = "no target"
        try:
            answer.rgb, answer.thermal = self._images(pair)
            if self._tracking_epoch == epoch:
                target = self._tracker.update(answer.rgb, answer.thermal)
                state, answer.score = target.state, float(target.score)
                self.progress.order = tuple(getattr(target, "order", ()) or ())
                if state == "tracking":
                    answer.box = as_box(target.box)
        except Exception as error:
            state = self._failed(error)
        if self._mailbox.epoch != epoch:  # reset meanwhile: what was found is of no interest
            state, answer.box = "no target", None
        self._answer(answer, begun)
        self._set_state(state, answer.score)

    def _images(self, pair: Pair) -> tuple[NDArray[np.uint8], NDArray[np.generic]]:
        try:
            rgb = rgb_array(pair.rgb)
        except ValueError as error:
            raise ValueError(f"RGB image refused: {error}") from None
        try:
            return rgb, thermal_array(pair.thermal)
        except ValueError as error:
            raise ValueError(f"thermal image refused: {error}") from None

    def _failed(self, error: Exception) -> str:
        self.progress.failed += 1
        known = isinstance(error, ValueError)
        what = str(error) if known else f"{type(error).__name__}: {error}"
        self._warn(what if known else f"{what}\n{traceback.format_exc()}")
        self.progress.trouble = what
        return "error"

    def _answer(self, answer: Answer, begun: float) -> None:
        answer.pair.answered = True
        self.progress.processed += 1
        self.progress.inference.append(time.monotonic() - begun)
        self._publish(answer)
        now = time.monotonic()
        self.progress.latency.append(now - answer.pair.received)
        self.progress.finished.append(now)

    def _set_state(self, state: str, score: float) -> None:
        changed = state != self.progress.state
        if state != "error" and self.progress.state == "error":
            self.progress.trouble = ""
        self.progress.state, self.progress.score = state, score
        if changed:
            self._changed()
