"""~/debug_image, raw and compressed: drawn only for those who look, beside the tracker."""

from __future__ import annotations

import math
import threading
import time
import traceback
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from ainet_core.imaging.answer_picture import answer_picture
from ainet_ros.answers import Answer
from ainet_ros.compressed import jpeg_message
from ainet_ros.conversions import image_message
from ainet_ros.parameters import Settings

NEXT_ANSWER_S = 0.1  # so long a picture that is due waits for the next answer


class DebugImage:
    """Two lifecycle publishers of the newest answer, drawn by a thread of its own.

    So neither a box nor the next pair waits for a picture. Of answers that come faster than they
    are drawn, or than `debug_image_rate` lets them, the newest is: a picture under way to its
    readers holds Python's lock for longer than it takes to draw, and eyes need no 30 a second.
    One that is due waits for the next answer: then the tracker rests until the next pair comes.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._raw = node.create_lifecycle_publisher(Image, "~/debug_image", 2)
        self._jpeg = node.create_lifecycle_publisher(
            CompressedImage, "~/debug_image/compressed", 2
        )
        self._logger = node.get_logger()
        self._changed = threading.Condition()
        self._newest: tuple[Answer, Settings] | None = None
        self._fresh = False  # it has just come
        self._due = -math.inf  # when the next picture may begin, on the monotonic clock
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to draw what `show` is given."""
        self._thread = threading.Thread(target=self._run, name="ainet_debug_image", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the picture in hand; nothing happens when it was not started."""
        if self._thread is None:
            return
        with self._changed:
            thread, self._thread, self._newest = self._thread, None, None
            self._changed.notify()
        thread.join(5.0)

    def show(self, answer: Answer, settings: Settings) -> None:
        """Draw and send where somebody subscribed, soon; no image, no message."""
        if not (self._is_wanted(self._raw) or self._is_wanted(self._jpeg)):
            return
        with self._changed:
            if self._thread is not None and answer.images.cameras != "none":
                self._newest, self._fresh = (answer, settings), True
                self._changed.notify()

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest or self._thread is not me)
                while self._thread is me and (left := self._seconds_left()) > 0:
                    self._changed.wait(left)
                if self._thread is not me:
                    return
                assert self._newest is not None
                (answer, settings), self._newest = self._newest, None
                rate = settings.debug_image_rate
                now = time.monotonic()
                # A picture that began late lets the next one come earlier, by one at most.
                self._due = max(self._due + 1 / rate, now) if rate else now
            try:
                self._publish(answer, settings)
            except Exception as error:  # a picture less, never a node less
                self._logger.error(
                    f"no debug image: {type(error).__name__}: {error}\n{traceback.format_exc()}",
                    throttle_duration_sec=5.0,
                )

    def _seconds_left(self) -> float:
        """Until the newest answer is to be drawn, unless another one comes before."""
        assert self._newest is not None
        early = self._due - time.monotonic() if self._newest[1].debug_image_rate else 0.0
        fresh, self._fresh = self._fresh, False
        if early > 0:
            return early
        return 0.0 if fresh else early + NEXT_ANSWER_S

    def _publish(self, answer: Answer, settings: Settings) -> None:
        picture = drawn(answer, settings.debug_image_width, settings.debug_side_by_side)
        if self._is_wanted(self._raw):
            self._raw.publish(image_message(picture, "rgb8", answer.pair.header))
        if self._is_wanted(self._jpeg):
            self._jpeg.publish(jpeg_message(picture, answer.pair.header))

    @staticmethod
    def _is_wanted(publisher: Any) -> bool:
        return bool(publisher.get_subscription_count() > 0)


def drawn(answer: Answer, width: int, both: bool = False) -> NDArray[np.uint8]:
    """The answer's picture, (h, w, 3) uint8 RGB, w at most `width`.

    Args:
        both: both cameras side by side; otherwise the RGB image, or the thermal one in silence.
    """
    images, words = answer.images, (answer.state, f"{answer.score:.2f}")
    return answer_picture(
        images.rgb, images.thermal, answer.box, answer.box_size, words, width, both
    )
