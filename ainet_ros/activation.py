"""What exists while the node is active: pairing, mailbox and worker, made and ended together."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node
from vision_msgs.msg import Detection2DArray

from ainet_core.box import as_box
from ainet_core.imaging.registration import Alignment
from ainet_core.imaging.remaining_shift import RemainingShift, Shift
from ainet_ros.answers import Answer, Images, TrackerLike
from ainet_ros.camera import nanoseconds
from ainet_ros.conversions import best_detection
from ainet_ros.mailbox import Mailbox
from ainet_ros.pairing import Pair, Pairing
from ainet_ros.parameters import Box, Settings
from ainet_ros.status import SILENCE_S, silence_sentence
from ainet_ros.throttled_log import ThrottledLog
from ainet_ros.worker import Worker

AHEAD_S = 1.0  # stamps further in the future mean that two clocks disagree
# A target is taken from a detection in these states.
TAKEN_IN = {"start": {"no target"}, "reacquire": {"no target", "lost"}}


class Activation:
    """From the two image topics to answers, until `close`.

    Args:
        node: subscribes, logs; its executor calls all methods.
        settings: what was read in configure.
        tracker: used by the worker's thread alone from now on.
        publish: sends an answer; called by the worker's thread.
        changed: called when the state changed, by either thread.
        show: gets an answer after it was sent, as `publish` does.
        alignment: how thermal images lie in RGB ones; None: they show the same view.
    """

    def __init__(
        self,
        node: Node,
        settings: Settings,
        tracker: TrackerLike,
        publish: Callable[[Answer], None],
        changed: Callable[[], None],
        show: Callable[[Answer], None],
        alignment: Alignment | None = None,
    ) -> None:
        self._node, self._settings, self._changed = node, settings, changed
        self._pairs_seen, self._silent_since = 0, time.monotonic()
        self._idle_since = time.monotonic()
        self.log = ThrottledLog(node.get_logger())
        self._rarely = ThrottledLog(node.get_logger(), period=10.0)
        self.mailbox = Mailbox()
        if settings.start_box is not None:
            self.mailbox.set_target(settings.start_box)
        self.worker = Worker(
            tracker, self.mailbox, publish, self.log.warning, changed, alignment, show
        )
        self.pairing = Pairing(node, settings, self.mailbox.put, self.jump, self.log)
        self._remaining, self._looked_at = RemainingShift(), Images()
        self.worker.start()

    def close(self) -> None:
        """Unsubscribe and end the worker after the pair in hand."""
        self.pairing.close()
        if not self.worker.stop():
            self._node.get_logger().error("the tracker did not end its last pair in time")

    def apply(self, settings: Settings) -> None:
        """Go on with other values of the live parameters."""
        self._settings = settings
        self.pairing.apply(settings)

    def set_target(self, box: Box, pair: Pair | None = None) -> None:
        """Start on a box, or say why not; the target before stays then.

        Args:
            box: x, y, w, h in pixels of the RGB image.
            pair: where it was seen; None: on the newest pair, or the first to come.
        """
        seen = pair or self.mailbox.newest
        try:
            as_box(box, seen.size if seen else None)
            self.mailbox.set_target(box, pair)
        except ValueError as error:
            self.worker.refuse(str(error))
        self._changed()

    def detected(self, message: Detection2DArray) -> None:
        """Start on a detector's best box, on the pair of its stamp, if a target is wanted."""
        settings = self._settings
        if not self._wants_detections():
            return
        box = best_detection(message, settings.class_id, settings.detection_score)
        if box is None:
            return
        tolerance = round(settings.slop * 1e9)
        pair = self.mailbox.find(nanoseconds(message), tolerance)
        if pair is None:
            self.worker.refuse("no pair of the detection's stamp is kept (1 s), nor one near it")
            return
        self.set_target(box, pair)

    def reset(self) -> None:
        """Forget the target."""
        self.mailbox.reset()
        self.worker.reset()
        self._changed()

    def jump(self, sentence: str) -> None:
        """Time went back: nothing of before may meet anything of after."""
        self.log.warning(f"{sentence}: image queues cleared, target reset", "time went back")
        self.pairing.clear()
        self.mailbox.reset(forget_pairs=True)
        self.worker.reset()
        self._changed()

    def advise(self, detectors: int) -> None:
        """Called every second: say what hinders the tracking, and what to do.

        Args:
            detectors: how many publish on ~/detections; for them pairs are kept for a second.
        """
        self.mailbox.keeps_history = detectors > 0
        now = time.monotonic()
        if self.mailbox.pairs != self._pairs_seen:
            self._pairs_seen, self._silent_since = self.mailbox.pairs, now
            self._advise_target(now)
        elif now - self._silent_since >= SILENCE_S:
            self._rarely.warning(silence_sentence(self.pairing, self._settings), "no pair")
        self._advise_clock()

    def remaining_shift(self) -> Shift | None:
        """Called every second: look at the newest pair; where thermal lies beside RGB, if known.

        In the executor's thread, about 2 ms: the worker's boxes do not wait for it.
        """
        images = self.worker.newest
        if images is not self._looked_at and images.rgb is not None and images.thermal is not None:
            self._looked_at = images
            self._remaining.add(images.rgb, images.thermal)
        return self._remaining.shift

    def _advise_target(self, now: float) -> None:
        if self.worker.progress.state != "no target" or self.mailbox.request_waits:
            self._idle_since = now
        elif now - self._idle_since >= SILENCE_S:
            name = self._node.get_fully_qualified_name()
            self._idle_since = now + 60.0  # once a minute will do
            self._node.get_logger().info(
                f"images come, but no target is set: publish its box on {name}/set_target "
                f"(sensor_msgs/RegionOfInterest), let a detector publish on {name}/detections, "
                "or start with the parameter initial_box"
            )

    def _advise_clock(self) -> None:
        now = self._node.get_clock().now().nanoseconds
        if now == 0:
            self._rarely.warning(
                "use_sim_time is set and no /clock comes: stamps cannot be judged", "clock"
            )
            return
        for camera in self.pairing.cameras:
            ahead = ((camera.newest or 0) - now) / 1e9
            if ahead > AHEAD_S:
                self._rarely.warning(
                    f"stamps of {camera.topic} are {ahead:.1f} s ahead of this node's clock: "
                    "synchronise the clocks, or set use_sim_time for a recording",
                    f"{camera.name} ahead",
                )

    def _wants_detections(self) -> bool:
        mode, state = self._settings.on_detection, self.worker.progress.state
        if mode == "replace":
            return True
        return not self.mailbox.request_waits and state in TAKEN_IN.get(mode, set())
