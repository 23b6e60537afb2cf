"""A log that says each kind of thing now and then, however often it happens.

rclpy throttles by line of code: two faults that are told by the same line would hide each other.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any

PERIOD_S = 5.0
MOST_KINDS = 200  # remembered; sentences may hold what others sent


class ThrottledLog:
    """Tells a kind of trouble at once, and then at most once per period with a count."""

    def __init__(self, logger: Any, period: float = PERIOD_S) -> None:
        self._logger, self._period = logger, period
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, int]] = {}  # kind -> when, how often kept back since

    def warning(self, sentence: str, kind: str) -> None:
        """Say what went wrong; `kind` names what counts as the same trouble,
        numbers aside."""
        if (told := self._turn(sentence, kind)) is not None:
            self._logger.warning(told)

    def error(self, sentence: str, kind: str) -> None:
        """As `warning`, for what a human must repair."""
        if (told := self._turn(sentence, kind)) is not None:
            self._logger.error(told)

    def _turn(self, sentence: str, kind: str) -> str | None:
        now, kind = time.monotonic(), re.sub(r"[\d.]+", "#", kind)  # whatever its numbers are
        with self._lock:
            if len(self._told) >= MOST_KINDS:
                self._told.clear()
            when, held = self._told.get(kind, (-self._period, 0))
            if now - when < self._period:
                self._told[kind] = when, held + 1
                return None
            self._told[kind] = now, 0
        return f"{sentence} ({held} more like it before)" if held else sentence
