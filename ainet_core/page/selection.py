"""A target that is drawn on a still picture; then the page follows along. On this machine only."""

from __future__ import annotations

import queue
import sys

from ainet_core.box import as_box
from ainet_core.page.access import Access
from ainet_core.page.live import Frame, Live
from ainet_core.page.opening import open_page
from ainet_core.page.orders import Box, NoOrders

LOOPBACK = Access("127.0.0.1")
WAIT_S = 0.2  # between looks: does Ctrl-C end it?
ASKS = {"state": "draw the target"}


class Selection(NoOrders):
    """Serves from its making to `close`, and says where.

    Raises:
        ValueError: aiohttp is not installed.
        OSError: the port is taken.
    """

    def __init__(self, title: str, port: int = 0) -> None:
        self._live = Live()
        self._drawn: queue.SimpleQueue[Box] = queue.SimpleQueue()
        self._page, address = open_page(
            self._live, self, LOOPBACK, port, title=title, takes=("target",)
        )
        print(f"draw the target on {address}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the page."""
        self._page.stop()

    def ask(self, frame: Frame) -> Box:
        """Wait until a box is drawn that lies in the frame; x, y, w, h in its pixels."""
        while not self._drawn.empty():  # what was drawn on an earlier picture
            self._drawn.get()
        self._live.show(frame)
        self._live.tell(ASKS)
        while True:
            try:
                box = self._drawn.get(timeout=WAIT_S)
                as_box(box, frame.box_size)
            except queue.Empty:
                continue
            except ValueError as error:
                self._live.tell(ASKS | {"trouble": f"target refused: {error}"})
                continue
            return box

    def show(self, frame: Frame) -> None:
        """Show what the tracker answered."""
        self._live.show(frame)
        self._live.tell({"state": frame.state})

    def set_target(self, box: Box) -> None:
        self._drawn.put(box)
