"""Which stamps of one camera are believed, in a node as in a recording. All in nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass

JUMP_BACK_NS = 500_000_000  # a stamp this far back is a looped bag or a reset clock, not jitter
LATE_IN_A_ROW = 3  # as many late images in a row are a jump back too, however short the loop is
LEAP_NS = 30_000_000_000  # so far ahead without a pause is believed when the next image agrees


@dataclass(kw_only=True)
class Stamps:
    """What one camera's stamps were so far."""

    newest: int | None = None
    late: int = 0  # in a row
    ahead: int | None = None  # a stamp far ahead that the next image may confirm

    def leaps(self, stamp: int, pause: float) -> bool:
        """Is the next stamp too far ahead, `pause` ns after the image before, to be believed?"""
        leap = 0 if self.newest is None else stamp - self.newest
        agreed = self.ahead is not None and abs(stamp - self.ahead) < LEAP_NS
        if leap < LEAP_NS or leap < 2 * pause or agreed:
            self.ahead = None
            return False
        self.ahead = stamp
        return True

    def jumps_back(self, stamp: int) -> int:
        """By how much the time jumped back with a believed stamp; 0 where it did not."""
        if self.newest is None or stamp >= self.newest:
            self.newest, self.late = stamp, 0
            return 0
        self.late += 1
        back = self.newest - stamp
        if back < JUMP_BACK_NS and self.late < LATE_IN_A_ROW:
            return 0
        self.newest = stamp
        return back

    def forget(self) -> None:
        """Every stamp seen so far is of another time."""
        self.newest, self.late, self.ahead = None, 0, None
