"""What exists while the node is active: pairing, mailbox and worker, made and ended together."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node

from ainet_core.box import as_box
from ainet_ros.mailbox import Mailbox
from ainet_ros.pairing import Pairing
from ainet_ros.parameters import Box, Settings
from ainet_ros.status import SILENCE_S, silence_sentence
from ainet_ros.worker import Answer, TrackerLike, Worker


class Activation:
    """From the two image topics to answers, until `close`.

    Args:
        node: subscribes, logs; its executor calls all methods.
        settings: what was read in configure.
        tracker: used by the worker's thread alone from now on.
        publish: sends an answer; called by the worker's thread.
        changed: called when the state changed, by either thread.
    """

    def __init__(
        self,
        node: Node,
        settings: Settings,
        tracker: TrackerLike,
        publish: Callable[[Answer], None],
        changed: Callable[[], None],
    ) -> None:
        self._logger, self._settings, self._changed = node.get_logger(), settings, changed
        self._pairs_seen, self._silent_since = 0, time.monotonic()
        self.mailbox = Mailbox()
        if settings.start_box is not None:
            self.mailbox.set_target(settings.start_box)
        self.worker = Worker(tracker, self.mailbox, publish, self._warn, changed)
        self.pairing = Pairing(node, settings, self.mailbox.put, self.jump)
        self.worker.start()

    def close(self) -> None:
        """Unsubscribe and end the worker after the pair in hand."""
        self.pairing.close()
        if not self.worker.stop():
            self._logger.error("the tracker did not end its last pair in time")

    def set_target(self, box: Box) -> None:
        """Start on a box, or say why not; the target before stays then."""
        newest = self.mailbox.newest
        try:
            as_box(box, newest.size if newest else None)
            self.mailbox.set_target(box)
        except ValueError as error:
            self.worker.refuse(str(error))
        self._changed()

    def reset(self) -> None:
        """Forget the target."""
        self.mailbox.reset()
        self.worker.reset()
        self._changed()

    def jump(self, sentence: str) -> None:
        """Time went back: nothing of before may meet anything of after."""
        self._logger.warning(f"{sentence}: image queues cleared, target reset")
        self.pairing.clear()
        self.mailbox.reset(forget_pairs=True)
        self.worker.reset()
        self._changed()

    def explain_silence(self) -> None:
        """Called every second: warn with the reason when no pair comes."""
        if self.mailbox.pairs != self._pairs_seen:
            self._pairs_seen, self._silent_since = self.mailbox.pairs, time.monotonic()
        elif time.monotonic() - self._silent_since >= SILENCE_S:
            sentence = silence_sentence(self.pairing, self._settings.slop)
            self._logger.warning(sentence, throttle_duration_sec=10.0)

    def _warn(self, sentence: str, throttled: bool = True) -> None:
        if throttled:
            self._logger.warning(sentence, throttle_duration_sec=2.0)
        else:
            self._logger.warning(sentence)
