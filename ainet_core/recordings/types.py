"""The message types of a recording, and how ours are written into one.

vision_msgs is in no typestore of `rosbags`: its types stand here as upstream defines them, field
for field, so that ROS 2 takes what we write for what it knows (the types' hashes are equal).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from ainet_core.box import BoxLike
from ainet_core.imaging.compressed import JPEG_FORMAT
from ainet_core.recordings.records import COMPRESSED, DETECTIONS

STATUS = "diagnostic_msgs/msg/DiagnosticStatus"
VISION_MSGS = {
    "BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y\n",
    "Detection2D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox2D bbox\nstring id\n"
    ),
    "Detection2DArray": "std_msgs/Header header\nvision_msgs/Detection2D[] detections\n",
    "ObjectHypothesis": "string class_id\nfloat64 score\n",
    "ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose\n"
    ),
    "Point2D": "float64 x\nfloat64 y\n",
    "Pose2D": "vision_msgs/Point2D position\nfloat64 theta\n",
}


@cache
def typestore() -> Any:
    """The types of ROS 2 Jazzy, and vision_msgs; shared, so nobody adds to it."""
    return fresh_typestore()


def fresh_typestore() -> Any:
    """The same to add to."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for name, text in VISION_MSGS.items():
        types |= get_types_from_msg(text, f"vision_msgs/msg/{name}")
    store.register(types)
    return store


def read(data: bytes, kind: str) -> Any:
    """A message of CDR bytes; it has the field names that ROS gives it.

    Raises:
        ValueError: the bytes are no such message.
    """
    try:
        return typestore().deserialize_cdr(data, kind)
    except Exception as error:  # cut or wrong bytes fail in many ways
        raise ValueError(f"{len(data)} bytes are no {kind} ({type(error).__name__})") from None


def written(message: Any, kind: str) -> bytes:
    """The way back."""
    return bytes(typestore().serialize_cdr(message, kind))


def make(kind: str, **fields: Any) -> Any:
    """A new message; `kind` like "Header" is of std_msgs."""
    return typestore().types[kind if "/" in kind else f"std_msgs/msg/{kind}"](**fields)


def header(stamp: int, frame_id: str) -> Any:
    """A header of a stamp in ns."""
    second, nanosecond = divmod(stamp, 1_000_000_000)
    time = make("builtin_interfaces/msg/Time", sec=second, nanosec=nanosecond)
    return make("Header", stamp=time, frame_id=frame_id)


def detections(
    top: Any, class_id: str, box: BoxLike | None, score: float, target_id: int
) -> bytes:
    """A Detection2DArray as the node publishes it: no detection (`box` None) or one.

    Args:
        top: the RGB image's header.
        box: x, y, w, h in pixels of the RGB image.
        target_id: changes with every new target.
    """
    found = [] if box is None else [_detection(top, class_id, box, score, target_id)]
    return written(make(DETECTIONS, header=top, detections=found), DETECTIONS)


def _detection(top: Any, class_id: str, box: BoxLike, score: float, target_id: int) -> Any:
    x, y, w, h = (float(value) for value in box)
    center = make(
        "vision_msgs/msg/Pose2D",
        position=make("vision_msgs/msg/Point2D", x=x + w / 2, y=y + h / 2),
        theta=0.0,
    )
    pose = make(
        "geometry_msgs/msg/Pose",
        position=make("geometry_msgs/msg/Point", x=0.0, y=0.0, z=0.0),
        orientation=make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
    )
    result = make(
        "vision_msgs/msg/ObjectHypothesisWithPose",
        hypothesis=make(
            "vision_msgs/msg/ObjectHypothesis",
            class_id=class_id,
            score=min(max(float(score), 0.0), 1.0),
        ),
        pose=make("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=np.zeros(36)),
    )
    return make(
        "vision_msgs/msg/Detection2D",
        header=top,
        results=[result],
        bbox=make("vision_msgs/msg/BoundingBox2D", center=center, size_x=w, size_y=h),
        id=str(target_id),
    )


def best_box(message: Any, class_id: str, least: float) -> tuple[float, ...] | None:
    """x, y, w, h, unchecked, of the best detection of a class with at least such a score."""
    best, best_score = None, least
    for detection in message.detections:
        for result in detection.results:
            hypothesis = result.hypothesis
            if hypothesis.class_id == class_id and hypothesis.score >= best_score:
                best, best_score = detection.bbox, hypothesis.score
    if best is None:
        return None
    center, w, h = best.center.position, best.size_x, best.size_y
    return center.x - w / 2, center.y - h / 2, w, h


def status(name: str, level: int, message: str, values: dict[str, Any]) -> bytes:
    """A DiagnosticStatus; `level` 0 (all well) to 2 (error)."""
    pairs = [
        make("diagnostic_msgs/msg/KeyValue", key=key, value=str(value))
        for key, value in values.items()
    ]
    told = make(STATUS, level=level, name=name, message=message, hardware_id="", values=pairs)
    return written(told, STATUS)


def jpeg_image(top: Any, data: bytes) -> bytes:
    """A CompressedImage of what `ainet_core.imaging.compressed.jpeg` makes."""
    pixels = np.frombuffer(data, np.uint8)
    return written(make(COMPRESSED, header=top, format=JPEG_FORMAT, data=pixels), COMPRESSED)
