"""Which images of a recording belong together: the pairs that the node makes in lock-step.

The node pairs with message_filters (ainet_ros.pairing, policies); this is the same rule without
ROS, with the time of recording in place of the time of arrival. A test compares the two.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from ainet_core.stamps import JUMP_BACK_NS, Stamps

POLICIES = ("approximate", "exact", "rgb_leads")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Rules:
    """The node's parameters of the same names, seconds; docs/ros.md explains them."""

    pairing: str = "approximate"
    slop: float = 0.02
    max_offset: float = 0.15
    modality_timeout: float = 1.0
    queue_size: int = 10

    def __post_init__(self) -> None:
        if self.pairing not in POLICIES:
            raise ValueError(f"pairing must be one of {', '.join(POLICIES)}, got {self.pairing!r}")
        for name in ("slop", "max_offset", "modality_timeout"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0 seconds, got {getattr(self, name)}")


class Pair(NamedTuple):
    """What belongs together; a camera that is silent gives None."""

    rgb: Any
    thermal: Any
    stamp: int  # of the RGB image, or of the only one, ns
    time: int  # when the second image was recorded, ns
    jumped: bool  # stamps went back since the pair before: the target is forgotten


@dataclass
class _Camera(Stamps, Generic[Item]):
    """What one camera sent so far."""

    received: int = 0
    arrived: int | None = None
    believed: deque[int] = field(default_factory=lambda: deque(maxlen=2))  # arrivals
    live_since: int = 0
    waiting: dict[int, Item] = field(default_factory=dict)  # stamp -> image

    def refuses(self, stamp: int, time: int) -> bool:
        """Take note of an image; True when nothing can be paired by its stamp."""
        pause = 0 if self.arrived is None else time - self.arrived
        self.received, self.arrived = self.received + 1, time
        if stamp == 0 or self.leaps(stamp, pause):
            return True
        self.believed.append(time)
        return False

    def forget(self) -> None:
        super().forget()
        self.waiting.clear()


class Pairer(Generic[Item]):
    """Takes images in the order in which they were recorded, and gives pairs.

    Args:
        rules: how to pair.
        cameras: indices (0 RGB, 1 thermal) of those that the recording has; one goes on alone.
    """

    def __init__(self, rules: Rules, cameras: tuple[int, ...] = (0, 1)) -> None:
        self._rules = rules
        self._slop = 0 if rules.pairing == "exact" else round(rules.slop * 1e9)
        self._reach, self._timeout = round(rules.max_offset * 1e9), rules.modality_timeout * 1e9
        self._cameras: list[_Camera[Item]] = [_Camera(), _Camera()]
        # What rgb_leads looks through, in the order of arrival.
        self._thermal: deque[tuple[int, Item]] = deque(maxlen=rules.queue_size)
        self._only = cameras[0] if len(cameras) == 1 else None
        self._alone: int | None = self._only
        self._last: int | None = None
        self._jumped = False
        self.refused = 0  # images without a believable stamp
        self.jumps = 0
        self.dropped = 0  # pairs whose moment had passed

    def put(self, index: int, stamp: int, time: int, item: Item) -> Pair | None:
        """The next image: of camera 0 or 1, its stamp and the time of recording in ns."""
        camera = self._cameras[index]
        if camera.refuses(stamp, time):
            self.refused += 1
            return None
        if camera.jumps_back(stamp):
            self._jump(camera, stamp)
        if self._only is None:
            self._follow_silence(index, time)
        if self._alone is None:
            return self._match(index, stamp, time, item)
        if self._alone != index:
            return None
        rgb, thermal = (item, None) if index == 0 else (None, item)
        return self._hand_over(rgb, thermal, stamp, time)

    def _jump(self, camera: _Camera[Item], stamp: int) -> None:
        self.jumps += 1
        self._jumped, self._last = True, None
        self._thermal.clear()
        for each in self._cameras:
            each.forget()
        camera.newest = stamp

    def _follow_silence(self, index: int, time: int) -> None:
        """Go on with one camera when the other is silent, and with both when it is back."""
        camera, other = self._cameras[index], self._cameras[1 - index]
        # Two images within the timeout: one in a while would only make the pairs stutter.
        times, timeout = camera.believed, self._timeout
        steady = len(times) == 2 and (timeout == 0 or times[1] - times[0] <= timeout)
        if not steady:
            camera.live_since = time
        last = max(camera.live_since, other.believed[-1] if other.believed else 0)
        silent = timeout > 0 and time - last > timeout
        if self._alone is None and silent:
            self._alone = index
        elif self._alone == 1 - index and steady:
            self._alone = index if silent else None
        else:
            return
        self._thermal.clear()
        for each in self._cameras:
            each.waiting.clear()

    def _match(self, index: int, stamp: int, time: int, item: Item) -> Pair | None:
        if self._rules.pairing == "rgb_leads":
            return self._lead(index, stamp, time, item)
        mine, theirs = self._cameras[index].waiting, self._cameras[1 - index].waiting
        mine[stamp] = item
        while len(mine) > self._rules.queue_size:
            del mine[min(mine)]
        near = [each for each in theirs if abs(each - stamp) <= self._slop]
        if not near or stamp not in mine:
            return None
        other = min(near, key=lambda each: abs(each - stamp))
        stamps = (stamp, other) if index == 0 else (other, stamp)
        images = [camera.waiting.pop(at) for camera, at in zip(self._cameras, stamps, strict=True)]
        return self._hand_over(images[0], images[1], stamps[0], time)

    def _lead(self, index: int, stamp: int, time: int, item: Item) -> Pair | None:
        if index == 1:
            self._thermal.append((stamp, item))
            return None
        near = [each for each in self._thermal if abs(each[0] - stamp) <= self._reach]
        if not near:
            return None
        return self._hand_over(item, max(near, key=lambda each: each[0])[1], stamp, time)

    def _hand_over(
        self, rgb: Item | None, thermal: Item | None, stamp: int, time: int
    ) -> Pair | None:
        if self._last is not None and 0 <= self._last - stamp < JUMP_BACK_NS:
            self.dropped += 1
            return None  # a repeated or late image: its moment was answered or has passed
        self._last = stamp
        jumped, self._jumped = self._jumped, False
        return Pair(rgb, thermal, stamp, time, jumped)
