"""Is the target tracked or lost? Two thresholds with hysteresis keep the state from flickering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["tracking", "lost"]


@dataclass(frozen=True)
class StateThresholds:
    """When a target counts as lost and as found again.

    Attributes:
        lost_below: a score under it is doubtful.
        lost_after: so many doubtful frames in a row make the target lost.
        found_above: a lost target is tracked again at such a score.
    """

    lost_below: float = 0.33
    lost_after: int = 5
    found_above: float = 0.45

    def __post_init__(self) -> None:
        if not 0 <= self.lost_below <= self.found_above <= 1:
            raise ValueError(
                "thresholds must be 0 <= lost_below <= found_above <= 1, got "
                f"lost_below={self.lost_below}, found_above={self.found_above}"
            )
        if self.lost_after < 1:
            raise ValueError(f"lost_after must be >= 1 frame, got {self.lost_after}")


class TargetState:
    """Follows one target's scores, frame by frame; it starts tracked."""

    def __init__(self, thresholds: StateThresholds) -> None:
        self.thresholds = thresholds
        self.state: State = "tracking"
        self._doubtful = 0

    def observe(self, score: float) -> State:
        """Take the next frame's score, 0 .. 1."""
        if self.state == "lost":
            if score >= self.thresholds.found_above:
                self.state, self._doubtful = "tracking", 0
            return self.state
        self._doubtful = self._doubtful + 1 if score < self.thresholds.lost_below else 0
        if self._doubtful >= self.thresholds.lost_after:
            self.state = "lost"
        return self.state
