"""What the page's server sends, to whom, how often; and that nobody waits for a slow browser."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from dataclasses import replace

import aiohttp
import cv2
import numpy as np
import pytest
from owner import Stream, frame, wait
from visitor import Visit, connected, get, visit

from ainet_core.page.access import Access
from ainet_core.page.live import HISTORY, Live
from ainet_core.page.opening import open_page


def test_a_port_that_is_taken_is_refused_in_one_line(start):
    page = start()
    with pytest.raises(OSError, match=f"port {page.port} of 127.0.0.1: another program has it"):
        start(port=page.port)


def test_an_address_that_this_machine_does_not_have_is_refused_in_one_line():
    for host in ("192.0.2.1", "no-such-name.invalid"):
        with pytest.raises(OSError, match=f"no operator's page on port 8075 of {host}: "):
            open_page(Live(), None, Access(host, "x" * 16), 8075)


def test_without_aiohttp_one_line_says_what_to_install(monkeypatch):
    for name in list(sys.modules):
        if name == "ainet_core.page.server" or name.partition(".")[0] == "aiohttp":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ValueError, match=r"needs aiohttp: pip install 'ainet_ros\[page\]'"):
        open_page(Live(), None, Access("127.0.0.1"))


def test_the_pages_files_are_there_and_need_nothing_else(start):
    page = start()
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"),
                       ("/connection.js", "text/javascript"), ("/style.css", "text/css"),
                       ("/mark.html", "text/html"), ("/mark.js", "text/javascript")):  # fmt: skip
        status, answer = get(page, path)
        assert status == 200
        assert f"Content-Type: {kind}; charset=utf-8" in answer
        assert "http://" not in answer.partition("\r\n\r\n")[2]
        assert "https://" not in answer.partition("\r\n\r\n")[2]


def test_a_picture_comes_with_its_box_score_and_status(start):
    page = start(title="/left/ainet")
    page.live.show(frame(3, score=0.75))
    page.live.tell({"state": "tracking", "latency_ms": "31.0"})
    header, jpeg = visit(page, Visit.message)
    assert header["title"] == "/left/ainet"
    assert header["takes"] == ["target", "reset", "enable"]
    assert header["values"] == {"state": "tracking", "latency_ms": "31.0"}
    assert header["frame"] == {"width": 160, "height": 120, "box": [13, 40, 30, 30],
                               "score": 0.75, "state": "tracking", "target_id": 1,
                               "index": 0}  # fmt: skip
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (120, 160, 3)
    assert picture[55, 28].min() > 180  # the square
    (((ago, score, state)),) = header["scores"]
    assert 0 <= ago < 5
    assert (score, state) == (0.75, "tracking")


def test_views_are_chosen_and_a_silent_camera_is_told(start):
    page = start()
    page.live.show(frame())

    async def talk(visit: Visit) -> list[np.ndarray]:
        seen = []
        for view in ("rgb", "thermal", "blend"):
            await visit.socket.send_json({"view": view})
            while True:
                header, jpeg = await visit.message()
                if header["view"] == view and jpeg:
                    break
            seen.append(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
        page.live.show(replace(frame(), thermal=None))
        await visit.socket.send_json({"view": "thermal"})
        while (header := (await visit.message())[0])["picture"] != "none":
            pass
        return seen

    rgb, thermal, blend = visit(page, talk)
    assert rgb.shape == thermal.shape == blend.shape
    assert np.abs(rgb.astype(int) - thermal).mean() > 20
    assert np.abs((rgb.astype(int) + thermal) / 2 - blend).mean() < 8


def test_orders_reach_the_owner_in_their_order(start):
    page = start()
    sent = [{"target": [1, 2, 30, 40.5]}, {"enable": False}, {"enable": True}, {"reset": True}]

    async def talk(visit: Visit) -> None:
        for order in sent:
            await visit.socket.send_json(order)

    visit(page, talk)
    wait("all orders", lambda: len(page.orders) == 4)
    assert page.orders == [
        ("target", (1, 2, 30, 40.5)), ("enable", False), ("enable", True), ("reset", True),
    ]  # fmt: skip


def test_nothing_is_encoded_while_nobody_looks_and_once_for_all_who_do(start):
    page = start()
    for number in range(100):
        page.live.show(frame(number))
    assert page.page._encoder.encoded == 0

    async def two() -> None:
        async with (
            aiohttp.ClientSession() as session,
            connected(session, page) as first,
            connected(session, page) as second,
        ):
            await asyncio.gather(Visit(first).message(), Visit(second).message())

    asyncio.run(two())
    assert page.page._encoder.encoded == 1


def test_a_browser_that_has_not_shown_a_picture_gets_no_other_and_then_the_newest(start):
    page = start()

    async def talk(visit: Visit) -> tuple[dict, dict]:
        page.live.show(frame(1))
        first, _ = await visit.message(shown=False)
        for number in range(50):
            page.live.show(frame(number))
            await asyncio.sleep(0.005)
        try:
            await asyncio.wait_for(visit.socket.receive(), 0.3)
        except asyncio.TimeoutError:
            pass
        else:
            pytest.fail("a second message is under way")
        return first, page.live.since(0).number

    _, newest = visit(page, talk)
    assert newest == 51

    async def late(visit: Visit) -> tuple[dict, dict]:
        first, _ = await visit.message(shown=False)
        for number in range(20):
            page.live.show(frame(number))
        await visit.socket.send_json({"shown": first["message"]})
        return first, (await visit.message())[0]

    first, second = visit(page, late)
    assert second["number"] == first["number"] + 20
    assert len(second["scores"]) == 20  # the history has no holes all the same


def test_the_history_is_kept_for_who_comes_later_but_not_for_ever(start):
    page = start()
    for number in range(HISTORY + 50):
        page.live.show(frame(number))
    header, _ = visit(page, Visit.message)
    assert len(header["scores"]) == HISTORY


def test_a_slow_browser_slows_neither_the_tracker_nor_another_browser(start):
    """One reads nothing at all, one takes half a second a picture, one is quick."""
    page = start()

    async def look() -> tuple[int, int]:
        async def take(opened: aiohttp.ClientWebSocketResponse, pause: float) -> int:
            end, taken, guest = time.monotonic() + 3.0, 0, Visit(opened)
            while time.monotonic() < end:
                header, _ = await guest.message(shown=False)
                await asyncio.sleep(pause)
                await opened.send_json({"shown": header["message"]})
                taken += 1
            return taken

        async with (
            aiohttp.ClientSession() as session,
            connected(session, page),  # never reads
            connected(session, page) as slow,
            connected(session, page) as quick,
        ):
            return await asyncio.gather(take(slow, 0.5), take(quick, 0.0))

    with Stream(page.live, 0.03) as stream:
        slow, quick = asyncio.run(look())
    assert slow <= 8
    assert quick >= 3 * slow
    assert np.median(stream.took) < 0.001  # seconds that the tracker's thread spent on all three
    assert np.percentile(stream.took, 95) < 0.02


def test_stop_ends_connections_and_frees_the_port(start):
    page = start()

    async def talk(visit: Visit) -> aiohttp.WSMessage:
        await visit.message()
        await asyncio.get_running_loop().run_in_executor(None, page.page.stop)
        return await visit.end()

    assert visit(page, talk).data == aiohttp.WSCloseCode.GOING_AWAY
    page.page.stop()  # again: nothing happens
    page.live.show(frame())  # the tracker goes on without a page
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", page.port), 1)
    start(port=page.port)
