"""Is the target tracked, doubtful, lost or found again? Hysteresis keeps it from flickering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["tracking", "uncertain", "lost", "recovered"]


@dataclass(frozen=True)
class StateThresholds:
    """When a target counts as lost and as found again.

    Attributes:
        lost_below: a confidence under it is doubtful.
        lost_after: so many doubtful frames in a row make the target lost.
        found_above: at such a confidence a frame is sure.
        found_after: so many sure frames in a row, at one place, and a lost target is found again.
        uncertain_after: so many doubtful frames in a row make a tracked target uncertain, until
            a sure one.
        proved_after: so many frames without doubt and a recovered target is simply tracked;
            `uncertain_after` doubtful ones in a row before that, and it is lost again.
    """

    lost_below: float = 0.1
    lost_after: int = 5
    found_above: float = 0.6
    found_after: int = 3
    uncertain_after: int = 2
    proved_after: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.lost_below <= self.found_above <= 1:
            raise ValueError(
                "thresholds must be 0 <= lost_below <= found_above <= 1, got "
                f"lost_below={self.lost_below}, found_above={self.found_above}"
            )
        for name in ("lost_after", "found_after", "uncertain_after", "proved_after"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1 frame, got {getattr(self, name)}")


class TargetState:
    """Follows one target's confidence, frame by frame; it starts tracked.

    While it is lost, the frames of one candidate are to be observed: `drop` when another is begun.
    """

    def __init__(self, thresholds: StateThresholds) -> None:
        self.thresholds = thresholds
        self.state: State = "tracking"
        self._doubtful = 0  # frames in a row
        self._sure = 0  # frames in a row while lost, frames without doubt since recovered

    def observe(self, confidence: float) -> State:
        """Take the next frame's confidence, 0 .. 1."""
        limits = self.thresholds
        self._doubtful = self._doubtful + 1 if confidence < limits.lost_below else 0
        is_sure = confidence >= limits.found_above
        if self.state == "lost":
            self._sure = self._sure + 1 if is_sure else 0
            if self._sure >= limits.found_after:
                self._become("recovered")
        elif self.state == "recovered":
            self._sure += 1
            if self._doubtful >= min(limits.uncertain_after, limits.lost_after):
                self._become("lost")
            elif self._sure >= limits.proved_after and not self._doubtful:
                self._become("tracking")
        elif self._doubtful >= limits.lost_after:
            self._become("lost")
        elif self._doubtful >= limits.uncertain_after:
            self.state = "uncertain"
        elif self.state == "uncertain" and is_sure:
            self._become("tracking")
        return self.state

    def drop(self) -> None:
        """What was seen of a candidate does not count any more."""
        self._sure = 0

    def _become(self, state: State) -> None:
        self.state, self._sure = state, 0
