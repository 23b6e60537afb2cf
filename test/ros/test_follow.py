"""The example node: what a CameraInfo says, the page, and one run over DDS."""

from __future__ import annotations

import math
import re
import sys
import threading
import time

import pytest
import rclpy
from geometry_msgs.msg import Vector3Stamped
from processes import ROOT, Process
from rclpy.executors import SingleThreadedExecutor
from robot import header
from sensor_msgs.msg import CameraInfo
from vision_msgs.msg import Detection2DArray

from ainet_ros.conversions import detections
from ainet_ros.follow_node import PARAMETERS, lens_of

PAGE = (ROOT / "docs" / "following.md").read_text()


def camera_info(**changes) -> CameraInfo:
    k = [500.0, 0, 319.5, 0, 500.0, 239.5, 0, 0, 1]
    p = [400.0, 0, 310.0, 0, 0, 410.0, 250.0, 0, 0, 0, 1, 0]
    values = {"width": 640, "height": 480, "k": k, "p": p, "distortion_model": "plumb_bob"}
    return CameraInfo(**{**values, "d": [0.0] * 5, **changes})


def test_an_uncalibrated_camera_is_refused():
    with pytest.raises(ValueError, match="not calibrated"):
        lens_of(CameraInfo(width=640, height=480))


def test_binning_and_region_move_the_lens():
    plain = lens_of(camera_info())
    cut = camera_info(binning_x=2, binning_y=2)
    cut.roi.x_offset, cut.roi.y_offset, cut.roi.width, cut.roi.height = 100, 40, 400, 400
    lens = lens_of(cut)
    assert lens.size == (200, 200)
    assert lens.angles(60, 70) == pytest.approx(plain.angles(220, 180))


def test_rectified_images_have_their_own_matrix_and_no_distortion():
    lens = lens_of(camera_info(d=[-0.3, 0.1, 0.0, 0.0, 0.0]), rectified=True)
    assert (lens.focal, lens.centre) == ((400.0, 410.0), (310.0, 250.0))
    assert lens.distortion == ()


def test_the_page_has_the_parameters_that_the_code_has():
    rows = re.findall(r"^\| `(\w+)` \| `(.+)` \| (.*) \|$", PAGE, re.MULTILINE)
    said = {name: (default, sentence) for name, default, sentence in rows}
    assert said == {name: (str(default).lower(), s) for name, (default, s) in PARAMETERS.items()}


class Controller:
    """Cameras and tracker on one side, who turns the gimbal on the other."""

    def __init__(self) -> None:
        self.node = rclpy.create_node("controller")
        self.info = self.node.create_publisher(CameraInfo, "rgb/camera_info", 10)
        self.boxes = self.node.create_publisher(Detection2DArray, "ainet/bbox", 10)
        self.heard: dict[str, list[Vector3Stamped]] = {"bearing": [], "rate": []}
        for name, messages in self.heard.items():
            self.node.create_subscription(Vector3Stamped, f"follow/{name}", messages.append, 10)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(5)
        self.node.destroy_node()

    def send(self, stamp: float, x: float | None) -> None:
        box = None if x is None else (x - 20, 140, 40, 40)
        self.boxes.publish(detections(header(stamp, "optical"), "target", box, 0.9, target_id=1))

    def wait(self, what: str, true) -> None:
        end = time.monotonic() + 40
        while not true():
            assert time.monotonic() < end, f"waited for {what}: {self.heard}"
            time.sleep(0.01)


@pytest.fixture
def controller(ros):
    made = Controller()
    yield made
    made.close()


@pytest.mark.dds
def test_box_in_bearing_and_rate_out(controller, tmp_path):
    command = [sys.executable, "-m", "ainet_ros.follow_node", "--ros-args",
               "-p", "image_size:=[320, 240]"]  # fmt: skip
    process = Process(command, tmp_path / "follow.log")
    bearings, rates = controller.heard["bearing"], controller.heard["rate"]
    try:
        controller.wait("the node", lambda: (
            controller.boxes.get_subscription_count() and controller.info.get_subscription_count()
            and controller.node.count_publishers("follow/rate")))  # fmt: skip
        time.sleep(0.2)  # what the node publishes matches a moment later
        controller.send(1.0, 160)
        controller.wait("a complaint", lambda: "no CameraInfo came yet" in process.output)
        assert not bearings
        controller.info.publish(camera_info(width=640, height=300))
        time.sleep(0.3)
        controller.send(1.5, 160)
        time.sleep(0.3)  # else the right CameraInfo may be read before this box, and answer it
        controller.info.publish(camera_info())
        time.sleep(0.3)
        for number, x in enumerate((160.0, 170.0, None, 180.0)):  # 5 pixels in 0.1 s
            controller.send(2.0 + 0.1 * number, x)
            time.sleep(0.05)
        controller.wait("the last box", lambda: len(bearings) >= 3 and len(rates) >= 2)
        assert [m.header.stamp.nanosec for m in bearings] == [0, 100_000_000, 300_000_000]
        assert {m.header.frame_id for m in bearings + rates} == {"optical"}
        ahead, right = bearings[0].vector, bearings[1].vector
        assert (ahead.x, ahead.y) == pytest.approx((0, math.atan2(-40, 250)))
        assert right.x == pytest.approx(math.atan2(10, 250))
        assert rates[0].vector.x == pytest.approx(10 * math.atan2(10, 250))
        assert 0 < rates[1].vector.x < rates[0].vector.x
        controller.send(3.5, None)
        controller.wait("the loss", lambda: "lost: no box for 1 s" in process.output)
        assert (len(bearings), len(rates)) == (3, 2)
        assert process.end() == 0
    finally:
        process.close()
        print(process.output)


@pytest.mark.dds
def test_a_wrong_parameter_is_one_line(tmp_path):
    command = [sys.executable, "-m", "ainet_ros.follow_node", "--ros-args", "-p", "smoothing:=0.0"]
    process = Process(command, tmp_path / "follow.log")
    try:
        assert process.child.wait(60) == 2
        assert process.output.strip() == "follow: smoothing must be > 0 s, got 0.0"
    finally:
        process.close()
