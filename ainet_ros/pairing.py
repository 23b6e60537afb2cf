"""Two image topics become pairs, on message_filters with its traps contained.

The Python synchronizer holds a plain lock while it calls back and keeps it for ever when the
callback raises; it compares with `<`; after the stamps jumped back it throws away the new images;
it counts nothing. So here: what it calls only hands the pair over and never raises, a jump back
gets a new synchronizer with empty queues, and the counting is done on the images that go in.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import message_filters
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from sensor_msgs.msg import Image

from ainet_ros.parameters import Settings

JUMP_BACK_NS = 500_000_000  # a stamp this far back is a looped bag or a reset clock, not jitter
LATE_IN_A_ROW = 3  # as many late images in a row are a jump back too, however short the loop is


@dataclass
class Pair:
    """One RGB and one thermal image of (nearly) the same moment."""

    rgb: Image
    thermal: Image
    received: float  # time.monotonic() at the second image
    answered: bool = False  # its one message on ~/bbox went out

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the RGB image as received."""
        return self.rgb.height, self.rgb.width


@dataclass
class Side:
    """What one camera sent: counts, and the stamps that wait for the other camera."""

    topic: str
    received: int = 0
    paired: int = 0
    lost: int = 0  # reported by DDS as sent and never delivered
    publishers: int = 0  # connected now, as DDS tells
    late: int = 0  # in a row
    newest: int | None = None
    waiting: set[int] = field(default_factory=set)
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=30))

    @property
    def unpaired(self) -> int:
        """Images that came and can no longer become part of a pair."""
        return self.received - self.paired - len(self.waiting)

    @property
    def rate(self) -> float:
        """Images per second over the last 30; 0 when none came within 3 s."""
        now, times = time.monotonic(), list(self.arrivals)
        if len(times) < 2 or now - times[-1] > 3.0:
            return 0.0
        return (len(times) - 1) / max(times[-1] - times[0], 1e-6)


class _Gate:
    """What the synchronizer sees as a filter: passes on what it is given, can be thrown away."""

    def __init__(self) -> None:
        self.callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def registerCallback(self, callback: Callable[..., None], *args: Any) -> int:  # noqa: N802
        self.callbacks.append((callback, args))
        return len(self.callbacks) - 1

    def put(self, message: Image) -> None:
        for callback, args in self.callbacks:
            callback(message, *args)


class Pairing:
    """Subscribes to both cameras and hands over each pair once, in the order of its stamps.

    Args:
        node: makes the subscriptions; its executor calls everything here, one call at a time.
        settings: slop, queue_size, reliability.
        on_pair: called with a new pair; what it raises is logged, never passed on.
        on_jump: called with a sentence when the stamps went back.
    """

    def __init__(
        self,
        node: Node,
        settings: Settings,
        on_pair: Callable[[Pair], None],
        on_jump: Callable[[str], None],
    ) -> None:
        self._node, self._settings = node, settings
        self._on_pair, self._on_jump = on_pair, on_jump
        self._last_pair: int | None = None
        self.offset = 0.0  # thermal stamp minus RGB stamp of the newest pair, seconds
        self.rgb = Side(node.resolve_topic_name("rgb/image_raw"))
        self.thermal = Side(node.resolve_topic_name("thermal/image_raw"))
        self._gates: list[_Gate] = []
        self._renew()
        self._subscribers = [
            self._subscribe(topic, index)
            for index, topic in enumerate(("rgb/image_raw", "thermal/image_raw"))
        ]

    def close(self) -> None:
        """Destroy both subscriptions; message_filters has no way of its own to do so."""
        for subscriber in self._subscribers:
            self._node.destroy_subscription(subscriber.sub)
        self._subscribers = []

    def clear(self) -> None:
        """Forget every image that waits, and every stamp seen so far."""
        self._renew()
        self._last_pair = None
        for side in (self.rgb, self.thermal):
            side.waiting.clear()
            side.newest, side.late = None, 0

    def newest_offset(self) -> float | None:
        """Thermal minus RGB newest stamp in seconds, paired or not; None if one is silent."""
        if self.rgb.newest is None or self.thermal.newest is None:
            return None
        return (self.thermal.newest - self.rgb.newest) / 1e9

    def _renew(self) -> None:
        self._gates = [_Gate(), _Gate()]
        # One nanosecond more, since the synchronizer wants less than slop, not slop itself; half
        # a nanosecond on top, since it truncates.
        slop = (round(self._settings.slop * 1e9) + 1.5) / 1e9
        synchronizer = message_filters.ApproximateTimeSynchronizer(
            self._gates, self._settings.queue_size, slop
        )
        synchronizer.registerCallback(self._paired)

    def _subscribe(self, topic: str, index: int) -> message_filters.Subscriber:
        side = (self.rgb, self.thermal)[index]
        qos = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=self._settings.queue_size,
            reliability=ReliabilityPolicy.RELIABLE
            if self._settings.reliability == "reliable"
            else ReliabilityPolicy.BEST_EFFORT,
        )

        def lost(event: Any) -> None:
            side.lost += event.total_count_change

        def incompatible(event: Any) -> None:
            policy = qos_policy_name_from_kind(event.last_policy_kind)
            self._node.get_logger().error(
                f"{side.topic}: a publisher offers a {policy} that this subscription "
                f"(reliability {self._settings.reliability}) cannot take: no image will come "
                "from it; parameter reliability best_effort hears every publisher"
            )

        def matched(event: Any) -> None:
            side.publishers = event.current_count

        events = SubscriptionEventCallbacks(
            incompatible_qos=incompatible, message_lost=lost, matched=matched
        )
        try:
            made = message_filters.Subscriber(
                self._node, Image, topic, qos_profile=qos, event_callbacks=events
            )
        except UnsupportedEventTypeError:  # a middleware without these events still has images
            made = message_filters.Subscriber(self._node, Image, topic, qos_profile=qos)
        made.registerCallback(self._heard, index)
        return made

    def _heard(self, message: Image, index: int) -> None:
        """Every image passes here before the synchronizer sees it."""
        side = (self.rgb, self.thermal)[index]
        stamp = _nanoseconds(message)
        side.received += 1
        side.arrivals.append(time.monotonic())
        if side.newest is not None and stamp < side.newest:
            side.late += 1
            back = side.newest - stamp
            if back >= JUMP_BACK_NS or side.late >= LATE_IN_A_ROW:
                self.clear()
                self._call(self._on_jump, f"stamps of {side.topic} went back {back / 1e9:.3f} s")
        else:
            side.late = 0
        side.newest = stamp if side.newest is None else max(side.newest, stamp)
        side.waiting.add(stamp)  # as the synchronizer does: an equal stamp takes the other's place
        if len(side.waiting) > self._settings.queue_size:
            side.waiting.discard(min(side.waiting))
        try:
            self._gates[index].put(message)
        except Exception as error:  # its lock may be held for ever now: take a new one
            self._node.get_logger().error(f"message_filters raised {error!r}: queues cleared")
            self.clear()

    def _paired(self, rgb: Image, thermal: Image) -> None:
        """Called under the synchronizer's lock: short, and never raises."""
        stamps = _nanoseconds(rgb), _nanoseconds(thermal)
        for side, stamp in zip((self.rgb, self.thermal), stamps, strict=True):
            side.waiting.discard(stamp)
        if self._last_pair is not None and stamps[0] <= self._last_pair:
            return  # a repeated or late image: its moment was answered or has passed
        self._last_pair = stamps[0]
        self.rgb.paired += 1
        self.thermal.paired += 1
        self.offset = (stamps[1] - stamps[0]) / 1e9
        self._call(self._on_pair, Pair(rgb, thermal, time.monotonic()))

    def _call(self, callback: Callable[[Any], None], argument: Any) -> None:
        try:
            callback(argument)
        except Exception as error:  # the synchronizer's lock would stay held for ever
            self._node.get_logger().error(f"{type(error).__name__} while pairing: {error}")


def _nanoseconds(message: Image) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
