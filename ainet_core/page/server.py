"""The page's server: a thread with an event loop of its own, which never holds up its owner."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

from aiohttp import WSCloseCode, web

from ainet_core.page.access import SUBPROTOCOL, Access, is_address
from ainet_core.page.conversation import MAX_MESSAGE, Conversation
from ainet_core.page.live import Live
from ainet_core.page.orders import Orders
from ainet_core.page.picture import Encoder

MAX_CLIENTS = 8  # browsers that look at once
MAX_CONNECTIONS = 64  # with those that load the page: files that the owner needs stay free
SILENT_S = 10.0  # a connection that has asked for nothing after so long is closed

STATIC = Path(__file__).parent / "static"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob: data:; "
    "connect-src 'self' ws://{host} wss://{host}; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What a page looks like and where it is.

    Args:
        access: whom it answers; also the host that it is bound to.
        port: 0 takes a free one.
        title: whose page it is, in the title and the first line.
        takes: which orders its owner takes: "target", "reset", "enable", "mark", "correct".
        document: the file of static/ that "/" shows.
        width: of the pictures in pixels, at most.
    """

    access: Access
    port: int = 0
    title: str = "AINet"
    takes: tuple[str, ...] = ("target", "reset", "enable")
    document: str = "page.html"
    width: int = 960


class Page:
    """Serves `live` and hands on what the operator wants, from `start` to `stop`."""

    def __init__(self, settings: Settings, live: Live, orders: Orders) -> None:
        self._settings, self._live, self._orders = settings, live, orders
        self._files = _read_files(settings.document)
        self._conversations: dict[Conversation, web.WebSocketResponse] = {}
        self._heard: WeakSet[asyncio.BaseTransport] = WeakSet()  # they have asked for something
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def start(self) -> str:
        """Begin to serve; returns the page's address.

        Raises:
            OSError: the port is taken, or this machine has no such address.
        """
        listening = _listen(self._settings.access.host, self._settings.port)
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listening, ready), name="ainet_page", daemon=True
        )
        self._thread.start()
        ready.result(10.0)
        return _address(self._settings.access.host, listening.getsockname()[1])

    def stop(self) -> None:
        """End all connections; nothing happens when it was not started."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._ended is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join(5.0)

    def _run(self, listening: socket.socket, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(listening, ready))
        except Exception as error:  # told to who starts it, or to the log: never to the tracker
            if ready.done():
                _log.exception("the operator's page has ended")
            else:
                ready.set_exception(error)

    async def _serve(self, listening: socket.socket, ready: Future[None]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._encoder = Encoder(self._settings.width)
        application = web.Application(middlewares=[self._guard], client_max_size=1024)
        for path in self._files:
            application.router.add_get(path, self._file, allow_head=False)
        application.router.add_get("/access", self._access, allow_head=False)
        application.router.add_get("/live", self._talk, allow_head=False)
        runner = web.AppRunner(
            application, access_log=None, keepalive_timeout=SILENT_S, shutdown_timeout=1.0
        )
        await runner.setup()
        assert runner.server is not None
        accepting = asyncio.create_task(self._accept(listening, runner.server))
        ready.set_result(None)
        await self._ended.wait()
        self._live.on_change(None)
        accepting.cancel()
        listening.close()
        for opened in list(self._conversations.values()):
            await opened.close(code=WSCloseCode.GOING_AWAY, message=b"the page ends")
        await runner.cleanup()
        self._encoder.close()

    async def _accept(self, listening: socket.socket, server: web.Server) -> None:
        """By hand: aiohttp takes as many connections as come, and 3.9 lets them say nothing."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:  # no file is free: a moment later one may be
                _log.warning("operator's page: no connection taken: %s", error.strerror)
                await asyncio.sleep(0.5)
                continue
            if len(server.connections) >= MAX_CONNECTIONS:
                connection.close()
                continue
            try:
                transport, _ = await loop.connect_accepted_socket(server, connection)
            except OSError:  # it left at once
                connection.close()
                continue
            loop.call_later(SILENT_S, self._close_silent, transport)

    def _close_silent(self, transport: asyncio.Transport) -> None:
        if transport not in self._heard:
            transport.abort()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Before everything: may this request be answered; after it: what a browser may do."""
        if request.transport is not None:
            self._heard.add(request.transport)
        live = request.path in ("/access", "/live")
        refusal = self._settings.access.refusal(request.headers, live=live)
        response: web.StreamResponse
        if refusal is not None:
            response = web.Response(status=refusal.status, text=refusal.sentence)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:  # no such file, another method
                response = web.Response(status=error.status, text=error.reason)
        if not response.prepared:
            response.headers.update(HEADERS)
            if refusal is None:
                response.headers["Content-Security-Policy"] = POLICY.format(host=request.host)
        return response

    async def _file(self, request: web.Request) -> web.Response:
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8")

    async def _access(self, request: web.Request) -> web.Response:
        """What a WebSocket cannot tell its page: why it would be refused."""
        if self._is_full:
            return web.Response(status=503, text=f"{MAX_CLIENTS} browsers look already")
        return web.Response(text="welcome")

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        if self._is_full:
            return web.Response(status=503, text=f"{MAX_CLIENTS} browsers look already")
        opened = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,), heartbeat=20.0, timeout=1.0, max_msg_size=MAX_MESSAGE,
            compress=False,
        )  # fmt: skip
        facts = {"title": self._settings.title, "takes": self._settings.takes}
        talk = Conversation(opened, self._live, self._encoder, self._orders, facts)
        self._conversations[talk] = opened
        self._live.on_change(self._on_change)
        try:
            await opened.prepare(request)
            await talk.run()
        finally:
            del self._conversations[talk]
            if not self._conversations:
                self._live.on_change(None)
        return opened

    @property
    def _is_full(self) -> bool:
        return len(self._conversations) >= MAX_CLIENTS

    def _on_change(self) -> None:
        """Called by the thread that changed something."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has just ended; its owner goes on
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for talk in self._conversations:
            talk.wake()


def _read_files(document: str) -> dict[str, tuple[bytes, str]]:
    """Path of the request -> the file's bytes and type. No path is ever made from a request."""
    files = {
        f"/{path.name}": (path.read_bytes(), KINDS[path.suffix])
        for path in sorted(STATIC.iterdir())
        if path.suffix in KINDS
    }
    return files | {"/": files[f"/{document}"]}


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(place[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "another program has it (a second node's page?); name another port"
        else:
            why = str(error.strerror)
        raise OSError(f"no operator's page on port {port} of {host}: {why}") from None
    listening.setblocking(False)
    return listening


def _address(host: str, port: int) -> str:
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return (
        f"http://[{host}]:{port}/"
        if is_address(host) and ":" in host
        else f"http://{host}:{port}/"
    )
