"""One camera as the node sees it: subscription, what it sent, which stamps are believed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import message_filters
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image

from ainet_core.stamps import Stamps
from ainet_ros.parameters import Settings

SILENT_S = 3.0  # a rate is told for cameras that sent something within so many seconds

ImageMessage: TypeAlias = Image | CompressedImage


def nanoseconds(message: Any) -> int:
    """The stamp of a message with a header."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


@dataclass
class Camera(Stamps):
    """What one camera sent: counts, and the stamps that wait for the other camera."""

    name: str  # "rgb" or "thermal"
    topic: str  # as subscribed to, resolved
    received: int = 0
    paired: int = 0  # went to the tracker, with the other camera's image or alone
    lost: int = 0  # sent and never seen here: lost on the way, or pushed out of the queue
    publishers: int = 0  # connected now, as DDS tells
    number: int | None = None  # the publisher's own, of the newest image
    waiting: set[int] = field(default_factory=set)
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=30))
    believed: deque[float] = field(default_factory=lambda: deque(maxlen=2))  # arrivals, too
    live_since: float = 0.0  # arrival of the first image after a silence

    @property
    def unpaired(self) -> int:
        """Images that came and can no longer become part of a pair."""
        return self.received - self.paired - len(self.waiting)

    @property
    def rate(self) -> float:
        """Images per second over the last 30; 0 when none came within 3 s."""
        now, times = time.monotonic(), list(self.arrivals)
        if len(times) < 2 or now - times[-1] > SILENT_S:
            return 0.0
        return (len(times) - 1) / max(times[-1] - times[0], 1e-6)

    def count_lost(self, number: int) -> None:
        """Take note of the publisher's number of the next image: what it skips was lost.

        Only with one publisher: numbers of several say nothing together.
        """
        if self.publishers <= 1 and self.number is not None and number > self.number:
            self.lost += number - self.number - 1
        self.number = number

    def believe(self, stamp: int) -> int:
        """Take note of the next image's stamp (ns).

        Returns:
            By how many ns the time jumped back with it; 0 where it did not.

        Raises:
            ValueError: nothing can be paired by this stamp; says why.
        """
        now = time.monotonic()
        pause = (now - self.arrivals[-1]) * 1e9 if self.arrivals else 0.0
        self.received += 1
        self.arrivals.append(now)
        if stamp == 0:
            raise ValueError(f"stamps of {self.topic} are 0: its driver must set header.stamp")
        if self.leaps(stamp, pause):
            raise ValueError(f"a stamp of {self.topic} leaps ahead: refused until the next agrees")
        self.believed.append(now)
        return self.jumps_back(stamp)

    def forget(self) -> None:
        """Every stamp seen so far is of another time."""
        super().forget()
        self.waiting.clear()


class CameraSubscriber(message_filters.Subscriber):
    """Counts, beside what DDS reports as lost, what was pushed out of the queue unseen.

    A node that is kept from its queue for longer than the queue is deep misses images without
    any event. Their numbers tell; a middleware that has none leaves the events.
    """

    def __init__(
        self, node: Node, kind: type[Any], camera: Camera, qos: QoSProfile, **options: Any
    ) -> None:
        self.camera = camera
        super().__init__(node, kind, camera.topic, qos_profile=qos, **options)

    def callback(self, message: Any, info: Any) -> None:  # type: ignore[override]
        """One image; rclpy hands `info` to a callback that takes two arguments."""
        number = info.get("publication_sequence_number")
        if number is not None:
            self.camera.count_lost(number)
        self.signalMessage(message)


def camera_topic(node: Node, name: str, transport: str) -> str:
    """The resolved topic; as everywhere in ROS, "/compressed" follows the remapped base name."""
    base = str(node.resolve_topic_name(f"{name}/image_raw"))
    return base if transport == "raw" else f"{base}/compressed"


def subscribe(
    node: Node,
    camera: Camera,
    settings: Settings,
    heard: Callable[[ImageMessage], None],
    complain: Callable[[str], None],
) -> CameraSubscriber:
    """Subscribe to a camera's topic, with QoS overrides and events.

    Args:
        heard: gets every image.
        complain: gets the sentence about a publisher that cannot be heard.
    """
    reliable = settings.reliability == "reliable"
    qos = QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=settings.queue_size,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
    )

    def lost(event: Any) -> None:
        if camera.number is None or camera.publishers > 1:  # else the numbers tell these too
            camera.lost += event.total_count_change

    def matched(event: Any) -> None:
        camera.publishers, camera.number = event.current_count, None

    def incompatible(event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        complain(incompatible_sentence(node, camera.topic, policy, qos))

    kind = CompressedImage if camera.topic.endswith("/compressed") else Image
    overriding = QoSOverridingOptions.with_default_policies()
    events = SubscriptionEventCallbacks(
        incompatible_qos=incompatible, message_lost=lost, matched=matched
    )
    try:
        made = CameraSubscriber(
            node, kind, camera, qos, qos_overriding_options=overriding, event_callbacks=events
        )
    except UnsupportedEventTypeError:  # a middleware without these events still has images
        made = CameraSubscriber(node, kind, camera, qos, qos_overriding_options=overriding)
    made.registerCallback(heard)
    return made


def incompatible_sentence(node: Node, topic: str, policy: str, ours: QoSProfile) -> str:
    """Who offers what, who asks for what, and what to change."""

    def told(profile: QoSProfile) -> str:
        return str(getattr(getattr(profile, policy.lower(), None), "name", "another")).lower()

    offers = [
        f"{info.node_namespace.rstrip('/')}/{info.node_name} offers {told(info.qos_profile)}"
        for info in node.get_publishers_info_by_topic(topic)
    ]
    return (
        f"{topic}: a publisher offers a {policy} that this subscription cannot take "
        f"({', '.join(offers) or 'unknown publisher'}; this node asks for {told(ours)}): "
        "no image will come from it; parameter reliability best_effort hears every publisher"
    )
