"""`ainet calibrate --mark`: the same places are clicked in both cameras' images."""

from __future__ import annotations

import queue
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.page.live import Frame, Live
from ainet_core.page.opening import open_page
from ainet_core.page.orders import NoOrders, Points
from ainet_core.page.selection import LOOPBACK, WAIT_S

LARGEST = 4096  # pixels; images are shown as they are, so that a click is as sharp as they are


class Marking(NoOrders):
    """Takes points from the page, once."""

    def __init__(self) -> None:
        self.marked: queue.SimpleQueue[Points] = queue.SimpleQueue()

    def mark(self, points: Points) -> None:
        self.marked.put(points)


def marked_points(
    rgb: NDArray[np.uint8], thermal: NDArray[Any], port: int = 0
) -> NDArray[np.float64]:
    """Open a page on this machine and wait for the places that are marked there.

    Args:
        rgb: (H, W, 3) uint8.
        thermal: (h, w) or (h, w, 3), not aligned with it.
        port: 0 takes a free one.

    Returns:
        (n, 4) thermal x, y, RGB x, y in pixels of each image.

    Raises:
        ValueError: aiohttp is not installed.
        OSError: the port is taken.
    """
    live, orders = Live(), Marking()
    live.show(Frame(rgb, thermal, (rgb.shape[0], rgb.shape[1])))
    rows, columns = thermal.shape[:2]
    live.tell({"thermal_width": str(columns), "thermal_height": str(rows)})
    page, address = open_page(
        live, orders, LOOPBACK, port,
        title="Mark the same places", takes=("mark",), document="mark.html", width=LARGEST,
    )  # fmt: skip
    print(f"mark the same places in both images on {address}", file=sys.stderr, flush=True)
    try:
        while True:
            try:
                return np.array(orders.marked.get(timeout=WAIT_S), np.float64)
            except queue.Empty:
                continue
    finally:
        page.stop()
