"""CvBridge: sensor_msgs images to arrays and back."""

from array import array
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from .encodings import TYPE_NAMES, CvBridgeError, array_type, convert

__all__ = ["CvBridge", "CvBridgeError"]


class CvBridge:
    """Converts between sensor_msgs images and arrays of (H, W) or (H, W, C)."""

    def dtype_with_channels_to_cvtype2(self, dtype: np.dtype, n_channels: int) -> str:
        """Return OpenCV's name of a type: (uint8, 3) -> '8UC3'."""
        return f"{TYPE_NAMES[dtype.name]}C{n_channels}"

    def encoding_to_dtype_with_channels(self, encoding: str) -> tuple[str, int]:
        """Return the dtype's name and the number of channels of an encoding."""
        return array_type(encoding)

    def imgmsg_to_cv2(self, img_msg: Any, desired_encoding: str = "passthrough") -> np.ndarray:
        """Return a copy of an Image's pixels, (H, W) or (H, W, C), in this machine's byte order.

        As upstream: too few bytes raise a TypeError, and a `step` that is too small for `width`
        gives a narrower array, not an error.
        """
        name, channels = array_type(img_msg.encoding)
        dtype = np.dtype(name).newbyteorder(">" if img_msg.is_bigendian else "<")
        columns = img_msg.step // (dtype.itemsize * channels)
        shape = (img_msg.height, columns) if channels == 1 else (img_msg.height, columns, channels)
        # As upstream, a step that is no whole number of pixels shears the image.
        rows = np.ndarray(shape, dtype, buffer=img_msg.data)
        image = np.array(rows[:, : img_msg.width], dtype=name)
        if desired_encoding == "passthrough":
            return image
        return convert(image, img_msg.encoding, desired_encoding)

    def cv2_to_imgmsg(
        self, cvim: np.ndarray, encoding: str = "passthrough", header: Any = None
    ) -> Image:
        """Return an Image message; 'passthrough' names the type ('8UC3'), not the colours."""
        if not isinstance(cvim, np.ndarray | np.generic):
            raise TypeError("Your input type is not a numpy array")
        msg = Image(height=cvim.shape[0], width=cvim.shape[1])
        if header is not None:
            msg.header = header
        cv_type = self.dtype_with_channels_to_cvtype2(
            cvim.dtype, 1 if cvim.ndim < 3 else cvim.shape[2]
        )
        if encoding != "passthrough":
            dtype, channels = array_type(encoding)
            if f"{TYPE_NAMES[dtype]}C{channels}" != cv_type:
                raise CvBridgeError(
                    f"encoding specified as {encoding}, but image has incompatible type {cv_type}"
                )
        msg.encoding = cv_type if encoding == "passthrough" else encoding
        msg.is_bigendian = int(cvim.dtype.byteorder == ">")
        msg.data = _byte_array(cvim)
        msg.step = len(msg.data) // msg.height
        return msg

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: Any, desired_encoding: str = "passthrough"
    ) -> np.ndarray | None:
        """Decode a JPEG or PNG; what cannot be decoded comes out as None, as upstream.

        Any other encoding than 'passthrough' takes the picture for bgr8, whatever it is.
        """
        image = cv2.imdecode(np.frombuffer(cmprs_img_msg.data, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None or desired_encoding == "passthrough":
            return image
        return convert(image, "bgr8", desired_encoding)

    def cv2_to_compressed_imgmsg(
        self, cvim: np.ndarray, dst_format: str = "jpg"
    ) -> CompressedImage:
        """Return a CompressedImage; `format` is the file ending that was asked for."""
        if not isinstance(cvim, np.ndarray | np.generic):
            raise TypeError("Your input type is not a numpy array")
        try:
            _, encoded = cv2.imencode(f".{dst_format}", cvim)
        except cv2.error as error:
            raise CvBridgeError(str(error)) from error
        return CompressedImage(format=dst_format, data=_byte_array(encoded))


def _byte_array(values: np.ndarray) -> array:
    """Return the bytes as the one type that rclpy takes without looking at each element."""
    data = array("B")
    data.frombytes(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return data
