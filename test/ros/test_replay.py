"""What `ainet track` wrote, replayed over DDS: a robot hears what the node would have published.

rosbag2's player is not on PyPI. As it does, the recorded bytes are published as they are.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile
from robot import Robot
from sensor_msgs.msg import CompressedImage
from vision_msgs.msg import Detection2DArray

pytest.importorskip("rosbags", reason="the extra `recordings` is not installed")
sys.path.insert(0, str(Path(__file__).parents[1] / "recordings"))

import bag_maker
from walking_tracker import run

from ainet_core.recordings.bag import Bag
from ainet_ros.conversions import detected_box
from ainet_ros.status import values_of

pytestmark = pytest.mark.dds

TYPES = {
    "/ainet/bbox": Detection2DArray,
    "/ainet/status": DiagnosticStatus,
    "/ainet/debug_image/compressed": CompressedImage,
}


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_a_robot_hears_the_recorded_boxes(ros, tmp_path, storage):
    path = bag_maker.write(tmp_path / "my_bag", bag_maker.pairs(12), storage)
    run(path, "--box", "4,8,6,6", "--output", tmp_path / "out")
    bag = Bag(tmp_path / "out" / "bag")
    assert set(bag.topics) == set(TYPES)

    robot, player = Robot(), rclpy.create_node("player")
    pictures: list[CompressedImage] = []
    robot.node.create_subscription(
        CompressedImage, "/ainet/debug_image/compressed", pictures.append, 100
    )
    kept = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publishers = {name: player.create_publisher(kind, name, kept) for name, kind in TYPES.items()}
    try:
        for name, publisher in publishers.items():
            robot.wait(name, lambda publisher=publisher: publisher.get_subscription_count())
        for record in bag.records():
            publishers[record.topic].publish(record.data)
        robot.wait("12 boxes", lambda: len(robot.boxes) == 12 and len(pictures) == 12)
        robot.wait("the last status", lambda: robot.status.get("state") == "tracking")
        assert values_of(robot.statuses[-1])["cameras"]
    finally:
        robot.close()
        player.destroy_node()

    with (tmp_path / "out" / "boxes.csv").open() as file:
        rows = list(csv.DictReader(file))
    for message, row in zip(robot.boxes, rows, strict=True):
        stamp = message.header.stamp
        assert f"{stamp.sec}.{stamp.nanosec:09d}" == row["stamp"]
        box = [float(row[name]) for name in "xywh"]
        assert detected_box(message) == pytest.approx(box, abs=0.01)
