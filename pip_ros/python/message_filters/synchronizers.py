"""Sets of messages, one from each filter, of the same or nearly the same time.

What upstream does and this module therefore does too (a node has to contain it):
- the callback runs while the plain lock is held, so it must neither be slow nor signal an input;
- a callback that raises leaves the lock held: the next message waits for ever;
- a full queue drops its *smallest* stamp, which after a jump back in time is the new message;
- the approximate match needs (newest - oldest) < slop, strictly: slop 0 never matches.
"""

import itertools
import threading
from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.time import Time

from .simple_filter import SimpleFilter
from .stamps import stamp_of

Queue = dict[int, Any]  # stamp in ns -> message


class TimeSynchronizer(SimpleFilter):
    """Signals one message of each filter once all have the very same stamp."""

    def __init__(self, fs: Sequence[Any], queue_size: int) -> None:
        super().__init__()
        self.queue_size = queue_size
        self.lock = threading.Lock()
        self.connectInput(fs)

    def connectInput(self, fs: Sequence[Any]) -> None:  # noqa: N802
        """Start with empty queues, one for each filter."""
        self.queues: list[Queue] = [{} for _ in fs]
        self.input_connections = [
            f.registerCallback(self.add, queue, index)
            for index, (f, queue) in enumerate(zip(fs, self.queues, strict=True))
        ]

    def add(self, msg: Any, my_queue: Queue, my_queue_index: int | None = None) -> None:
        """Take a message; signal each stamp that is now in every queue, the oldest first."""
        self.lock.acquire()  # not `with`: an exception leaves upstream's lock held
        self._enqueue(Time.from_msg(msg.header.stamp).nanoseconds, msg, my_queue)
        for stamp in sorted(set.intersection(*map(set, self.queues))):
            self._signal([stamp] * len(self.queues))
        self.lock.release()

    def _enqueue(self, stamp: int, msg: Any, queue: Queue) -> None:
        queue[stamp] = msg  # a repeated stamp takes the earlier message's place
        while len(queue) > self.queue_size:
            del queue[min(queue)]

    def _signal(self, stamps: Sequence[int]) -> None:
        self.signalMessage(*(q[s] for q, s in zip(self.queues, stamps, strict=True)))
        for queue, stamp in zip(self.queues, stamps, strict=True):
            del queue[stamp]


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Signals one message of each filter once their stamps differ by less than `slop` seconds."""

    def __init__(
        self,
        fs: Sequence[Any],
        queue_size: int,
        slop: float,
        allow_headerless: bool = False,
    ) -> None:
        super().__init__(fs, queue_size)
        self.slop = Duration(seconds=slop)
        self.allow_headerless = allow_headerless

    def add(self, msg: Any, my_queue: Queue, my_queue_index: int | None = None) -> None:
        """Take a message; signal it with the first set of near messages, if there is one."""
        time = stamp_of(msg, self.allow_headerless, "message_filters_approx")
        if time is None:
            return
        self.lock.acquire()
        self._enqueue(time.nanoseconds, msg, my_queue)
        stamps = self._first_match(time.nanoseconds, my_queue_index)
        if stamps is not None:
            self._signal(stamps)
        self.lock.release()

    def _first_match(self, stamp: int, index: int | None) -> list[int] | None:
        """Greedy: try each queue's stamps in order of distance to the new one; no later regret."""
        slop = self.slop.nanoseconds
        others = [queue for i, queue in enumerate(self.queues) if i != index]
        near = [
            sorted((s for s in queue if abs(s - stamp) <= slop), key=lambda s: abs(s - stamp))
            for queue in others
        ]
        for candidate in itertools.product(*near):
            stamps = list(candidate)
            if index is not None:
                stamps.insert(index, stamp)
            # The new message may be gone again already: the smallest stamp of a full queue is.
            here = all(s in q for q, s in zip(self.queues, stamps, strict=True))
            if here and max(stamps) - min(stamps) < slop:
                return stamps
        return None
