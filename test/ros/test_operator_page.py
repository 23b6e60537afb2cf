"""The node's page over real DDS, in a real browser: refusals, orders, a node that dies, cost."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from processes import CHILD_ENVIRONMENT, ROOT
from rclpy.parameter import Parameter
from trivial_node import make

from ainet_ros.tracker_node import TrackerNode

sys.path.insert(0, str(ROOT / "test" / "page"))  # chromium, visitor: no package
aiohttp = pytest.importorskip("aiohttp", reason="the page's server is not installed: make venv")

pytestmark = pytest.mark.dds
SIZE = (160, 120)  # the robot's pictures
TOKEN = "a-token-of-24-characters"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def with_page(port: int, **parameters: object) -> list[str]:
    given = {"operator_page": "true", "operator_page_port": port} | parameters
    return [word for name, value in given.items() for word in ("-p", f"{name}:={value}")]


@pytest.fixture
def browser(tmp_path: Path):
    import chromium

    driver = chromium.start(tmp_path / "profile")
    yield driver
    driver.quit()


@contextmanager
def cameras(robot, rate: float = 20.0):
    """Both cameras run; yields the list of stamps that were sent."""
    sent: list[float] = []
    ended = threading.Event()
    start = time.time()

    def run() -> None:
        while not ended.wait(1 / rate):
            sent.append(round(start + len(sent) / rate, 3))
            robot.send(sent[-1])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield sent
    ended.set()
    thread.join()


def newest_box(robot) -> tuple[float, ...] | None:
    """x, y, w, h of the newest message on /ainet/bbox."""
    detections = robot.boxes[-1].detections if robot.boxes else []
    if not detections:
        return None
    box = detections[0].bbox
    x, y = box.center.position.x - box.size_x / 2, box.center.position.y - box.size_y / 2
    return x, y, box.size_x, box.size_y


def test_a_page_for_other_machines_without_a_token_ends_the_node_with_one_line(start):
    node = start("", *with_page(free_port(), operator_page_host="0.0.0.0"))
    assert node.child.wait(30) == 2
    (line,) = [line for line in node.output.splitlines() if "ainet: " in line]
    assert "a page on '0.0.0.0' can be reached from other machines and needs a token" in line


def test_a_port_that_is_taken_costs_a_line_and_no_node(start, robot):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node = start("", *with_page(port))
        robot.wait_until_heard()
        robot.target(10, 20, 30, 40)
        assert robot.send_and_wait(1.0).detections
    assert "another program has it" in robot.status["operator_page"]
    lines = [line for line in node.output.splitlines() if "going on without" in line]
    assert len(lines) == 1
    assert f"port {port} of 127.0.0.1" in lines[0]


def test_without_aiohttp_the_node_goes_on_and_says_what_to_install(ros, monkeypatch):
    for name in list(sys.modules):
        if name == "ainet_core.page.server" or name.partition(".")[0] == "aiohttp":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    node = TrackerNode(make(""), parameter_overrides=[Parameter("operator_page", value=True)])
    try:
        assert "pip install 'ainet_ros[page]'" in node._page.place
        assert node.autostart()
    finally:
        node.close()
        node.destroy_node()


def test_it_is_off_unless_asked_for_and_its_server_is_not_even_imported():
    code = (
        "import sys, ainet_ros.tracker_node; "
        "print('aiohttp' in sys.modules, ainet_ros.parameters.Settings().operator_page)"
    )
    said = subprocess.check_output(
        [sys.executable, "-c", code], text=True, env=CHILD_ENVIRONMENT, cwd=ROOT
    )
    assert said.split() == ["False", "False"]


@pytest.mark.slow
def test_a_box_drawn_in_the_browser_is_followed_and_orders_are_done(start, robot, browser):
    import chromium

    port = free_port()
    start("", *with_page(port))
    robot.wait_until_heard()
    address = f"http://127.0.0.1:{port}/"
    assert robot.status["operator_page"] == address
    browser.get(address)
    with cameras(robot):
        robot.wait("pictures", lambda: chromium.text(browser, "state") == "no target")
        robot.wait("no veil", lambda: not chromium.text(browser, "veil"))
        assert newest_box(robot) is None
        drawn = (40, 30, 50, 60)
        chromium.drag(browser, drawn, SIZE)
        robot.wait("its box", lambda: newest_box(robot) is not None)
        assert np.abs(np.subtract(newest_box(robot), drawn)).max() < 1.0
        robot.wait("the state", lambda: chromium.text(browser, "state") == "tracking")
        robot.wait("the score", lambda: chromium.text(browser, "score") == "0.90")

        chromium.drag(browser, (100, 20, 20, 30), SIZE)  # another target
        robot.wait("the other", lambda: (newest_box(robot) or (0,))[0] > 90)

        browser.find_element("id", "enable").click()
        robot.wait("a pause", lambda: robot.status["enabled"] == "false")
        robot.wait("the word", lambda: "PAUSED" in chromium.text(browser, "banner"))
        browser.find_element("id", "enable").click()
        robot.wait("going on", lambda: robot.status["enabled"] == "true")

        browser.find_element("id", "reset").click()
        robot.wait("no target", lambda: robot.status["state"] == "no target")
        robot.wait("no box", lambda: newest_box(robot) is None)
        robot.wait("the word", lambda: chromium.text(browser, "state") == "no target")
    assert chromium.complaints(browser) == []


def test_an_order_to_a_node_that_is_not_active_is_refused_on_the_page(start, robot, browser):
    import chromium

    port = free_port()
    start("", *with_page(port, autostart="false"))
    robot.wait("a status", lambda: robot.status.get("lifecycle") == "unconfigured")
    browser.get(f"http://127.0.0.1:{port}/")
    robot.wait("the state", lambda: chromium.text(browser, "state") == "unconfigured")
    browser.execute_async_script(
        "const done = arguments[0];"
        "const socket = new WebSocket(`ws://${location.host}/live`, ['ainet']);"
        "socket.onopen = () => {"
        "  socket.send(JSON.stringify({target: [1, 2, 30, 40]}));"
        "  setTimeout(done, 200); };"
    )
    robot.wait("the reason", lambda: "not active" in chromium.text(browser, "trouble"))


@pytest.mark.slow
def test_a_node_that_is_killed_and_started_again_is_back_on_the_page(start, robot, browser):
    import chromium

    port = free_port()
    token = {"operator_page_token": TOKEN}
    node = start("", *with_page(port, **token))
    robot.wait_until_heard()
    browser.get(f"http://127.0.0.1:{port}/#token={TOKEN}")
    with cameras(robot):
        robot.wait("pictures", lambda: chromium.text(browser, "state") == "no target")
        assert TOKEN not in browser.current_url
        node.child.send_signal(signal.SIGKILL)
        node.child.wait(10)
        robot.wait(
            "the word", lambda: "No connection to the tracker" in chromium.text(browser, "veil")
        )
        assert chromium.text(browser, "state") == "not connected"
        assert not browser.find_element("id", "reset").is_enabled()
        robot.boxes.clear()
        start("", *with_page(port, **token))
        robot.wait("the page", lambda: chromium.text(browser, "state") == "no target")
        robot.wait("no veil", lambda: not chromium.text(browser, "veil"))
        chromium.drag(browser, (40, 30, 50, 60), SIZE)
        robot.wait("the new node's box", lambda: newest_box(robot) is not None)


@pytest.mark.slow
def test_browsers_that_are_slow_or_many_do_not_slow_the_tracker(start, robot):
    """Seven that never answer and one that does, against nobody: pairs answered, and how fast."""
    from visitor import Visit, connected

    port = free_port()
    start("", *with_page(port))
    robot.wait_until_heard()
    robot.target(10, 20, 30, 40)

    page = SimpleNamespace(port=port)

    async def look(seconds: float) -> int:
        shown = 0
        async with aiohttp.ClientSession() as session:
            opened = [await connected(session, page) for _ in range(8)]
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await Visit(opened[0]).message()
                shown += 1
        return shown

    def answered(seconds: float, watched: bool) -> tuple[float, float]:
        """Share of the pairs that were answered, and the median latency in ms."""
        before = len(robot.boxes)
        with cameras(robot) as sent:
            if watched:
                assert asyncio.run(look(seconds)) > 5 * seconds
            else:
                time.sleep(seconds)
        time.sleep(0.3)
        return (len(robot.boxes) - before) / len(sent), float(robot.status["latency_ms"])

    answered(2.0, watched=False)
    alone, alone_ms = answered(5.0, watched=False)
    watched, watched_ms = answered(5.0, watched=True)
    print(f"alone {alone:.2f}, {alone_ms} ms; watched {watched:.2f}, {watched_ms} ms")
    assert watched > alone - 0.1
    assert watched_ms < alone_ms + 10.0
