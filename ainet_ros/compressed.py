"""The JPEGs that the node sends; what it receives is decoded in ainet_core.imaging.compressed."""

from __future__ import annotations

import array

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from ainet_core.imaging.compressed import JPEG_FORMAT, jpeg


def jpeg_message(image: NDArray[np.uint8], header: Header) -> CompressedImage:
    """A JPEG of (H, W, 3) uint8 RGB pixels under `header`."""
    return CompressedImage(header=header, format=JPEG_FORMAT, data=array.array("B", jpeg(image)))
