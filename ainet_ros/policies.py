"""Which images belong together: three policies, all on message_filters.

What upstream's filters do and a node has to live with: they call back under a plain lock and keep
it for ever when the callback raises; the approximate one compares with `<`; after stamps jumped
back it throws the new images away; none can be emptied. So a policy is cheap and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import message_filters
from rclpy.clock import ClockType
from rclpy.time import Time

from ainet_ros.camera import ImageMessage, nanoseconds
from ainet_ros.parameters import Settings

Paired = Callable[[ImageMessage, ImageMessage], None]


class Gate:
    """What a synchronizer sees as a filter: passes on what it is given."""

    def __init__(self) -> None:
        self.callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def registerCallback(self, callback: Callable[..., None], *args: Any) -> int:  # noqa: N802
        self.callbacks.append((callback, args))
        return len(self.callbacks) - 1

    def put(self, message: ImageMessage) -> None:
        for callback, args in self.callbacks:
            callback(message, *args)


class RgbLeads:
    """Every RGB image with the newest thermal one within `max_offset`, as soon as it comes."""

    def __init__(self, gates: list[Gate], settings: Settings, paired: Paired) -> None:
        self._reach = round(settings.max_offset * 1e9)
        self._paired = paired
        self._thermal = message_filters.Cache(gates[1], settings.queue_size)
        gates[0].registerCallback(self._lead)

    def _lead(self, rgb: ImageMessage) -> None:
        stamp = nanoseconds(rgb)
        first, last = (
            Time(nanoseconds=max(at, 0), clock_type=ClockType.ROS_TIME)
            for at in (stamp - self._reach, stamp + self._reach)
        )
        near = self._thermal.getInterval(first, last)
        if near:
            self._paired(rgb, max(near, key=nanoseconds))


def open_gates(settings: Settings, paired: Paired) -> list[Gate]:
    """New, empty queues: two gates to put RGB and thermal images in.

    Args:
        settings: pairing, slop, max_offset, queue_size.
        paired: called with an RGB and a thermal image, under the filter's lock.
    """
    gates = [Gate(), Gate()]
    if settings.pairing == "rgb_leads":
        RgbLeads(gates, settings, paired)
        return gates
    if settings.pairing == "exact":
        synchronizer = message_filters.TimeSynchronizer(gates, settings.queue_size)
    else:
        # One nanosecond more, since the synchronizer wants less than slop, not slop itself; half
        # a nanosecond on top, since it truncates.
        slop = (round(settings.slop * 1e9) + 1.5) / 1e9
        synchronizer = message_filters.ApproximateTimeSynchronizer(
            gates, settings.queue_size, slop
        )
    synchronizer.registerCallback(paired)
    return gates
