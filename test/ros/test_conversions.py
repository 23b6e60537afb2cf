"""Messages to arrays and back: refusals first."""

from __future__ import annotations

import array

import numpy as np
import pytest
from robot import header, picture
from sensor_msgs.msg import Image, RegionOfInterest

from ainet_ros import conversions
from ainet_ros.conversions import rgb_array, thermal_array


def image(pixels: np.ndarray, encoding: str, padding: int = 0, big: bool = False) -> Image:
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    rows = rows.astype(rows.dtype.newbyteorder(">" if big else "<")).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    message = Image(height=height, width=width, encoding=encoding, step=rows.shape[1])
    message.is_bigendian = int(big)
    message.data = array.array("B", rows.tobytes())
    return message


COLOUR = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"width": 0}, "0x7 pixels"),
        ({"step": 3}, "step is 3"),
        ({"data": array.array("B", bytes(20))}, "data has 20 bytes"),
        ({"encoding": "32FC1"}, "step is 15"),
        ({"encoding": "mono16"}, "no 8-bit colour"),
        ({"encoding": "infragreen"}, "infragreen"),
        ({"encoding": ""}, "cannot be read"),
    ],
)
def test_a_contradictory_image_is_refused_with_what_is_wrong(change, sentence):
    message = image(COLOUR, "rgb8")
    for name, value in change.items():
        setattr(message, name, value)
    read = thermal_array if message.encoding == "32FC1" else rgb_array
    with pytest.raises(ValueError, match=sentence):
        read(message)


def test_a_cv_bridge_that_does_not_load_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv_bridge", None)
    with pytest.raises(ValueError, match="needs cv_bridge, which does not load here"):
        rgb_array(image(COLOUR[:, :, 0], "bayer_rggb8"))


@pytest.mark.parametrize("padding", [0, 9])
def test_colour_comes_out_as_rgb(padding):
    alpha = np.full((7, 5, 1), 7, np.uint8)
    for encoding, pixels in {
        "rgb8": COLOUR,
        "bgr8": COLOUR[:, :, ::-1],
        "8UC3": COLOUR[:, :, ::-1],
        "rgba8": np.concatenate([COLOUR, alpha], axis=2),
        "bgra8": np.concatenate([COLOUR[:, :, ::-1], alpha], axis=2),
    }.items():
        read = rgb_array(image(pixels, encoding, padding))
        assert np.array_equal(read, COLOUR), encoding
    grey = rgb_array(image(COLOUR[:, :, 0], "mono8", padding))
    assert np.array_equal(grey, np.repeat(COLOUR[:, :, :1], 3, axis=2))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 2])
def test_thermal_keeps_its_depth_and_its_byte_order_is_ours(big, padding):
    raw = np.arange(35, dtype=np.uint16).reshape(7, 5) * 500
    for encoding, pixels in {
        "mono8": COLOUR[:, :, 0],
        "mono16": raw,
        "16UC1": raw,
        "32FC1": raw.astype(np.float32),
    }.items():
        read = thermal_array(image(pixels, encoding, padding * pixels.itemsize, big))
        assert np.array_equal(read, pixels), encoding
        assert read.dtype == pixels.dtype, encoding
        assert read.dtype.isnative
    assert np.array_equal(thermal_array(image(COLOUR[:, :, ::-1], "bgr8", padding)), COLOUR)


def test_other_encodings_go_through_cv_bridge():
    flat = image(np.full((8, 6), 50, np.uint8), "bayer_rggb8")
    assert rgb_array(flat).shape == (8, 6, 3)
    assert thermal_array(flat).shape == (8, 6)


def test_the_data_of_an_image_message_are_an_array_of_bytes_in_place():
    message = conversions.image_message(COLOUR[:, ::-1], "rgb8", header(3.5, "left"))
    assert isinstance(message.data, array.array)
    assert (message.height, message.width, message.step) == (7, 5, 15)
    assert message.header.frame_id == "left"
    assert np.array_equal(rgb_array(message), COLOUR[:, ::-1])


def test_no_target_is_an_empty_array_under_the_same_header():
    stamped = picture(stamp=1234.000000567, frame="left/camera").header
    message = conversions.detections(stamped, "target", None)
    assert message.header == stamped
    assert len(message.detections) == 0
    assert conversions.detected_box(message) is None


def test_a_box_and_its_way_back():
    stamped = header(2.5)
    message = conversions.detections(stamped, "drone", (10.5, 20.25, 30, 41), 0.75, target_id=3)
    (detection,) = message.detections
    assert detection.header == stamped
    assert detection.id == "3"
    assert detection.bbox.center.theta == 0
    assert detection.bbox.center.position.x == 25.5
    assert detection.results[0].hypothesis.class_id == "drone"
    assert detection.results[0].hypothesis.score == 0.75
    assert conversions.detected_box(message) == (10.5, 20.25, 30, 41)


def test_a_region_of_interest_and_its_way_back():
    region = RegionOfInterest(x_offset=3, y_offset=4, width=50, height=60)
    assert conversions.region_box(region) == (3, 4, 50, 60)
    assert conversions.box_region((3.2, 4.4, 49.9, 59.8)) == region
    partly_outside = conversions.box_region((-10, -5, 30, 25))
    assert (partly_outside.x_offset, partly_outside.width, partly_outside.height) == (0, 20, 20)
