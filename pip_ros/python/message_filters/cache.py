"""The last few messages of one filter, to be asked for by time."""

from typing import Any

from rclpy.time import Time

from .simple_filter import SimpleFilter
from .stamps import stamp_of


class Cache(SimpleFilter):
    """Keeps the newest `cache_size` messages, in order of arrival, not of time."""

    def __init__(self, f: Any, cache_size: int = 1, allow_headerless: bool = False) -> None:
        super().__init__()
        self.cache_size = cache_size
        self.allow_headerless = allow_headerless
        self.cache_msgs: list[Any] = []
        self.cache_times: list[Time] = []
        self.connectInput(f)

    def connectInput(self, f: Any) -> None:  # noqa: N802
        """Take the messages of `f` from now on."""
        self.incoming_connection = f.registerCallback(self.add)

    def add(self, msg: Any) -> None:
        """Keep a message, forget the oldest one if there are too many, hand it on."""
        stamp = stamp_of(msg, self.allow_headerless, "message_filters_cache")
        if stamp is None:
            return
        self.cache_msgs.append(msg)
        self.cache_times.append(stamp)
        if len(self.cache_msgs) > self.cache_size:
            del self.cache_msgs[0], self.cache_times[0]
        self.signalMessage(msg)

    def getInterval(self, from_stamp: Time, to_stamp: Time) -> list[Any]:  # noqa: N802
        """Return the messages of this time span, both ends included."""
        assert from_stamp <= to_stamp, "from_stamp must not be later than to_stamp"
        return [m for m, t in self._entries() if from_stamp <= t <= to_stamp]

    def getElemAfterTime(self, stamp: Time) -> Any | None:  # noqa: N802
        """Return the first arrived message at or after this time."""
        return next((m for m, t in self._entries() if t >= stamp), None)

    def getElemBeforeTime(self, stamp: Time) -> Any | None:  # noqa: N802
        """Return the last arrived message at or before this time."""
        before = [m for m, t in self._entries() if t <= stamp]
        return before[-1] if before else None

    def getLastestTime(self) -> Time | None:  # noqa: N802
        """Return the stamp of the last arrived message (so spelt upstream)."""
        return self.cache_times[-1] if self.cache_times else None

    def getOldestTime(self) -> Time | None:  # noqa: N802
        """Return the stamp of the first arrived message that is still here."""
        return self.cache_times[0] if self.cache_times else None

    def getLast(self) -> Any | None:  # noqa: N802
        """Return the first arrived message at or after the last arrived one's stamp."""
        latest = self.getLastestTime()
        return None if latest is None else self.getElemAfterTime(latest)

    def _entries(self) -> list[tuple[Any, Time]]:
        return list(zip(self.cache_msgs, self.cache_times, strict=True))
