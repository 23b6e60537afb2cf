"""The one thread that infers: takes the newest pair, answers it with exactly one message."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from ainet_core.box import as_box
from ainet_core.imaging.registration import Alignment
from ainet_core.imaging.thermal import in_rgb_pixels
from ainet_ros.answers import Answer, Images, Progress, TrackerLike
from ainet_ros.mailbox import Mailbox, Request, Work
from ainet_ros.pairing import Pair
from ainet_ros.reading import PairReader

BROKEN_AFTER = 10  # so many failures in a row are no accident: a lost device, wrong weights


class Worker:
    """Runs the tracker over a mailbox.

    Args:
        tracker: used by this thread only.
        mailbox: where pairs, targets and resets come from.
        publish: sends one answer; called once for every pair that is processed.
        warn: logs what went wrong: a sentence, and the kind of trouble that it is.
        changed: called after the state or the trouble changed.
        alignment: how thermal images lie in RGB ones; None: they show the same view.
        show: gets an answer after it was sent, for those who look at pictures.
    """

    def __init__(
        self,
        tracker: TrackerLike,
        mailbox: Mailbox,
        publish: Callable[[Answer], None],
        warn: Callable[[str, str], None],
        changed: Callable[[], None],
        alignment: Alignment | None = None,
        show: Callable[[Answer], None] = lambda answer: None,
    ) -> None:
        self.progress = Progress()
        self._tracker, self._mailbox = tracker, mailbox
        self._publish, self._warn, self._changed = publish, warn, changed
        self._show = show
        self._reader = PairReader(warn, alignment)
        self.newest = Images()  # what the newest answer was made from; other threads only look
        self._tracking_epoch: int | None = None  # the epoch whose target the tracker follows
        self._had_rgb = False  # the tracker has seen the target in an RGB image
        self._thread = threading.Thread(target=self._run, name="ainet_worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 10.0) -> bool:
        """End the thread after the pair in hand; False when it did not end in time."""
        self._mailbox.close()
        if self._thread.is_alive():
            self._thread.join(patience)
        return not self._thread.is_alive()

    def reset(self) -> None:
        """Say at once what a reset of the mailbox means; the thread sees the new epoch itself."""
        self.progress.trouble = ""
        self._set_state("no target", 0.0)

    def refuse(self, sentence: str) -> None:
        """Record and report why a target was not taken; the one before stays."""
        self.progress.trouble = f"target refused: {sentence}"
        self._warn(self.progress.trouble, sentence[:200])
        self._changed()

    def _run(self) -> None:
        while (work := self._mailbox.take()) is not None:
            try:
                self._do(work)
            except Exception as error:  # the thread must outlive whatever one pair holds
                self._warn(f"{_named(error)}\n{traceback.format_exc()}", _named(error))

    def _do(self, work: Work) -> None:
        pairs = [work.pair]
        if work.request is not None:
            pairs.insert(0, work.request.pair)
            self._start_on(work.request, work.epoch)
        for pair in pairs:
            if pair is not None and not pair.answered:
                self._follow(pair, work.epoch)

    def _start_on(self, request: Request, epoch: int) -> None:
        pair = request.pair
        assert pair is not None
        begun = time.monotonic()
        try:
            images = self._reader.read(pair)
            had_rgb = images.rgb is not None
            thermal = self._thermal(images, had_rgb)
            height, width = (thermal if images.rgb is None else images.rgb).shape[:2]
            box = as_box(request.box, (height, width))
            self._tracker.init(images.rgb, thermal, box)
        except ValueError as error:
            self.refuse(str(error))
            return
        except Exception as error:
            self.refuse(f"{_named(error)}\n{traceback.format_exc()}")
            return
        if self._mailbox.epoch != epoch:  # reset meanwhile: this target is not wanted any more
            return
        self._tracking_epoch, self._had_rgb = epoch, had_rgb
        self.progress.target_id += 1
        self.progress.trouble = ""
        if not pair.answered:
            answer = Answer(pair, box, 1.0, self.progress.target_id, "tracking", images)
            self._answer(answer, begun)
        self._set_state("tracking", 1.0)

    def _follow(self, pair: Pair, epoch: int) -> None:
        begun = time.monotonic()
        answer = Answer(pair, None, 0.0, self.progress.target_id)
        try:
            answer.images = self._reader.read(pair)
            if self._tracking_epoch == epoch:
                self._update(answer)
        except Exception as error:
            answer.state = self._failed(error)
        else:
            self._note_trouble(self._reader.trouble)
        if self._mailbox.epoch != epoch:  # reset meanwhile: what was found is of no interest
            answer.state, answer.box = "no target", None
        self._answer(answer, begun)
        self._set_state(answer.state, answer.score)

    def _update(self, answer: Answer) -> None:
        images = answer.images
        self._had_rgb = self._had_rgb or images.rgb is not None
        target = self._tracker.update(images.rgb, self._thermal(images, self._had_rgb))
        answer.state, answer.score = target.state, float(target.score)
        self.progress.order = tuple(getattr(target, "order", ()) or ())
        self.progress.failures_in_a_row = 0
        if target.state != "lost":
            answer.box = as_box(target.box)

    def _thermal(self, images: Images, had_rgb: bool) -> Any:
        """As the tracker needs it for a box in pixels of the last RGB image, if there was one."""
        size = self._reader.rgb_size
        if images.thermal is None or had_rgb or size is None:
            return images.thermal
        return in_rgb_pixels(images.thermal, size)

    def _failed(self, error: Exception) -> str:
        self.progress.failed += 1
        self.progress.trouble = what = str(error)
        if isinstance(error, ValueError):  # says enough by itself
            if what != self._reader.trouble:
                self._warn(what, what)
            return "error"
        self.progress.failures_in_a_row += 1
        self.progress.trouble = what = f"the tracker raised {_named(error)}"
        if self.progress.failures_in_a_row >= BROKEN_AFTER:
            self.progress.trouble += (
                f", {self.progress.failures_in_a_row} times in a row: "
                "deactivate, cleanup and configure the node to load it anew"
            )
        self._warn(f"{self.progress.trouble}\n{traceback.format_exc()}", what)
        return "error"

    def _note_trouble(self, trouble: str) -> None:
        """One camera's image was refused and the other's was used, or all is well again."""
        if trouble:
            self.progress.failed += 1
            self.progress.trouble = trouble
        elif " image refused" in self.progress.trouble:
            self.progress.trouble = ""

    def _answer(self, answer: Answer, begun: float) -> None:
        answer.pair.answered = True
        progress = self.progress
        progress.processed += 1
        answer.box_size = self._reader.box_size
        progress.cameras, progress.frozen = answer.images.cameras, self._reader.frozen
        progress.pixels = "thermal" if self._reader.rgb_size is None else "rgb"
        progress.inference.append(time.monotonic() - begun)
        self._publish(answer)
        now = time.monotonic()
        self.newest = answer.images
        progress.latency.append(now - answer.pair.received)
        progress.finished.append(now)
        self._show(answer)

    def _set_state(self, state: str, score: float) -> None:
        changed = state != self.progress.state
        if state != "error" and self.progress.state == "error":
            self.progress.trouble = self._reader.trouble
        self.progress.state, self.progress.score = state, score
        if changed:
            self._changed()


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
