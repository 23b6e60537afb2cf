"""~/debug_image, raw and compressed: drawn only for those who look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from ainet_core.imaging.answer_picture import answer_picture
from ainet_ros.answers import Answer
from ainet_ros.compressed import jpeg_message
from ainet_ros.conversions import image_message
from ainet_ros.parameters import Settings


class DebugImage:
    """Two lifecycle publishers of the newest answer, drawn."""

    def __init__(self, node: LifecycleNode) -> None:
        self._raw = node.create_lifecycle_publisher(Image, "~/debug_image", 2)
        self._jpeg = node.create_lifecycle_publisher(
            CompressedImage, "~/debug_image/compressed", 2
        )

    def publish(self, answer: Answer, settings: Settings) -> None:
        """Draw and send where somebody subscribed; no image, no message."""
        raw = self._raw.get_subscription_count() > 0
        jpeg = self._jpeg.get_subscription_count() > 0
        if not (raw or jpeg) or answer.images.cameras == "none":
            return
        picture = drawn(answer, settings.debug_image_width, settings.debug_side_by_side)
        if raw:
            self._raw.publish(image_message(picture, "rgb8", answer.pair.header))
        if jpeg:
            self._jpeg.publish(jpeg_message(picture, answer.pair.header))


def drawn(answer: Answer, width: int, both: bool = False) -> NDArray[np.uint8]:
    """The answer's picture, (h, w, 3) uint8 RGB, w at most `width`.

    Args:
        both: both cameras side by side; otherwise the RGB image, or the thermal one in silence.
    """
    images, words = answer.images, (answer.state, f"{answer.score:.2f}")
    return answer_picture(
        images.rgb, images.thermal, answer.box, answer.box_size, words, width, both
    )
