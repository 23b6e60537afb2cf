"""An example to start from: the tracker's box as bearing and rate, for a gimbal or a follower.

It hears ainet/bbox and the colour camera's CameraInfo; docs/following.md says what it answers.
"""

from __future__ import annotations

import sys
from typing import Any

import rclpy
from geometry_msgs.msg import Vector3, Vector3Stamped
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from ainet_ros.bearing import AngleRate, Angles, Lens
from ainet_ros.camera import nanoseconds
from ainet_ros.conversions import detected_box
from ainet_ros.process import Stop, spin
from ainet_ros.throttled_log import ThrottledLog

PARAMETERS: dict[str, tuple[Any, str]] = {
    "image_size": ([0, 0], "width, height of the images that the tracker sees; 0, 0: as "
                   "CameraInfo says"),
    "rectified": (False, "the tracker sees rectified images (image_rect): P counts, not K and D"),
    "smoothing": (0.15, "time constant of the rate in seconds"),
    "lost_after": (1.0, "seconds of images without a box after which the target counts as lost; "
                   "also the longest pause over which a rate is told"),
}  # fmt: skip


class FollowNode(Node):
    """Box in, bearing and rate out; silent where there is no box to believe."""

    def __init__(self, **options: Any) -> None:
        super().__init__("follow", **options)
        for name, (default, sentence) in PARAMETERS.items():
            self.declare_parameter(name, default, ParameterDescriptor(description=sentence))
        self._lost_after = float(self.get_parameter("lost_after").value)
        self._rate = AngleRate(float(self.get_parameter("smoothing").value), self._lost_after)
        self._log = ThrottledLog(self.get_logger())
        self._lens: Lens | None = None
        self._wrong = "no CameraInfo came yet"
        self._target = ""
        self._seen: float | None = None  # time of the last image with a box
        self._bearings = self.create_publisher(Vector3Stamped, "~/bearing", 10)
        self._rates = self.create_publisher(Vector3Stamped, "~/rate", 10)
        self.create_subscription(
            CameraInfo, "rgb/camera_info", self._on_camera_info, qos_profile_sensor_data
        )
        self.create_subscription(Detection2DArray, "ainet/bbox", self._on_boxes, 10)

    def _on_camera_info(self, info: CameraInfo) -> None:
        width, height = self.get_parameter("image_size").value
        try:
            lens = lens_of(info, bool(self.get_parameter("rectified").value))
            self._lens = lens.resized(width, height) if width or height else lens
        except ValueError as error:
            self._lens, self._wrong = None, str(error)

    def _on_boxes(self, message: Detection2DArray) -> None:
        time, box = nanoseconds(message) / 1e9, detected_box(message)
        if box is None:
            self._miss(time)
            return
        if self._lens is None:
            self._log.warning(f"no bearing: {self._wrong}", "lens")
            return
        x, y, w, h = box
        try:
            angles = self._lens.angles(x + w / 2, y + h / 2)
        except ValueError as error:
            self._log.warning(f"no bearing: {error}", "box")
            return
        if message.detections[0].id != self._target:
            self._target = message.detections[0].id
            self._rate.forget()
        self._seen = time
        self._bearings.publish(stamped(message.header, angles))
        rate = self._rate.observe(time, angles)
        if rate is not None:
            self._rates.publish(stamped(message.header, rate))

    def _miss(self, time: float) -> None:
        """An image without a box: wait, then say once that the target is lost."""
        if self._seen is not None and time - self._seen > self._lost_after:
            self._seen = None
            self._rate.forget()
            self.get_logger().info(f"lost: no box for {self._lost_after:g} s")


def lens_of(info: CameraInfo, rectified: bool = False) -> Lens:
    """The lens of the images that belong to a CameraInfo, with its binning and region.

    Raises:
        ValueError: not calibrated, or a distortion that is not understood.
    """
    k = (info.p[0], info.p[5], info.p[2], info.p[6]) if rectified else (
        info.k[0], info.k[4], info.k[2], info.k[5])  # fmt: skip
    roi, x, y = info.roi, max(info.binning_x, 1), max(info.binning_y, 1)
    size = roi.width or info.width, roi.height or info.height
    return Lens(
        focal=(k[0] / x, k[1] / y),
        centre=((k[2] - roi.x_offset + 0.5) / x - 0.5, (k[3] - roi.y_offset + 0.5) / y - 0.5),
        size=(size[0] // x, size[1] // y),
        model="" if rectified else info.distortion_model,
        distortion=() if rectified else tuple(info.d),
    )


def stamped(header: Header, angles: Angles) -> Vector3Stamped:
    """x azimuth, y elevation, under the box's header."""
    return Vector3Stamped(header=header, vector=Vector3(x=angles.azimuth, y=angles.elevation))


def main(arguments: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; 2 when a parameter is wrong."""
    stop = Stop()
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = FollowNode()
    except (ValueError, InvalidParameterTypeException) as error:
        print(f"follow: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    spin(node, lambda: stop.asked)
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
