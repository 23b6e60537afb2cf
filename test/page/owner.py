"""Who a page belongs to in the tests, and what he shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ainet_core.page.access import Access
from ainet_core.page.live import Frame, Live
from ainet_core.page.opening import open_page
from ainet_core.page.orders import Box, Points, Word

PATIENCE = 20.0  # seconds; the machine may be busy


class Owner:
    """Writes down every order."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, Any]] = []

    def set_target(self, box: Box) -> None:
        self.orders.append(("target", box))

    def reset(self) -> None:
        self.orders.append(("reset", True))

    def enable(self, enabled: bool) -> None:
        self.orders.append(("enable", enabled))

    def mark(self, points: Points) -> None:
        self.orders.append(("mark", points))

    def go(self, index: int) -> None:
        self.orders.append(("go", index))

    def correct(self, index: int, box: Box | Word) -> None:
        self.orders.append(("correct", (index, box)))

    def fill(self, index: int) -> None:
        self.orders.append(("fill", index))

    def undo(self) -> None:
        self.orders.append(("undo", True))

    def done(self) -> None:
        self.orders.append(("done", True))


class Open:
    """A page that serves, with its owner."""

    def __init__(self, host: str, token: str, **settings: Any) -> None:
        self.owner, self.live = Owner(), Live()
        self.page, self.address = open_page(self.live, self.owner, Access(host, token), **settings)
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    @property
    def orders(self) -> list[tuple[str, Any]]:
        return self.owner.orders


def frame(number: int = 0, height: int = 120, width: int = 160, **fields: Any) -> Frame:
    """A grey pair with a bright square that walks to the right; the box is on it."""
    rgb = np.full((height, width, 3), 70, np.uint8)
    thermal = np.full((height // 2, width // 2), 60, np.uint8)
    x, y, side = 10 + number % (width // 2), height // 3, height // 4
    rgb[y : y + side, x : x + side] = 210
    thermal[y // 2 : (y + side) // 2, x // 2 : (x + side) // 2] = 230
    told = {"box": (x, y, side, side), "score": 0.9, "state": "tracking", "target_id": 1}
    return Frame(rgb, thermal, (height, width), **(told | fields))


class Stream:
    """Shows a frame every `period` seconds, as a tracker does; keeps how long each call took."""

    def __init__(self, live: Live, period: float, make: Callable[[int], Frame] = frame) -> None:
        self.took: list[float] = []
        self._live, self._period, self._make = live, period, make
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(self._period):
            number += 1
            made = self._make(number)
            begun = time.perf_counter()
            self._live.show(made)
            self.took.append(time.perf_counter() - begun)


def wait(what: str, true: Callable[[], Any], patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, f"waited {patience:.0f} s for {what}"
        time.sleep(0.02)
