"""Images to arrays and back, checked on whichever cv_bridge is installed."""

import sys
from array import array

import pytest

pytest.importorskip("cv_bridge", reason="ROS 2 is not installed: make venv")

import cv2
import cv_bridge
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

BRIDGE = cv_bridge.CvBridge()
RANDOM = np.random.default_rng(0)


def pixels(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    limit = 256 if dtype == "uint8" else 65536
    return RANDOM.integers(0, limit, shape).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "dtype", "encoding"),
    [
        ((5, 7, 3), "uint8", "bgr8"),
        ((5, 7, 4), "uint8", "rgba8"),
        ((5, 7), "uint8", "mono8"),
        ((5, 7), "uint16", "mono16"),
        ((5, 7), "uint16", "16UC1"),
        ((5, 7), "float32", "32FC1"),
        ((5, 7, 2), "float64", "64FC2"),
    ],
)
def test_round_trip(shape: tuple[int, ...], dtype: str, encoding: str) -> None:
    sent = pixels(shape, dtype)
    message = BRIDGE.cv2_to_imgmsg(sent, encoding, header=Header(frame_id="camera"))
    assert (message.height, message.width, message.encoding) == (*shape[:2], encoding)
    assert message.step == sent.strides[0]
    assert message.header.frame_id == "camera"
    assert isinstance(message.data, array)
    got = BRIDGE.imgmsg_to_cv2(message)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, sent)


def test_passthrough_names_the_type_not_the_colours() -> None:
    assert BRIDGE.cv2_to_imgmsg(pixels((2, 2, 3))).encoding == "8UC3"
    assert BRIDGE.cv2_to_imgmsg(pixels((2, 2), "uint16")).encoding == "16UC1"


def test_padding_at_the_end_of_rows_is_left_out() -> None:
    padded = pixels((4, 8, 3))
    message = BRIDGE.cv2_to_imgmsg(padded, "bgr8")
    message.width = 6
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message), padded[:, :6])


def test_slices_are_sent_as_they_look() -> None:
    whole = pixels((6, 8, 3))
    message = BRIDGE.cv2_to_imgmsg(whole[::2, 1:5, ::-1], "rgb8")
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message), whole[::2, 1:5, ::-1])


def test_the_array_is_the_callers_own(pip_ros_in_use: None) -> None:
    message = BRIDGE.cv2_to_imgmsg(pixels((2, 2)), "mono8")
    for encoding in ("passthrough", "mono8"):
        got = BRIDGE.imgmsg_to_cv2(message, encoding)
        got += 1
        assert bytes(message.data) != got.tobytes()


def test_big_endian_bytes_are_turned(pip_ros_in_use: None) -> None:
    sent = pixels((3, 5), "uint16")
    message = BRIDGE.cv2_to_imgmsg(sent.astype(">u2"), "mono16")
    assert message.is_bigendian
    got = BRIDGE.imgmsg_to_cv2(message)
    assert got.dtype.isnative
    np.testing.assert_array_equal(got, sent)
    little = BRIDGE.cv2_to_imgmsg(sent, "mono16")
    assert bool(little.is_bigendian) == (sys.byteorder == "big")


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("bgr8", "rgb8", cv2.COLOR_BGR2RGB),
        ("rgb8", "mono8", cv2.COLOR_RGB2GRAY),
        ("bgra8", "bgr8", cv2.COLOR_BGRA2BGR),
        ("mono8", "bgr8", cv2.COLOR_GRAY2BGR),
        ("bayer_rggb8", "bgr8", cv2.COLOR_BayerBG2BGR),
        ("yuv422", "bgr8", cv2.COLOR_YUV2BGR_UYVY),
        ("yuv422_yuy2", "mono8", cv2.COLOR_YUV2GRAY_YUY2),
    ],
)
def test_colours_convert_as_opencv_does(source: str, target: str, code: int) -> None:
    channels = {"mono8": 1, "bayer_rggb8": 1, "yuv422": 2, "yuv422_yuy2": 2, "bgra8": 4}
    count = channels.get(source, 3)
    sent = pixels((6, 8) if count == 1 else (6, 8, count))
    message = BRIDGE.cv2_to_imgmsg(sent)
    message.encoding = source
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(message, target), cv2.cvtColor(sent, code))


def test_between_8_and_16_bits_the_whole_range_is_scaled() -> None:
    message = BRIDGE.cv2_to_imgmsg(np.array([[0, 128, 129, 32768, 65535]], "uint16"), "mono16")
    assert BRIDGE.imgmsg_to_cv2(message, "mono8").tolist() == [[0, 0, 1, 128, 255]]
    message = BRIDGE.cv2_to_imgmsg(np.array([[0, 1, 255]], "uint8"), "mono8")
    assert BRIDGE.imgmsg_to_cv2(message, "mono16").tolist() == [[0, 257, 65535]]


@pytest.mark.parametrize(
    ("encoding", "target", "message"),
    [
        ("16UC1", "bgr8", r"\[16UC1\] is not a color format. but \[bgr8\] is"),
        ("bgr8", "8UC1", "do not have the same number of channel|must have the same OpenCV type"),
        ("mono8", "bayer_rggb8", r"Unsupported conversion from \[mono8\] to \[bayer_rggb8\]"),
        ("nonsense", "bgr8", r"Unrecognized image encoding \[nonsense\]"),
    ],
)
def test_impossible_conversions_are_refused(encoding: str, target: str, message: str) -> None:
    size = {"16UC1": 2, "bgr8": 3}.get(encoding, 1)
    sent = Image(
        height=2, width=2, encoding=encoding, step=2 * size, data=array("B", bytes(4 * size))
    )
    with pytest.raises(cv_bridge.CvBridgeError, match=message):
        BRIDGE.imgmsg_to_cv2(sent, target)


def test_wrong_type_for_an_encoding_is_refused() -> None:
    with pytest.raises(cv_bridge.CvBridgeError, match="mono8, but image has incompatible .* 8UC3"):
        BRIDGE.cv2_to_imgmsg(pixels((2, 2, 3)), "mono8")
    with pytest.raises(TypeError, match="not a numpy array"):
        BRIDGE.cv2_to_imgmsg([[1, 2]])


def test_truncated_data_is_a_type_error() -> None:
    message = BRIDGE.cv2_to_imgmsg(pixels((4, 4, 3)), "bgr8")
    message.data = message.data[:-1]
    with pytest.raises(TypeError, match="too small"):
        BRIDGE.imgmsg_to_cv2(message)


def test_compressed_png_keeps_16_bits(pip_ros_in_use: None) -> None:
    sent = pixels((5, 7), "uint16")
    message = BRIDGE.cv2_to_compressed_imgmsg(sent, "png")
    assert message.format == "png"
    np.testing.assert_array_equal(BRIDGE.compressed_imgmsg_to_cv2(message), sent)


def test_compressed_colours_are_bgr() -> None:
    sent = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    message = BRIDGE.cv2_to_compressed_imgmsg(sent)
    assert message.format == "jpg"
    assert np.abs(BRIDGE.compressed_imgmsg_to_cv2(message).astype(int) - sent).max() <= 3
    got = BRIDGE.compressed_imgmsg_to_cv2(message, "rgb8")
    assert np.abs(got.astype(int) - sent[..., ::-1]).max() <= 3


def test_what_is_no_picture_comes_out_as_none() -> None:
    broken = CompressedImage(format="jpeg", data=array("B", b"no picture"))
    assert BRIDGE.compressed_imgmsg_to_cv2(broken) is None
