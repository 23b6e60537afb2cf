"""A frame as the JPEG that a browser shows: made for those who look, once for each view."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.compressed import jpeg
from ainet_core.imaging.draw import paint_thermal
from ainet_core.page.live import Frame


def picture(frame: Frame, view: str, width: int) -> NDArray[np.uint8] | None:
    """The frame without its box, which the browser draws.

    Args:
        view: "rgb", "thermal" (painted) or "blend" (half of each, or the one that is there).
        width: of the picture in pixels, at most.

    Returns:
        (h, w, 3) uint8 RGB in the shape of the RGB image; None when the view's camera is silent.
    """
    rgb = frame.rgb if view in ("rgb", "blend") else None
    thermal = frame.thermal if view in ("thermal", "blend") else None
    if rgb is None and thermal is None:
        return None
    rows, columns = frame.box_size
    scale = min(width / columns, 1.0)
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    colour = None if rgb is None else _fitted(rgb, size)
    if thermal is None:
        return colour
    painted = _fitted(paint_thermal(_no_larger(thermal, size)), size)
    if colour is None:
        return painted
    return np.asarray(cv2.addWeighted(colour, 0.5, painted, 0.5, 0), np.uint8)


class Encoder:
    """JPEGs of the newest frame, made by one thread of its own; used by one event loop."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ainet_page_pictures")
        self._frame: Frame | None = None
        self._made: dict[str, asyncio.Future[bytes]] = {}
        self.encoded = 0

    async def jpeg(self, frame: Frame, view: str) -> bytes:
        """The picture as a JPEG, b"" when there is none; two who ask get the same one."""
        if frame is not self._frame:
            self._frame, self._made = frame, {}
        if view not in self._made:
            loop = asyncio.get_running_loop()
            self._made[view] = loop.run_in_executor(self._thread, self._encode, frame, view)
        return await asyncio.shield(self._made[view])  # who leaves must not cancel it for others

    def close(self) -> None:
        """End the thread after the picture in hand."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, frame: Frame, view: str) -> bytes:
        self.encoded += 1
        made = picture(frame, view, self._width)
        return b"" if made is None else jpeg(made)


def _fitted(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    if image.shape[1::-1] == size:
        return image
    how = cv2.INTER_AREA if image.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how))


def _no_larger(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Shrunk first, so that less is painted."""
    return _fitted(image, size) if image.shape[1] > size[0] else image
