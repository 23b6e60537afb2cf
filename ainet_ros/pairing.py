"""Two image topics become pairs, and one alone when the other camera falls silent.

What the filters call only hands the pair over and never raises, a jump back gets new, empty
queues, and the counting is done on the images that go in.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from ainet_core.stamps import JUMP_BACK_NS
from ainet_ros.camera import (
    Camera,
    ImageMessage,
    camera_topic,
    nanoseconds,
    subscribe,
)
from ainet_ros.parameters import Settings
from ainet_ros.policies import open_gates
from ainet_ros.throttled_log import ThrottledLog


@dataclass
class Pair:
    """One RGB and one thermal image of (nearly) the same moment; one is None in silence."""

    rgb: ImageMessage | None
    thermal: ImageMessage | None
    received: float  # time.monotonic() at the second image
    taken: bool = False  # the worker has it in hand and will answer it: no longer to be skipped
    answered: bool = False  # its one message on ~/bbox went out, or it was skipped

    @property
    def header(self) -> Header:
        """What the answer is stamped with: the RGB image's header, or the only image's."""
        leading = self.thermal if self.rgb is None else self.rgb
        assert leading is not None
        return leading.header

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of the RGB image as received; None before it is decoded."""
        height, width = getattr(self.rgb, "height", 0), getattr(self.rgb, "width", 0)
        return (height, width) if height and width else None


class Pairing:
    """Subscribes to both cameras and hands over each pair once, in the order of its stamps.

    Args:
        node: makes the subscriptions; its executor calls everything here, one call at a time.
        settings: how to subscribe and to pair.
        on_pair: called with a new pair; what it raises is logged, never passed on.
        on_jump: called with a sentence when the stamps went back.
        log: where refused stamps, silent cameras and deaf subscriptions are told.
    """

    def __init__(
        self,
        node: Node,
        settings: Settings,
        on_pair: Callable[[Pair], None],
        on_jump: Callable[[str], None],
        log: ThrottledLog,
    ) -> None:
        self._node, self._settings, self._log = node, settings, log
        self._on_pair, self._on_jump = on_pair, on_jump
        self._last: int | None = None  # the newest stamp that was handed over
        self.offset = 0.0  # thermal stamp minus RGB stamp of the newest pair, seconds
        self.alone: Camera | None = None  # the camera that goes on while the other is silent
        transports = {"rgb": settings.rgb_transport, "thermal": settings.thermal_transport}
        self.rgb, self.thermal = self.cameras = [
            Camera(name, camera_topic(node, name, transport))
            for name, transport in transports.items()
        ]
        self._gates = open_gates(settings, self._paired)
        self._subscribers = [
            subscribe(node, camera, settings, partial(self._heard, index=index), self._deaf)
            for index, camera in enumerate(self.cameras)
        ]

    def close(self) -> None:
        """Destroy both subscriptions; message_filters has no way of its own to do so."""
        for subscriber in self._subscribers:
            self._node.destroy_subscription(subscriber.sub)
        self._subscribers = []

    def clear(self) -> None:
        """Forget every image that waits, and every stamp seen so far."""
        self._empty_queues()
        self._last = None
        for camera in self.cameras:
            camera.forget()

    def apply(self, settings: Settings) -> None:
        """Go on with other values of the live parameters."""
        live = replace(
            self._settings,
            slop=settings.slop,
            max_offset=settings.max_offset,
            modality_timeout=settings.modality_timeout,
        )
        if live != self._settings:
            self._settings = live
            self.alone = None if live.modality_timeout == 0 else self.alone
            self._empty_queues()

    def newest_offset(self) -> float | None:
        """Thermal minus RGB newest stamp in seconds, paired or not; None if one is silent."""
        if self.rgb.newest is None or self.thermal.newest is None:
            return None
        return (self.thermal.newest - self.rgb.newest) / 1e9

    def _empty_queues(self) -> None:
        self._gates = open_gates(self._settings, self._paired)
        for camera in self.cameras:
            camera.waiting.clear()

    def _deaf(self, sentence: str) -> None:
        self._node.get_logger().error(sentence)

    def _heard(self, message: ImageMessage, index: int) -> None:
        """Every image passes here before a filter sees it."""
        camera = self.cameras[index]
        try:
            back = camera.believe(nanoseconds(message))
        except ValueError as error:
            self._log.warning(str(error), str(error))
            return
        if back:
            newest = camera.newest
            self.clear()
            camera.newest = newest
            self._call(self._on_jump, f"stamps of {camera.topic} went back {back / 1e9:.3f} s")
        self._follow_silence(camera, self.cameras[1 - index])
        if self.alone is None:
            self._match(message, index)
        elif self.alone is camera:
            self._hand_over(message if index == 0 else None, message if index == 1 else None)

    def _follow_silence(self, camera: Camera, other: Camera) -> None:
        """Go on with one camera when the other is silent, and with both when it is back."""
        # Two images within the timeout: one in a while would only make the pairs stutter.
        timeout, times = self._settings.modality_timeout, camera.believed
        steady = len(times) == 2 and (timeout == 0 or times[1] - times[0] <= timeout)
        if not steady:
            camera.live_since = times[-1]
        # When both begin or return, the one that comes first gives the other its time.
        last = max(camera.live_since, other.believed[-1] if other.believed else 0.0)
        silent = timeout > 0 and times[-1] - last > timeout
        if self.alone is None and silent:
            self.alone = camera
            self._empty_queues()
            self._log.warning(
                f"nothing usable came on {other.topic} for {timeout:.1f} s: "
                f"going on with {camera.topic} alone; does that camera run, is the name right?",
                f"{other.name} is silent",
            )
        elif self.alone is other and steady:
            self.alone = camera if silent else None
            self._empty_queues()
            going = f"{camera.topic} alone" if silent else "both cameras"
            self._log.warning(f"{camera.topic} is back: going on with {going}", f"now {going}")

    def _match(self, message: ImageMessage, index: int) -> None:
        camera, stamp = self.cameras[index], nanoseconds(message)
        camera.waiting.add(stamp)  # as the filters do: an equal stamp takes the other's place
        if len(camera.waiting) > self._settings.queue_size:
            camera.waiting.discard(min(camera.waiting))
        try:
            self._gates[index].put(message)
        except Exception as error:  # its lock may be held for ever now: take a new one
            self._log.error(f"message_filters raised {error!r}: queues cleared", "filter")
            self.clear()
        if self._settings.pairing == "rgb_leads" and index == 0:
            camera.waiting.discard(stamp)  # it has found its partner at once or never will

    def _paired(self, rgb: ImageMessage, thermal: ImageMessage) -> None:
        """Called under the filter's lock: short, and never raises."""
        if self._hand_over(rgb, thermal):
            self.offset = (nanoseconds(thermal) - nanoseconds(rgb)) / 1e9

    def _hand_over(self, rgb: ImageMessage | None, thermal: ImageMessage | None) -> bool:
        fresh = []
        for camera, message in zip(self.cameras, (rgb, thermal), strict=True):
            # With rgb_leads a thermal image may serve several times; it is counted once.
            waited = message is not None and nanoseconds(message) in camera.waiting
            if waited or (message is not None and self.alone is camera):
                fresh.append(camera)
            if waited:
                camera.waiting.discard(nanoseconds(message))
        pair = Pair(rgb, thermal, time.monotonic())
        stamp = nanoseconds(pair)
        if self._last is not None and 0 <= self._last - stamp < JUMP_BACK_NS:
            return False  # a repeated or late image: its moment was answered or has passed
        self._last = stamp
        for camera in fresh:
            camera.paired += 1
        self._call(self._on_pair, pair)
        return True

    def _call(self, callback: Callable[[Any], None], argument: Any) -> None:
        try:
            callback(argument)
        except Exception as error:  # the filter's lock would stay held for ever
            self._log.error(f"{type(error).__name__} while pairing: {error}", "pairing")
