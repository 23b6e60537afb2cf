"""The only module that knows how images and boxes look inside ROS messages.

How pixels lie in images is known to ainet_core.imaging.messages, which recordings share; what it
has no layout for (bayer, yuv) is left to cv_bridge here.
"""

from __future__ import annotations

import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from ainet_core.box import BoxLike
from ainet_core.imaging import messages
from ainet_ros.parameters import Box


def rgb_array(message: Image | CompressedImage) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 in RGB order.

    Raises:
        ValueError: the message contradicts itself, or its encoding is no colour image.
    """
    return messages.rgb_array(message, _by_cv_bridge)


def thermal_array(message: Image | CompressedImage) -> NDArray[np.generic]:
    """(h, w) uint8, uint16 or float32, or (h, w, 3) uint8 for false colour.

    Raises:
        ValueError: the message contradicts itself, or its encoding is unknown.
    """
    return messages.thermal_array(message, _by_cv_bridge)


def image_message(image: NDArray[np.uint8], encoding: str, header: Header) -> Image:
    """An Image of (H, W) or (H, W, 3) uint8 pixels under `header`."""
    message = Image(header=header, encoding=encoding)
    message.height, message.width = image.shape[:2]
    message.step = image.size // message.height
    # An array.array is taken over whole; a list or bytes would be walked byte by byte in Python.
    pixels = array.array("B")
    pixels.frombytes(np.ascontiguousarray(image).data.cast("B"))  # the one copy
    message.data = pixels
    return message


def detections(
    header: Header, class_id: str, box: BoxLike | None, score: float = 0.0, target_id: int = 0
) -> Detection2DArray:
    """No detection (`box` None) or one, both headers equal to the RGB image's.

    Args:
        box: x, y, w, h in pixels of the RGB image; the message holds its centre and size.
        target_id: written as text; changes with every new target.
    """
    message = Detection2DArray(header=header)
    if box is None:
        return message
    x, y, w, h = (float(value) for value in box)
    detection = Detection2D(header=header, id=str(target_id))
    detection.bbox.center.position.x = x + w / 2
    detection.bbox.center.position.y = y + h / 2
    detection.bbox.size_x, detection.bbox.size_y = w, h
    result = ObjectHypothesisWithPose()
    result.hypothesis.class_id = class_id
    result.hypothesis.score = min(max(float(score), 0.0), 1.0)
    detection.results = [result]
    message.detections = [detection]
    return message


def detected_box(message: Detection2DArray) -> Box | None:
    """The way back: x, y, w, h of the one detection, None when there is none."""
    if not message.detections:
        return None
    bbox = message.detections[0].bbox
    left = bbox.center.position.x - bbox.size_x / 2
    top = bbox.center.position.y - bbox.size_y / 2
    return left, top, bbox.size_x, bbox.size_y


def region_box(region: RegionOfInterest) -> Box:
    """x, y, w, h of a region of interest, unchecked."""
    return (
        float(region.x_offset),
        float(region.y_offset),
        float(region.width),
        float(region.height),
    )


def box_region(box: BoxLike) -> RegionOfInterest:
    """The way back, rounded to whole pixels and without the part above or left of the image."""
    x, y, w, h = (float(value) for value in box)
    left, top = max(round(x), 0), max(round(y), 0)
    return RegionOfInterest(
        x_offset=left,
        y_offset=top,
        width=max(round(x + w) - left, 0),
        height=max(round(y + h) - top, 0),
    )


def best_detection(message: Detection2DArray, class_id: str, score: float) -> Box | None:
    """x, y, w, h of the best detection of `class_id` with at least `score`; None: there is none.

    The box is unchecked; a score of NaN is no score.
    """
    best, best_score = None, score
    for detection in message.detections:
        for result in detection.results:
            hypothesis = result.hypothesis
            if hypothesis.class_id == class_id and hypothesis.score >= best_score:
                best, best_score = detection, hypothesis.score
    if best is None:
        return None
    return detected_box(Detection2DArray(detections=[best]))


def _by_cv_bridge(message: Image, encoding: str) -> NDArray[np.generic]:
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except Exception as error:  # compiled against another NumPy it fails in many ways
        raise ValueError(
            f"encoding {message.encoding!r} needs cv_bridge, which does not load here "
            f"({type(error).__name__}: {error}); NumPy and OpenCV must be those it was built for"
        ) from None
    if message.height == 0 or message.width == 0:
        raise ValueError(f"the image is {message.width}x{message.height} pixels")
    try:
        image = np.asarray(CvBridge().imgmsg_to_cv2(message, encoding))
    except (CvBridgeError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"encoding {message.encoding!r} cannot be read: {error}") from None
    except Exception as error:  # KeyError for unknown names, cv2.error for broken data, ABI errors
        raise ValueError(
            f"encoding {message.encoding!r} cannot be read by cv_bridge: {error!r}"
        ) from None
    if image.shape[:2] != (message.height, message.width):  # what it makes of a wrong step
        raise ValueError(
            f"step is {message.step}, too small for a row of {message.width} "
            f"{message.encoding} pixels"
        )
    return image
