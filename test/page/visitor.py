"""Those who come to a page without a browser: with any headers, any message, any patience."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from owner import Open


def ask(page: Open, request: str, patience: float = 5.0) -> tuple[int, str]:
    """Send a request as it is written here; (status, everything that came)."""
    with socket.create_connection(("127.0.0.1", page.port), patience) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    answer = b"".join(parts).decode(errors="replace")
    return int(answer.split()[1]), answer


def get(page: Open, path: str = "/", **headers: str) -> tuple[int, str]:
    """A GET request with these headers, Host as a browser sends it unless given."""
    given = {"Host": f"127.0.0.1:{page.port}", "Connection": "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\n" for name, value in given.items() if value)
    return ask(page, f"GET {path} HTTP/1.1\n{lines}\n")


class Visit:
    """An open WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def message(self, shown: bool = True) -> tuple[dict[str, Any], bytes]:
        """The next message: its header and its JPEG; acknowledged unless told otherwise."""
        received = await self.socket.receive(10.0)
        assert received.type is aiohttp.WSMsgType.BINARY, received
        (length,) = struct.unpack(">I", received.data[:4])
        header = json.loads(received.data[4 : 4 + length])
        if shown:
            await self.socket.send_json({"shown": header["message"]})
        return header, received.data[4 + length :]

    async def end(self) -> aiohttp.WSMessage:
        """How the other side ended it."""
        while True:
            received = await self.socket.receive(10.0)
            if received.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return received


def visit(page: Open, talk: Callable[[Visit], Awaitable[Any]], **options: Any) -> Any:
    """Open the page's WebSocket as a browser does, and talk."""

    async def run() -> Any:
        async with (
            aiohttp.ClientSession() as session,
            connected(session, page, **options) as opened,
        ):
            return await talk(Visit(opened))

    return asyncio.run(run())


def connected(session: aiohttp.ClientSession, page: Open, token: str = "", **headers: str) -> Any:
    host = f"127.0.0.1:{page.port}"
    given = {"Origin": f"http://{host}"} | headers
    protocols = ["ainet", *([f"token.{token}"] if token else [])]
    return session.ws_connect(
        f"http://{host}/live", headers=given, protocols=protocols, max_msg_size=0
    )
