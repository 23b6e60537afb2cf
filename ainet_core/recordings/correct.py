"""`ainet correct`: what the tracker got wrong is put right in a browser, frame by frame."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ainet_core.data.groundtruth import visible_boxes
from ainet_core.data.sequence import FramePair
from ainet_core.page.live import Frame, Live
from ainet_core.page.opening import open_page
from ainet_core.page.orders import Box, NoOrders, Word
from ainet_core.page.selection import LOOPBACK, WAIT_S
from ainet_core.recordings.corrections import ABSENT, UNKNOWN, Corrections

WIDTH = 1920  # pixels: a box of ten pixels must be seen well
ITSELF = {"unknown": UNKNOWN, "absent": ABSENT}


class CorrectingPage(NoOrders):
    """Shows one frame at a time, and does what is ordered in the thread that calls `run`."""

    def __init__(self, corrections: Corrections) -> None:
        self.live = Live()
        self._corrections = corrections
        self._suspicious = corrections.suspicious()
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._index = self._suspicious[0] if self._suspicious else 0
        self._trouble, self._ended = "", False
        self._size = 1, 1  # of the last image that could be read

    def run(self) -> None:
        """Until the page says that it is done."""
        self._show()
        while not self._ended:
            try:
                order = self._work.get(timeout=WAIT_S)
            except queue.Empty:
                continue
            self._trouble = ""
            try:
                order()
            except (ValueError, OSError) as error:
                self._trouble = str(error)
            self._show()

    def go(self, index: int) -> None:
        self._work.put(lambda: self._go(index))

    def correct(self, index: int, box: Box | Word) -> None:
        new = ITSELF[box] if isinstance(box, str) else box
        self._work.put(lambda: self._corrections.change(self._checked(index), new))

    def fill(self, index: int) -> None:
        self._work.put(lambda: self._fill(index))

    def undo(self) -> None:
        self._work.put(self._undo)

    def done(self) -> None:
        self._work.put(self._end)

    def _go(self, index: int) -> None:
        self._index = self._checked(index)

    def _fill(self, index: int) -> None:
        self._corrections.fill(self._checked(index))

    def _undo(self) -> None:
        index = self._corrections.undo()
        if index is None:
            raise ValueError("nothing was changed since the page was opened")
        self._index = index

    def _end(self) -> None:
        self._ended = True

    def _checked(self, index: int) -> int:
        if index >= len(self._corrections):
            raise ValueError(f"frame must be 0 to {len(self._corrections) - 1}, got {index}")
        return index

    def _show(self) -> None:
        states = states_of(self._corrections)
        rgb, thermal = self._images()
        box, state = self._corrections.boxes[self._index], states[self._index]
        seen = box if visible_boxes(box[None])[0] else None
        values = {
            "state": state,
            "states": ",".join(states),
            "suspicious": ",".join(map(str, self._suspicious)),
            "trouble": self._trouble,
        }
        frame = Frame(rgb, thermal, self._size, seen, state=state, index=self._index)
        self.live.show(frame, values)

    def _images(self) -> FramePair:
        """Of the frame that is shown; where one cannot be read, none, and the reason is told."""
        try:
            images = self._corrections.sequence[self._index]
        except ValueError as error:
            self._trouble = str(error)
            return FramePair(None, None)
        leading = images.thermal if images.rgb is None else images.rgb
        assert leading is not None
        self._size = leading.shape[0], leading.shape[1]
        return images


def states_of(corrections: Corrections) -> list[str]:
    """What each frame is: "tracked", "corrected", "unknown" or "absent"."""
    words = np.where(corrections.is_corrected, "corrected", "tracked").astype(object)
    words[np.isnan(corrections.boxes).any(axis=1)] = "unknown"
    words[(corrections.boxes == 0).all(axis=1)] = "absent"
    return [str(word) for word in words]


def correct(folder: Path, port: int = 0) -> Corrections:
    """Open a page on this machine on which boxes are corrected, and wait until it is done.

    Args:
        folder: what `ainet track --export` wrote.
        port: 0 takes a free one.

    Raises:
        ValueError: not such a folder, or aiohttp is not installed.
        OSError: the port is taken, or the folder cannot be written.
    """
    corrections = Corrections(folder)
    page = CorrectingPage(corrections)
    server, address = open_page(
        page.live, page, LOOPBACK, port,
        title=corrections.sequence.name, takes=("correct",), document="correct.html", width=WIDTH,
    )  # fmt: skip
    print(f"correct the boxes on {address}", file=sys.stderr, flush=True)
    try:
        page.run()
    finally:
        server.stop()
    return corrections
