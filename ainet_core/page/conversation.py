"""One browser's WebSocket: it gets the newest message when it has shown the one before.

So at most one message is under way to each browser. A slow one gets fewer frames, never older
ones, and neither the tracker nor another browser waits for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from ainet_core.page.live import Live, News
from ainet_core.page.orders import (
    Correct,
    Done,
    Enable,
    Fill,
    Go,
    Mark,
    Message,
    Orders,
    Reset,
    Shown,
    Target,
    Undo,
    View,
    parse,
)
from ainet_core.page.picture import Encoder

MAX_RATE = 25.0  # messages to one browser per second
MAX_MESSAGE = 16_384  # bytes from a browser: a hundred points fit
ORDERS_PER_S, ORDERS_AT_ONCE = 60.0, 120.0  # more is no operator; every picture needs one answer

_log = logging.getLogger(__name__)


class Conversation:
    """Sends what is new, does what is ordered, until either side ends it.

    Args:
        socket: open.
        facts: what never changes: the page's title, what its owner takes.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        live: Live,
        encoder: Encoder,
        orders: Orders,
        facts: Mapping[str, Any],
    ) -> None:
        self._socket, self._live, self._encoder = socket, live, encoder
        self._orders, self._facts = orders, facts
        self._view = "rgb"
        self._woken, self._shown = asyncio.Event(), asyncio.Event()
        self._messages = 0
        self._woken.set()  # the first message is due at once

    def wake(self) -> None:
        """Something is new."""
        self._woken.set()

    async def run(self) -> None:
        """Talk until the browser leaves or says something wrong."""
        tasks = {asyncio.create_task(self._send()), asyncio.create_task(self._receive())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, ConnectionError):
                _log.error("operator's page: a browser was sent away: %r", error)
        await self._socket.close()

    async def _send(self) -> None:
        number, version, view = 0, -1, ""
        while True:
            await self._woken.wait()
            self._woken.clear()
            news = self._live.since(number)
            if news.version == version and self._view == view:
                continue
            begun, wanted = time.monotonic(), self._view
            fresh = news.frame is not None and (news.number != number or wanted != view)
            picture = b""
            if fresh and news.frame is not None:
                picture = await self._encoder.jpeg(news.frame, wanted)
            number, version, view = news.number, news.version, wanted
            self._messages += 1
            self._shown.clear()
            header = message_header(news, self._facts)
            header |= {"message": self._messages, "view": view}
            header["picture"] = ("new" if picture else "none") if fresh else "same"
            await self._socket.send_bytes(packed(header, picture))
            await self._shown.wait()
            await asyncio.sleep(max(begun + 1 / MAX_RATE - time.monotonic(), 0.0))

    async def _receive(self) -> None:
        allowance, last = ORDERS_AT_ONCE, time.monotonic()
        async for received in self._socket:
            now = time.monotonic()
            allowance = min(allowance + (now - last) * ORDERS_PER_S, ORDERS_AT_ONCE) - 1
            last = now
            if allowance < 0:
                return await self._send_away("too many messages")
            if received.type is not WSMsgType.TEXT:
                return await self._send_away("expected text")
            try:
                self._obey(parse(received.data))
            except ValueError as error:
                return await self._send_away(str(error))
        return None

    async def _send_away(self, reason: str) -> None:
        told = reason.encode()[:120]  # a close frame holds 123 bytes
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=told)

    def _obey(self, message: Message) -> None:
        match message:
            case Shown(number):
                if number == self._messages:
                    self._shown.set()
            case View(name):
                self._view = name
                self._woken.set()
            case Target(box):
                self._orders.set_target(box)
            case Reset():
                self._orders.reset()
            case Enable(enabled):
                self._orders.enable(enabled)
            case Mark(points):
                self._orders.mark(points)
            case Go(index):
                self._orders.go(index)
            case Correct(index, box):
                self._orders.correct(index, box)
            case Fill(index):
                self._orders.fill(index)
            case Undo():
                self._orders.undo()
            case Done():
                self._orders.done()


def message_header(news: News, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser is told beside the picture; times are seconds ago."""
    now, frame = time.monotonic(), news.frame
    header: dict[str, Any] = {**facts, "number": news.number, "values": news.values}
    header["scores"] = [
        [round(now - score.time, 3), round(score.score, 4), score.state] for score in news.scores
    ]
    if frame is not None:
        rows, columns = frame.box_size
        header["frame"] = {
            "width": columns,
            "height": rows,
            "box": None if frame.box is None else [round(float(v), 2) for v in frame.box],
            "score": round(float(frame.score), 4),
            "state": frame.state,
            "target_id": frame.target_id,
            "index": frame.index,
        }
    return header


def packed(header: Mapping[str, Any], picture: bytes) -> bytes:
    """Four bytes with the header's length (big-endian), the header as JSON, the JPEG."""
    text = json.dumps(header, allow_nan=False).encode()
    return struct.pack(">I", len(text)) + text + picture
