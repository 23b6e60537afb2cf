"""Between the subscriptions and the worker thread: the newest pair, never a queue.

For a detector, whose answers come late, the pairs of the last second are kept beside it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from ainet_ros.camera import nanoseconds
from ainet_ros.pairing import Pair
from ainet_ros.parameters import Box

HISTORY_S = 1.0  # so long a pair is kept for a detector's answer
HAND_OVER_S = 1e-4  # so long the thread that brings a pair leaves the interpreter to the worker
HISTORY_PAIRS = 30  # and no more: a burst after a stall must not make the process grow


@dataclass
class Request:
    """A target to start on: a box, and the pair that it was marked on once there is one."""

    box: Box  # x, y, w, h in pixels of the RGB image
    pair: Pair | None = None


@dataclass
class Work:
    """What the worker does next: start on `request`, then follow to `pair`."""

    request: Request | None
    pair: Pair | None
    epoch: int  # results of an older epoch are stale: the target was reset meanwhile


class Mailbox:
    """Holds at most one unanswered pair and one unanswered request; all methods are quick."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._worker_waits = False
        self._enabled = True
        self._unread: Pair | None = None
        self._last: Pair | None = None
        self._request: Request | None = None
        self._epoch = 0
        self._history: deque[Pair] = deque(maxlen=HISTORY_PAIRS)
        self.keeps_history = False  # a second of images: only while a detector is there
        self.pairs = 0
        self.skipped = 0

    @property
    def epoch(self) -> int:
        """Grows with every reset."""
        return self._epoch

    @property
    def target_waits(self) -> bool:
        """A target is set and no pair has come yet."""
        request = self._request
        return request is not None and request.pair is None

    @property
    def request_waits(self) -> bool:
        """A target is set and the worker has not begun with it."""
        return self._request is not None

    @property
    def enabled(self) -> bool:
        """Pairs are processed."""
        return self._enabled

    @property
    def newest(self) -> Pair | None:
        """The newest pair that came, answered or not."""
        return self._last

    def put(self, pair: Pair) -> None:
        """Store a pair in place of the one before; one that was never read is skipped."""
        with self._changed:
            self.pairs += 1
            self._drop_unread()
            self._unread = self._last = pair
            self._remember(pair)
            if self._request is not None and self._request.pair is None:
                self._request.pair = pair
            self._changed.notify()
            waits = self._worker_waits
        if waits:  # else that thread goes on to listen anew, and the worker waits until it is done
            time.sleep(HAND_OVER_S)

    def set_target(self, box: Box, pair: Pair | None = None) -> None:
        """Start on `box`: on `pair`, else on the newest one, or on the first one to come."""
        with self._changed:
            if self._request is not None and self._request.pair is not self._unread:
                self._skip(self._request.pair)
            self._request = Request(box, pair or self._last)
            self._changed.notify()

    def find(self, stamp: int, tolerance: int) -> Pair | None:
        """The kept pair nearest to `stamp`, None where none is within `tolerance` (both ns)."""
        with self._changed:
            kept = [*self._history, *([self._last] if self._last else [])]
        near = min(kept, key=lambda pair: abs(nanoseconds(pair) - stamp), default=None)
        return near if near and abs(nanoseconds(near) - stamp) <= tolerance else None

    def reset(self, *, forget_pairs: bool = False) -> None:
        """Drop the target that waits and make every result still being computed stale."""
        with self._changed:
            self._epoch += 1
            if self._request is not None and self._request.pair is not self._unread:
                self._skip(self._request.pair)
            self._request = None
            if forget_pairs:
                self._drop_unread()
                self._unread = self._last = None
                self._history.clear()

    def enable(self, enabled: bool) -> None:
        """While disabled, pairs are counted as skipped; the newest is still kept for a target."""
        with self._changed:
            self._enabled = enabled
            self._changed.notify()

    def close(self) -> None:
        """Wake the worker for the last time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self) -> Work | None:
        """Wait for work and take it out; None once the mailbox is closed."""
        with self._changed:
            self._worker_waits = True
            self._changed.wait_for(self._has_work)
            self._worker_waits = False
            if self._closed:
                return None
            work = Work(None, self._unread, self._epoch)
            if self._request is not None and self._request.pair is not None:
                self._request.pair.taken = True
                work.request, self._request = self._request, None
            if self._unread is not None:
                self._unread.taken = True
            self._unread = None
            return work

    def _has_work(self) -> bool:
        started = self._request is not None and self._request.pair is not None
        return self._closed or (self._enabled and (started or self._unread is not None))

    def _remember(self, pair: Pair) -> None:
        if not self.keeps_history:
            self._history.clear()
            return
        self._history.append(pair)
        while pair.received - self._history[0].received > HISTORY_S:
            self._history.popleft()

    def _drop_unread(self) -> None:
        if self._request is None or self._request.pair is not self._unread:
            self._skip(self._unread)

    def _skip(self, pair: Pair | None) -> None:
        if pair is not None and not pair.taken and not pair.answered:
            self.skipped += 1
            pair.answered = True  # never answered later: each pair is counted once
