"""What was tried against the page's server; docs/operator_page.md lists it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time

import aiohttp
import pytest
from owner import Stream, frame, wait
from visitor import Visit, ask, connected, get, visit

from ainet_core.page import server

TOKEN = "a-token-of-24-characters"


@pytest.mark.parametrize("path", ["/", "/page.js", "/access", "/live", "/no-such-file"])
def test_a_foreign_host_gets_nothing(start, path):
    """DNS rebinding: the browser is on evil.example, and evil.example is 127.0.0.1."""
    page = start()
    status, answer = get(page, path, Host="evil.example", Origin="http://evil.example")
    assert status == 421
    assert "AINet" not in answer


def test_a_request_without_a_host_gets_nothing(start):
    assert ask(start(), "GET / HTTP/1.0\n\n")[0] == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_gets_no_pictures_and_gives_no_orders(start, origin):
    page = start()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        visit(page, Visit.message, Origin=origin)
    assert refusal.value.status == 403
    assert get(page, "/access", Origin=origin)[0] == 403
    assert page.orders == []


def test_a_websocket_without_an_origin_is_refused(start):
    page = start()
    upgrade = {"Upgrade": "websocket", "Sec_WebSocket_Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
               "Sec_WebSocket_Version": "13", "Connection": "Upgrade, close"}  # fmt: skip
    assert get(page, "/live", **upgrade)[0] == 403


@pytest.mark.parametrize("given", ["", "wrong-wrong-wrong-wrong", TOKEN[:-1], TOKEN + "x"])
def test_no_token_and_a_wrong_token_are_refused(start, given):
    page = start(token=TOKEN)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        visit(page, Visit.message, token=given)
    assert refusal.value.status == 401
    assert get(page, "/access", Authorization=f"Bearer {given}")[0] == 401
    assert get(page, f"/access?token={TOKEN}")[0] == 401  # addresses end up in logs
    assert get(page, "/access", Authorization=f"Bearer {TOKEN}")[0] == 200


def test_the_token_opens_the_page(start):
    page = start(token=TOKEN)
    header, _ = visit(page, Visit.message, token=TOKEN)
    assert header["number"] == 0


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/static/../server.py", "/%2e%2e/server.py", "/..%2fserver.py",
     "/..%5cserver.py", "//etc/passwd", "/page.js/../../server.py", "/etc/passwd", "/.",
     "/page.js%00.css", "/server.py", "/__pycache__", "/static/", "/file:///etc/passwd"],
)  # fmt: skip
def test_path_traversal_finds_nothing(start, path):
    status, answer = get(start(), path)
    assert status in (400, 404), answer
    assert "import" not in answer
    assert "root:" not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_refused(start, method):
    page = start()
    head = f"{method} / HTTP/1.1\nHost: localhost:{page.port}\nConnection: close\n"
    assert ask(page, f"{head}Content-Length: 0\n\n")[0] in (400, 404, 405)


def test_huge_headers_and_lines_are_refused(start):
    page = start()
    for request in (
        f"GET /{'a' * 100_000} HTTP/1.1\n\n",
        f"GET / HTTP/1.1\nHost: localhost\nX: {'a' * 100_000}\nConnection: close\n\n",
    ):
        assert ask(page, request)[0] == 400
    assert get(page)[0] == 200


@pytest.mark.parametrize("binary", [True, False])
def test_a_huge_message_ends_the_connection(start, binary):
    page = start()

    async def talk(visit: Visit) -> aiohttp.WSMessage:
        await visit.message()
        big = b"x" * 50_000_000
        with contextlib.suppress(ConnectionError):  # it did not even wait for the end
            await (visit.socket.send_bytes(big) if binary else visit.socket.send_str(big.decode()))
        return await visit.end()

    assert visit(page, talk).data in (aiohttp.WSCloseCode.MESSAGE_TOO_BIG, None)
    assert visit(page, Visit.message)[0]["number"] == 0  # others are served


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"bytes", "expected text"),
        ("nonsense", "expected JSON, got 'nonsense'"),
        ('{"target": [1, 2, NaN, 4]}', "expected shown, target"),
        ("[" * 10_000, "expected JSON"),
    ],
)
def test_a_message_that_is_no_order_ends_the_connection(start, sent, reason):
    page = start()

    async def talk(visit: Visit) -> aiohttp.WSMessage:
        if isinstance(sent, bytes):
            await visit.socket.send_bytes(sent)
        else:
            await visit.socket.send_str(sent)
        return await visit.end()

    ended = visit(page, talk)
    assert ended.data == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert reason in ended.extra
    assert page.orders == []


def test_a_flood_of_orders_ends_the_connection(start):
    page = start()

    async def talk(visit: Visit) -> aiohttp.WSMessage:
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                await visit.socket.send_str('{"reset": true}')
        return await visit.end()

    assert visit(page, talk).extra == "too many messages"
    assert len(page.orders) <= 150


def test_two_hundred_websockets_at_once_leave_eight_and_the_tracker_goes_on(start):
    page = start()

    async def storm() -> list[int]:
        outcomes: list[int] = []

        async def one(session: aiohttp.ClientSession) -> None:
            try:
                async with connected(session, page) as opened:
                    await Visit(opened).message()
                    outcomes.append(200)
                    while len(outcomes) < 200:  # look until all others have tried
                        await asyncio.sleep(0.01)
            except aiohttp.WSServerHandshakeError as refusal:
                outcomes.append(refusal.status)
            except aiohttp.ClientError:
                outcomes.append(0)  # not even taken

        limitless = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=limitless) as session:
            await asyncio.gather(*(one(session) for _ in range(200)))
        return outcomes

    with Stream(page.live, 0.02) as stream:
        outcomes = asyncio.run(storm())
    assert outcomes.count(200) == server.MAX_CLIENTS
    assert set(outcomes) <= {200, 503, 0}
    assert max(stream.took) < 0.1
    assert visit(page, Visit.message)[0]["number"] > 0  # they are gone: the next one is served


def test_two_hundred_connections_that_say_nothing_take_no_files_and_are_closed(start, monkeypatch):
    monkeypatch.setattr(server, "SILENT_S", 2.0)
    page, before = start(), files()
    silent = []
    for _ in range(200):
        silent.append(socket.create_connection(("127.0.0.1", page.port), 5))
        with contextlib.suppress(OSError):  # the page has had enough
            silent[-1].sendall(b"GET / HT")  # and never the rest
    assert not answers(page)
    assert files() - before <= 200 + server.MAX_CONNECTIONS  # of both sides
    wait("room for another", lambda: answers(page))
    for connection in silent:
        connection.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
        connection.close()


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def answers(page) -> bool:
    try:
        return get(page)[0] == 200
    except (OSError, IndexError):  # not taken, or closed without a word
        return False


def test_a_browser_may_not_show_the_page_inside_another_nor_load_anything_else(start):
    status, answer = get(start())
    assert status == 200
    head = answer.partition("\r\n\r\n")[0].lower()
    for line in ("x-frame-options: deny", "x-content-type-options: nosniff",
                 "referrer-policy: no-referrer", "cross-origin-resource-policy: same-origin",
                 "cache-control: no-store"):  # fmt: skip
        assert line in head
    policy = head.partition("content-security-policy: ")[2].splitlines()[0]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                 "base-uri 'none'", "form-action 'none'"):  # fmt: skip
        assert part in policy
    assert "unsafe" not in policy
    assert "access-control" not in head


def test_an_owner_who_raises_costs_one_connection_and_no_page(start, caplog):
    page = start()

    def broken() -> None:
        raise RuntimeError("on purpose")

    page.owner.reset = broken

    async def talk(visit: Visit) -> aiohttp.WSMessage:
        await visit.socket.send_str('{"reset": true}')
        return await visit.end()

    visit(page, talk)
    assert "on purpose" in caplog.text
    page.live.show(frame())
    assert visit(page, Visit.message)[0]["number"] == 1


def test_a_visitor_who_vanishes_is_forgotten(start):
    page = start()

    async def talk(visit: Visit) -> None:
        await visit.message(shown=False)
        visit.socket._response.connection.transport.abort()

    visit(page, talk)
    page.live.show(frame())
    begun = time.monotonic()
    wait("him to be forgotten", lambda: not page.page._conversations)
    assert time.monotonic() - begun < 5
