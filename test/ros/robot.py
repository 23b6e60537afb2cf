"""The rest of the robot: two cameras, an operator, and somebody who reads the boxes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Detection2DArray

from ainet_ros.conversions import image_message
from ainet_ros.status import values_of

PATIENCE = 40.0  # seconds; the machine may be busy


def header(stamp: float, frame: str = "camera") -> Header:
    made = Header(frame_id=frame)
    nanoseconds = round(stamp * 1e9)
    made.stamp.sec, made.stamp.nanosec = divmod(nanoseconds, 1_000_000_000)
    return made


def picture(width: int = 160, height: int = 120, stamp: float = 1.0, **changes: Any) -> Image:
    """A grey-level rgb8 image; `value`, `encoding`, `frame` may be given."""
    encoding = changes.pop("encoding", "rgb8")
    shape = (height, width, 3) if encoding in ("rgb8", "bgr8") else (height, width)
    pixels = np.full(shape, changes.pop("value", 90), np.uint8)
    return image_message(pixels, encoding, header(stamp, **changes))


class Robot:
    """Its own node and thread; `wait` polls what came in."""

    def __init__(self, namespace: str = "", compressed: bool = False) -> None:
        self.node = rclpy.create_node("robot", namespace=namespace)
        self.boxes: list[Detection2DArray] = []
        self.statuses: list[DiagnosticStatus] = []
        self.debug: list[Image] = []
        self.debug_jpeg: list[CompressedImage] = []
        node = self.node
        kind, ending = (CompressedImage, "/compressed") if compressed else (Image, "")
        self.rgb = node.create_publisher(kind, f"rgb/image_raw{ending}", 10)
        self.thermal = node.create_publisher(kind, f"thermal/image_raw{ending}", 10)
        self.compressed = compressed
        self.set_target = node.create_publisher(RegionOfInterest, "ainet/set_target", 10)
        self.heard: list[tuple[Detection2DArray, float]] = []  # and when, monotonic
        node.create_subscription(Detection2DArray, "ainet/bbox", self._hear, 100)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(DiagnosticStatus, "ainet/status", self.statuses.append, latched)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(5)
        self.node.destroy_node()

    def _hear(self, message: Detection2DArray) -> None:
        self.heard.append((message, time.monotonic()))
        self.boxes.append(message)

    @property
    def status(self) -> dict[str, str]:
        """The newest status' values."""
        return values_of(self.statuses[-1]) if self.statuses else {}

    def wait(self, what: str, true: Callable[[], Any], patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not true():
            assert time.monotonic() < end, f"waited {patience:.0f} s for {what}: {self.status}"
            time.sleep(0.01)

    def wait_until_heard(self) -> None:
        """Until the node is active and both cameras and the operator reach it."""
        self.wait("an active node", lambda: self.status.get("lifecycle") == "active")
        self.wait(
            "matched topics",
            lambda: (
                self.status["rgb_publishers"] == self.status["thermal_publishers"] == "1"
                and all(
                    each.get_subscription_count()
                    for each in (self.rgb, self.thermal, self.set_target)
                )
                and self.node.count_publishers("ainet/bbox")
            ),
        )
        time.sleep(0.2)  # ~/bbox and ~/set_target match on the other side a moment later

    def send(self, stamp: float, **changes: Any) -> None:
        """One pair, both sides of 160x120 pixels unless changed."""
        self.rgb.publish(picture(stamp=stamp, **changes))
        self.thermal.publish(picture(stamp=stamp, encoding="mono8"))

    def send_and_wait(self, stamp: float, **changes: Any) -> Detection2DArray:
        """One pair; returns the message that answers it."""
        self.send(stamp, **changes)
        wanted = header(stamp).stamp
        self.wait(f"the box of {stamp}", lambda: self.answers(wanted))
        return self.answers(wanted)[0]

    def answers(self, stamp: Any) -> list[Detection2DArray]:
        return [message for message in list(self.boxes) if message.header.stamp == stamp]

    def target(self, x: int, y: int, width: int, height: int) -> None:
        self.set_target.publish(
            RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height)
        )

    def watch_debug_image(self) -> None:
        self.node.create_subscription(Image, "ainet/debug_image", self.debug.append, 10)

    def watch_debug_jpeg(self) -> None:
        self.node.create_subscription(
            CompressedImage, "ainet/debug_image/compressed", self.debug_jpeg.append, 10
        )

    def reset(self) -> Trigger.Response:
        return self.call(Trigger, "ainet/reset", Trigger.Request())

    def enable(self, enabled: bool) -> SetBool.Response:
        return self.call(SetBool, "ainet/enable", SetBool.Request(data=enabled))

    def set_parameters(self, **values: Any) -> list[Any]:
        """Ask the node for other values; returns one result for each."""
        request = SetParameters.Request()
        request.parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        return list(self.call(SetParameters, "ainet/set_parameters", request).results)

    def change_state(self, transition: str | int) -> bool:
        """Ask for a transition by its label or by its number."""
        request = ChangeState.Request()
        if isinstance(transition, int):
            request.transition.id = transition
        else:
            request.transition.label = transition
        return bool(self.call(ChangeState, "ainet/change_state", request).success)

    def state(self) -> str:
        answer = self.call(GetState, "ainet/get_state", GetState.Request())
        return str(answer.current_state.label)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.node.create_client(kind, name)
        try:
            assert client.wait_for_service(PATIENCE), f"no service {name}"
            future = client.call_async(request)
            self.wait(f"the answer of {name}", future.done)
            return future.result()
        finally:
            self.node.destroy_client(client)
