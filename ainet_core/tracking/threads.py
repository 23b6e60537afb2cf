"""One CPU thread or all of them: whichever takes less time now.

On an idle machine two threads need two thirds of one's time. Beside a process that keeps one of
the cores busy each of a hundred small steps waits for the thread that is held up, and one thread
alone is faster. A robot has both hours, so it is tried out now and then.

Times are compared by their means: of seven frames beside a busy process five may be as quick as
ever and two take ten times as long, which a median does not see and a controller does.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import torch

FIRST_TRIAL = 10  # frames after which the other number is tried for the first time
EVERY = 100  # frames between two trials
TRIAL = 2  # frames of a trial
GAIN = 0.9  # of the time now: what the other number must beat to be taken
HURRY = 3  # frames after which a mean above all that the other number took ends the wait


class ThreadChoice:
    """Runs each frame with a number of threads, and learns from the time that it took.

    Args:
        most: the alternative to one thread; 1: there is nothing to choose.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"expected at least one thread, got {most}")
        self.threads, self._other = most, 1
        self._times = {count: deque[float](maxlen=7) for count in (most, 1)}
        self._trial, self._until_trial = 0, FIRST_TRIAL

    def fix(self) -> None:
        """Stay with the number of threads."""
        self._other = self.threads

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Torch has the chosen number of threads inside, and what it had before afterwards."""
        count = self._other if self._trial else self.threads
        before = torch.get_num_threads()
        if count != before:
            torch.set_num_threads(count)
        begun = perf_counter()
        try:
            yield
        finally:
            if count != before:
                torch.set_num_threads(before)
            if self._other != self.threads:
                self.learn(perf_counter() - begun)

    def learn(self, seconds: float) -> None:
        """What the frame took; decides about the next ones."""
        trial = self._trial > 0
        taken = self._times[self._other if trial else self.threads]
        taken.append(seconds)
        now, other = (self._times[count] for count in (self.threads, self._other))
        if trial:
            # A slow trial is not prolonged: it would be a stutter every few seconds.
            self._trial = 0 if seconds > 1.5 * statistics.mean(now) else self._trial - 1
            if self._trial:
                return
            self._until_trial = EVERY
            if statistics.mean(list(other)[-TRIAL:]) < GAIN * statistics.mean(now):
                self._change()
        elif self._suddenly_slow(now, other):
            self._change()
            self._until_trial = EVERY
        else:
            self._until_trial -= 1
            if self._until_trial <= 0:
                self._trial = TRIAL
                other.clear()

    def _suddenly_slow(self, now: deque[float], other: deque[float]) -> bool:
        if not other or len(now) < HURRY:
            return False
        return max(other) < GAIN * statistics.mean(now)

    def _change(self) -> None:
        self.threads, self._other = self._other, self.threads
        self._times[self.threads].clear()
