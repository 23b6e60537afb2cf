"""vision_msgs as built here is upstream's on the wire: nodes elsewhere understand it."""

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("vision_msgs.msg", reason="ROS 2 is not installed: make venv")

from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from vision_msgs.msg import (
    BoundingBox2D,
    Detection2D,
    Detection2DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
    Point2D,
    Pose2D,
)

# Type hashes of vision_msgs 4.1.1: DDS readers and writers of other hashes don't match.
UPSTREAM = {
    "Detection2DArray": "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "Detection2D": "RIHS01_0d12b69df5c593b3455b7346fac8205437a7d4bcb09b9e0e0b2dde787ded38ea",
    "BoundingBox2D": "RIHS01_008eacbb0cf8f26e83795547bed013eec3675485ef386ec056d80eaaf1c1ce2f",
    "ObjectHypothesisWithPose": (
        "RIHS01_41c12344c0396c48b81df12467c192d99b2a0eb1463c5c37194e4223251c80bc"
    ),
}


@pytest.mark.parametrize("name", UPSTREAM)
def test_type_hash_is_upstreams(pip_ros_in_use: None, name: str) -> None:
    description = Path(sys.prefix, "share", "vision_msgs", "msg", f"{name}.json")
    hashes = {
        entry["type_name"]: entry["hash_string"]
        for entry in json.loads(description.read_text())["type_hashes"]
    }
    assert hashes[f"vision_msgs/msg/{name}"] == UPSTREAM[name]


def test_detections_survive_serialisation() -> None:
    box = BoundingBox2D(
        center=Pose2D(position=Point2D(x=320.5, y=240.25), theta=0.125), size_x=40.0, size_y=80.5
    )
    pose = PoseWithCovariance(
        pose=Pose(position=Point(x=1.0), orientation=Quaternion(w=0.5)),
        covariance=[float(i) for i in range(36)],
    )
    result = ObjectHypothesisWithPose(
        hypothesis=ObjectHypothesis(class_id="target", score=0.75), pose=pose
    )
    header = Header(frame_id="rgb_optical")
    header.stamp.sec, header.stamp.nanosec = 12, 345
    detection = Detection2D(header=header, results=[result], bbox=box, id="7")
    sent = Detection2DArray(header=header, detections=[detection])
    assert deserialize_message(serialize_message(sent), Detection2DArray) == sent
    assert deserialize_message(serialize_message(Detection2DArray()), Detection2DArray) == (
        Detection2DArray()
    )
