"""The only module that knows how images and boxes look inside ROS messages.

Common encodings are read with NumPy in place (`np.frombuffer`), with one copy where channels are
swapped; everything else (bayer, yuv) is left to cv_bridge.
"""

from __future__ import annotations

import array
import sys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from ainet_core.box import BoxLike
from ainet_ros.compressed import decoded
from ainet_ros.parameters import Box

# encoding -> (number type, channels)
_LAYOUTS: dict[str, tuple[type[np.generic], int]] = {
    "rgb8": (np.uint8, 3),
    "bgr8": (np.uint8, 3),
    "8UC3": (np.uint8, 3),
    "rgba8": (np.uint8, 4),
    "bgra8": (np.uint8, 4),
    "8UC4": (np.uint8, 4),
    "mono8": (np.uint8, 1),
    "8UC1": (np.uint8, 1),
    "mono16": (np.uint16, 1),
    "16UC1": (np.uint16, 1),
    "32FC1": (np.float32, 1),
}
# A bare type name says nothing about the order of channels; OpenCV's own order is meant.
_TO_RGB = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "8UC3": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "8UC4": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
    "8UC1": cv2.COLOR_GRAY2RGB,
}


def rgb_array(message: Image | CompressedImage) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 in RGB order.

    Raises:
        ValueError: the message contradicts itself, or its encoding is no colour image.
    """
    if isinstance(message, CompressedImage):
        return _as_colour(decoded(message), message.format)
    if message.encoding not in _LAYOUTS:
        return np.asarray(_by_cv_bridge(message, "rgb8"), np.uint8)
    if message.encoding != "rgb8" and message.encoding not in _TO_RGB:
        raise ValueError(f"{message.encoding!r} is no 8-bit colour or grey image")
    image = _view(message)
    if message.encoding in _TO_RGB:
        return np.asarray(cv2.cvtColor(image, _TO_RGB[message.encoding]), np.uint8)
    return np.ascontiguousarray(image)


def thermal_array(message: Image | CompressedImage) -> NDArray[np.generic]:
    """(h, w) uint8, uint16 or float32, or (h, w, 3) uint8 for false colour.

    Raises:
        ValueError: the message contradicts itself, or its encoding is unknown.
    """
    if isinstance(message, CompressedImage):
        return np.asarray(decoded(message))
    if message.encoding not in _LAYOUTS:
        return np.asarray(_by_cv_bridge(message, "mono8"))
    image = _view(message)
    if image.ndim == 3 and message.encoding in _TO_RGB:
        return np.asarray(cv2.cvtColor(image, _TO_RGB[message.encoding]))
    return np.ascontiguousarray(image)


def image_message(image: NDArray[np.uint8], encoding: str, header: Header) -> Image:
    """An Image of (H, W) or (H, W, 3) uint8 pixels under `header`."""
    message = Image(header=header, encoding=encoding)
    message.height, message.width = image.shape[:2]
    message.step = image.size // message.height
    # An array.array is taken over whole; a list or bytes would be walked byte by byte in Python.
    message.data = array.array("B", np.ascontiguousarray(image).tobytes())
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


def _as_colour(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if image.dtype != np.uint8:
        raise ValueError(f"{name!r} holds {image.dtype} pixels, no 8-bit colour or grey image")
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    return image


def _view(message: Image) -> NDArray[Any]:
    """The pixels in place: (H, W) or (H, W, C), row padding left out, native byte order."""
    kind, channels = _LAYOUTS[message.encoding]
    dtype = np.dtype(kind)
    height, width, step = message.height, message.width, message.step
    row = width * channels * dtype.itemsize
    if height == 0 or width == 0:
        raise ValueError(f"the image is {width}x{height} pixels")
    if step < row:
        raise ValueError(f"step is {step}, a row of {width} {message.encoding} pixels has {row}")
    if len(message.data) < step * (height - 1) + row:
        raise ValueError(
            f"data has {len(message.data)} bytes, {height} rows of {step} need {step * height}"
        )
    strides = (step, channels * dtype.itemsize, dtype.itemsize)
    if dtype.itemsize > 1 and bool(message.is_bigendian) != (sys.byteorder == "big"):
        dtype = dtype.newbyteorder()
    pixels: NDArray[Any] = np.ndarray(
        (height, width, channels), dtype, np.frombuffer(message.data, np.uint8).data, 0, strides
    )
    if not dtype.isnative:
        pixels = pixels.astype(dtype.newbyteorder())
    return pixels[:, :, 0] if channels == 1 else pixels


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
