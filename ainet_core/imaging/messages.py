"""Pixels of ROS images: of anything with the fields of sensor_msgs/Image or CompressedImage.

So rclpy's messages and those of a recording that is read without ROS give the same pixels. Common
encodings are read with NumPy in place, with one copy where channels are swapped; the rare ones
(Bayer, YUV, 16-bit colour) are handed to `convert`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.compressed import decoded

# Makes "rgb8" or "mono8" pixels of a message with another encoding.
Convert = Callable[[Any, str], NDArray[Any]]

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
# Rare encoding -> (number type, channels, how OpenCV spells the way out of it). OpenCV names a
# Bayer pattern after the middle of its second row, ROS after its first two pixels.
_RARE: dict[str, tuple[type[np.generic], int, str]] = {
    "yuv422": (np.uint8, 2, "YUV2{}_UYVY"),
    "uyvy": (np.uint8, 2, "YUV2{}_UYVY"),
    "yuv422_yuy2": (np.uint8, 2, "YUV2{}_YUY2"),
    "yuyv": (np.uint8, 2, "YUV2{}_YUY2"),
    "rgb16": (np.uint16, 3, "RGB2{}"),
    "bgr16": (np.uint16, 3, "BGR2{}"),
    "rgba16": (np.uint16, 4, "RGBA2{}"),
    "bgra16": (np.uint16, 4, "BGRA2{}"),
}
for _ros, _cv in (("rggb", "BG"), ("bggr", "RG"), ("gbrg", "GR"), ("grbg", "GB")):
    _RARE[f"bayer_{_ros}8"] = (np.uint8, 1, f"Bayer{_cv}2{{}}")
    _RARE[f"bayer_{_ros}16"] = (np.uint16, 1, f"Bayer{_cv}2{{}}")


def by_opencv(message: Any, encoding: str) -> NDArray[Any]:
    """Pixels of a rare encoding as "rgb8" (H, W, 3) or "mono8" (H, W), equal to cv_bridge's.

    Raises:
        ValueError: the message contradicts itself, or nothing is known of its encoding.
    """
    if message.encoding not in _RARE:
        raise ValueError(f"encoding {message.encoding!r} cannot be read: it is not known")
    kind, channels, spelling = _RARE[message.encoding]
    image = _view(message, kind, channels)
    name = spelling.format("RGB" if encoding == "rgb8" else "GRAY")
    if name != "RGB2RGB":
        image = cv2.cvtColor(image, getattr(cv2, f"COLOR_{name}"))
    return image if kind is np.uint8 else cv2.convertScaleAbs(image, alpha=255 / 65535)


def rgb_array(message: Any, convert: Convert = by_opencv) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 in RGB order.

    Raises:
        ValueError: the message contradicts itself, or its encoding is no colour image.
    """
    if is_compressed(message):
        return _as_colour(decoded(message), message.format)
    if message.encoding not in _LAYOUTS:
        return np.asarray(convert(message, "rgb8"), np.uint8)
    if message.encoding != "rgb8" and message.encoding not in _TO_RGB:
        raise ValueError(f"{message.encoding!r} is no 8-bit colour or grey image")
    image = _view(message, *_LAYOUTS[message.encoding])
    if message.encoding in _TO_RGB:
        return np.asarray(cv2.cvtColor(image, _TO_RGB[message.encoding]), np.uint8)
    return np.ascontiguousarray(image)


def thermal_array(message: Any, convert: Convert = by_opencv) -> NDArray[np.generic]:
    """(h, w) uint8, uint16 or float32, or (h, w, 3) uint8 for false colour.

    Raises:
        ValueError: the message contradicts itself, or its encoding is unknown.
    """
    if is_compressed(message):
        return np.asarray(decoded(message))
    if message.encoding not in _LAYOUTS:
        return np.asarray(convert(message, "mono8"))
    image = _view(message, *_LAYOUTS[message.encoding])
    if image.ndim == 3 and message.encoding in _TO_RGB:
        return np.asarray(cv2.cvtColor(image, _TO_RGB[message.encoding]))
    return np.ascontiguousarray(image)


def is_compressed(message: Any) -> bool:
    """A CompressedImage, which has a format where an Image has an encoding."""
    return hasattr(message, "format")


def _as_colour(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if image.dtype != np.uint8:
        raise ValueError(f"{name!r} holds {image.dtype} pixels, no 8-bit colour or grey image")
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    return image


def _view(message: Any, kind: type[np.generic], channels: int) -> NDArray[Any]:
    """The pixels in place: (H, W) or (H, W, C), row padding left out, native byte order."""
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
