"""`ainet track --select`: the target is drawn on the first pair, then the page follows along."""

from __future__ import annotations

import queue
import sys
from types import TracebackType

from ainet_core.box import as_box
from ainet_core.page.access import Access
from ainet_core.page.live import Frame, Live
from ainet_core.page.opening import open_page
from ainet_core.page.orders import Box, NoOrders

LOOPBACK = Access("127.0.0.1")
WAIT_S = 0.2  # between looks at the keyboard's Ctrl-C


class Selection(NoOrders):
    """A page on this machine, open from `with` to its end.

    Raises, when it is entered:
        ImportError: aiohttp is not installed.
        OSError: the port is taken.
    """

    def __init__(self, title: str, port: int = 0) -> None:
        self._title, self._port = title, port
        self._live = Live()
        self._drawn: queue.SimpleQueue[Box] = queue.SimpleQueue()

    def __enter__(self) -> Selection:
        self._page, address = open_page(
            self._live, self, LOOPBACK, self._port, title=self._title, takes=("target",)
        )
        print(f"draw the target on {address}", file=sys.stderr, flush=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._page.stop()

    def ask(self, frame: Frame) -> Box:
        """Show a frame and wait until a box that lies in it is drawn; x, y, w, h in its pixels."""
        self._live.show(frame)
        self._live.tell({"state": "draw the target"})
        while True:
            try:
                box = self._drawn.get(timeout=WAIT_S)
                as_box(box, frame.box_size)
            except queue.Empty:
                continue
            except ValueError as error:
                trouble = f"target refused: {error}"
                self._live.tell({"state": "draw the target", "trouble": trouble})
                continue
            return box

    def show(self, frame: Frame) -> None:
        """Show what the tracker answered."""
        self._live.show(frame)
        self._live.tell({"state": frame.state})

    def set_target(self, box: Box) -> None:
        self._drawn.put(box)
