"""What sensor_msgs encodings mean as arrays, and how pixels get from one to another."""

import re

import cv2
import numpy as np


class CvBridgeError(TypeError):
    """What CvBridge raises when a conversion is not possible."""


DTYPES = {
    "8U": "uint8",
    "8S": "int8",
    "16U": "uint16",
    "16S": "int16",
    "32S": "int32",
    "32F": "float32",
    "64F": "float64",
}
TYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}

# encoding -> (family, dtype, channels); pixels of one family differ in depth only
COLOURS: dict[str, tuple[str, str, int]] = {
    "yuv422": ("YUV_UYVY", "uint8", 2),
    "uyvy": ("YUV_UYVY", "uint8", 2),
    "yuv422_yuy2": ("YUV_YUY2", "uint8", 2),
    "yuyv": ("YUV_YUY2", "uint8", 2),
}
for _bits in ("8", "16"):
    for _family, _channels in {"BGR": 3, "RGB": 3, "BGRA": 4, "RGBA": 4}.items():
        COLOURS[_family.lower() + _bits] = (_family, f"uint{_bits}", _channels)
    COLOURS["mono" + _bits] = ("GRAY", f"uint{_bits}", 1)
    for _pattern in ("rggb", "bggr", "gbrg", "grbg"):
        COLOURS[f"bayer_{_pattern}{_bits}"] = (f"bayer_{_pattern}", f"uint{_bits}", 1)

# How OpenCV spells the conversion from a family, and to which ones upstream converts it. OpenCV
# names a Bayer pattern after the middle of its second row, ROS after its first two pixels.
CONVERSIONS: dict[str, tuple[str, set[str]]] = {
    "GRAY": ("GRAY2{}", {"BGR", "RGB", "BGRA", "RGBA"}),
    "BGR": ("BGR2{}", {"GRAY", "RGB", "BGRA", "RGBA"}),
    "RGB": ("RGB2{}", {"GRAY", "BGR", "BGRA", "RGBA"}),
    "BGRA": ("BGRA2{}", {"GRAY", "BGR", "RGB", "RGBA"}),
    "RGBA": ("RGBA2{}", {"GRAY", "BGR", "RGB", "BGRA"}),
    "YUV_UYVY": ("YUV2{}_UYVY", {"GRAY", "BGR", "RGB", "BGRA", "RGBA"}),
    "YUV_YUY2": ("YUV2{}_YUY2", {"GRAY", "BGR", "RGB", "BGRA", "RGBA"}),
    "bayer_rggb": ("BayerBG2{}", {"GRAY", "BGR", "RGB"}),
    "bayer_bggr": ("BayerRG2{}", {"GRAY", "BGR", "RGB"}),
    "bayer_gbrg": ("BayerGR2{}", {"GRAY", "BGR", "RGB"}),
    "bayer_grbg": ("BayerGB2{}", {"GRAY", "BGR", "RGB"}),
}


def array_type(encoding: str) -> tuple[str, int]:
    """Return the dtype's name and the number of channels: 'bgr8' -> ('uint8', 3)."""
    if encoding in COLOURS:
        return COLOURS[encoding][1:]
    plain = re.fullmatch(r"(8U|8S|16U|16S|32S|32F|64F)(?:C(\d+))?", encoding)
    if plain is None:
        raise CvBridgeError(f"Unrecognized image encoding [{encoding}]")
    return DTYPES[plain[1]], int(plain[2] or 1)


def convert(image: np.ndarray, source: str, target: str) -> np.ndarray:
    """Return the image in another encoding, itself where nothing has to change."""
    if source == target:
        return image
    try:
        code = _colour_code(source, target)
        if code is not None:
            image = cv2.cvtColor(image, code)
    except cv2.error as error:
        raise CvBridgeError(str(error)) from error
    return _to_depth(image, array_type(target)[0])


def _colour_code(source: str, target: str) -> int | None:
    """Return OpenCV's conversion code, None where only the depth changes."""
    source_channels, target_channels = array_type(source)[1], array_type(target)[1]
    if source not in COLOURS and target in COLOURS:
        raise CvBridgeError(
            f"[{source}] is not a color format. but [{target}] is. "
            "The conversion does not make sense"
        )
    if source not in COLOURS or target not in COLOURS:
        if source_channels != target_channels:
            raise CvBridgeError(
                f"[{source}] and [{target}] do not have the same number of channel"
            )
        return None
    source_family, target_family = COLOURS[source][0], COLOURS[target][0]
    if source_family == target_family:
        return None
    spelling, targets = CONVERSIONS[source_family]
    if target_family not in targets:
        raise CvBridgeError(f"Unsupported conversion from [{source}] to [{target}]")
    return int(getattr(cv2, "COLOR_" + spelling.format(target_family)))


def _to_depth(image: np.ndarray, dtype: str) -> np.ndarray:
    """Change the depth; between 8 and 16 bit unsigned the whole range is scaled."""
    if image.dtype == dtype:
        return image
    if image.dtype == np.uint8 and dtype == "uint16":
        return image.astype(np.uint16) * np.uint16(257)
    if image.dtype == np.uint16 and dtype == "uint8":
        return cv2.convertScaleAbs(image, alpha=255 / 65535)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        image = np.clip(np.rint(image), limits.min, limits.max)
    return image.astype(dtype)
