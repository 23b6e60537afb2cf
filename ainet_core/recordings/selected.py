"""`ainet track --select`: the target is drawn in a browser, which then shows every answer."""

from __future__ import annotations

from pathlib import Path

from ainet_core.box import BoxLike
from ainet_core.page.live import Frame
from ainet_core.page.selection import Selection
from ainet_core.recordings.follow import Answer
from ainet_core.recordings.moments import Moment
from ainet_core.recordings.outputs import Output


class SelectedTarget(Output):
    """Where the target is, and where answers go: a page, from `with` to its end.

    Args:
        title: the recording.
        port: of the page; 0 takes a free one.
        stamp: the target is asked for at the first moment with an image from there on, ns.
    """

    def __init__(self, title: str, port: int, stamp: int = 0) -> None:
        self.written: tuple[Path, ...] = ()
        self._title, self._port, self._stamp = title, port, stamp
        self._rgb_size: tuple[int, int] | None = None
        self._asked = False

    def __enter__(self) -> SelectedTarget:
        self._page = Selection(self._title, self._port)
        return self

    def box(self, moment: Moment, state: str) -> BoxLike | None:
        """Wait for the operator, once."""
        if moment.rgb is not None:
            self._rgb_size = moment.rgb.shape[0], moment.rgb.shape[1]
        if self._asked or moment.stamp < self._stamp:
            return None
        image = moment.thermal if moment.rgb is None else moment.rgb
        assert image is not None
        self._asked = True
        size = self._rgb_size or (image.shape[0], image.shape[1])
        return self._page.ask(Frame(moment.rgb, moment.thermal, size))

    def write(self, answer: Answer) -> None:
        moment = answer.moment
        if moment.rgb is None and moment.thermal is None:
            return
        self._page.show(
            Frame(
                moment.rgb, moment.thermal, answer.box_size, answer.box, answer.score,
                answer.state, answer.target_id,
            )
        )  # fmt: skip

    def close(self) -> None:
        self._page.close()
