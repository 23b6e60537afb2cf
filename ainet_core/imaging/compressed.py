"""JPEGs and PNGs as image_transport's "compressed" sends them: to arrays, and back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

JPEG_QUALITY = 80
JPEG_FORMAT = "rgb8; jpeg compressed bgr8"  # what `jpeg` makes, in image_transport's words
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_TAIL = 64  # some cameras pad their JPEGs with a few bytes


def decoded(message: Any) -> NDArray[Any]:
    """(H, W) or (H, W, 3) in RGB order, uint8 or uint16: the depth that was sent.

    Args:
        message: has the fields of a sensor_msgs/CompressedImage.

    Raises:
        ValueError: the data are no whole JPEG or PNG.
    """
    data = np.frombuffer(message.data, np.uint8)
    _check_whole(message, data)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f"{_named(message)} cannot be decoded: {error.err}") from None
    if image is None:
        raise ValueError(f"{_named(message)} cannot be decoded")
    if image.ndim == 2:
        return image
    if image.shape[2] == 4:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGB))
    # OpenCV hands out the channels in reverse; a driver that stored RGB as if it were BGR says so.
    if _stored_order(message.format).startswith("rgb"):
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 RGB pixels as a JPEG; JPEG_FORMAT names what it is."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _stored_order(text: str) -> str:
    """`bgr8` of "rgb8; jpeg compressed bgr8"; of "rgb8; png compressed " it is `rgb8`."""
    original, _, rest = text.partition(";")
    return rest.partition("compressed")[2].strip() or (original.strip() if rest else "")


def _check_whole(message: Any, data: NDArray[np.uint8]) -> None:
    # The decoder fills what is missing of a JPEG with grey, and warns on stderr only.
    start, tail = data[:8].tobytes(), data[-_TAIL:].tobytes()
    if not (start.startswith(_JPEG) or start == _PNG):
        raise ValueError(f"{_named(message)} begins neither as a JPEG nor as a PNG")
    if (_JPEG_END if start.startswith(_JPEG) else _PNG_END) not in tail:
        raise ValueError(f"{_named(message)} has no end: it was cut off")


def _named(message: Any) -> str:
    return f"a {message.format!r} image of {len(message.data)} bytes"
