"""`ainet track --select` and `ainet calibrate --mark`, by hand in the browser."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import chromium
import cv2
import numpy as np
import pytest
from chromium import text
from owner import wait

from ainet_core.calibration import COLUMNS, read_points
from ainet_core.cli import main, make_parser
from ainet_core.imaging.registration import Alignment
from ainet_core.recordings.command import track


class StandingTracker:
    """Keeps its box."""

    def init(self, rgb: Any, thermal: Any, box: Any) -> None:
        self.box = np.array(box, float)

    def update(self, rgb: Any, thermal: Any) -> Any:
        return SimpleNamespace(box=self.box, score=0.8, state="tracking", order=())


class Command:
    """A command in a thread of its own; `address` when it has said where its page is."""

    def __init__(self, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._run, self._capsys, self.said = run, capsys, ""
        self.thread = threading.Thread(target=self._main, daemon=True)
        self.thread.start()
        wait("an address", lambda: self._address() or self.error)
        assert self.error is None, self.error
        self.address = self._address()

    def _main(self) -> None:
        try:
            self.result = self._run()
        except BaseException as error:
            self.error = error

    def _address(self) -> str:
        self.said += "".join(self._capsys.readouterr())
        found = re.search(r"http://127\.0\.0\.1:\d+/", self.said)
        return found[0] if found else ""

    def end(self) -> Any:
        self.thread.join(20)
        assert not self.thread.is_alive()
        assert self.error is None, self.error
        return self.result


@pytest.fixture(name="frames")
def _frames(tmp_path: Path) -> Path:
    """A recording: a folder of eight frames of both cameras, 160x120."""
    rng = np.random.default_rng(3)
    for name in ("visible", "infrared"):
        (tmp_path / "walk" / name).mkdir(parents=True)
        for number in range(8):
            image = rng.integers(60, 110, (120, 160, 3)).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "walk" / name / f"{number:03}.png"), image)
    return tmp_path / "walk"


def test_without_aiohttp_one_line_says_what_to_install(frames, tmp_path, capsys, monkeypatch):
    for name in list(sys.modules):
        if name == "ainet_core.page.server" or name.partition(".")[0] == "aiohttp":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    images = [str(path) for path in sorted(frames.glob("*/000.png"))]
    for command in (
        ["track", str(frames), "--select", "--output", str(tmp_path / "out.mp4")],
        ["calibrate", "--mark", "--rgb", images[1], "--thermal", images[0]],
    ):
        assert main(command) == 2
        assert "needs aiohttp: pip install 'ainet_ros[page]'" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_refused(frames, capsys, port):
    with pytest.raises(SystemExit):
        main(["track", str(frames), "--select", "--page-port", port, "--output", "x.mp4"])
    assert "expected a port, 0 to 65535" in capsys.readouterr().err


def test_the_target_is_drawn_on_the_first_pair_and_tracked(frames, tmp_path, browser, capsys):
    output = tmp_path / "out.mp4"
    arguments = ["track", str(frames), "--select", "--output", str(output)]
    options = make_parser().parse_args(arguments)
    command = Command(lambda: track(options, StandingTracker), capsys)
    browser.get(command.address)
    wait("the task", lambda: text(browser, "state") == "draw the target")
    assert text(browser, "title") == "walk"
    for order, shown in (("target", True), ("reset", False), ("enable", False)):
        button = browser.find_element("css selector", f"[data-order={order}]")
        assert button.is_displayed() == shown
    chromium.drag(browser, (40, 30, 50, 60), (160, 120))
    written = command.end()
    wait("the end", lambda: "The command has ended" in text(browser, "veil"))
    boxes = np.loadtxt(written[1], delimiter=",")
    assert written[0] == output
    assert boxes.shape == (8, 4)
    assert np.abs(boxes - [40, 30, 50, 60]).max() < 1.0


def test_marked_places_become_points_and_an_alignment(tmp_path, browser, capsys):
    from selenium.webdriver import ActionChains

    true = Alignment(np.array([[1.9, 0.05, 14.0], [-0.04, 1.95, 9.0], [0, 0, 1.0]]),
                     (240, 320), (480, 640))  # fmt: skip
    places = np.array([[20, 20], [300, 25], [290, 220], [30, 210], [160, 120.0]])
    rgb, thermal = np.full((480, 640, 3), 90, np.uint8), np.full((240, 320), 60, np.uint8)
    cv2.imwrite(str(tmp_path / "rgb.png"), rgb)
    cv2.imwrite(str(tmp_path / "thermal.png"), thermal)
    output = tmp_path / "alignment.yaml"
    files = ["--rgb", str(tmp_path / "rgb.png"), "--thermal", str(tmp_path / "thermal.png")]
    command = Command(
        lambda: main(["calibrate", "--mark", *files, "--output", str(output)]), capsys
    )
    browser.get(command.address)
    wait("the task", lambda: "Mark place 1 in the RGB image" in text(browser, "task"))

    def click(camera: str, x: float, y: float, size: tuple[int, int]) -> None:
        canvas = browser.find_element("id", camera)
        scale = min(canvas.size["width"] / size[0], canvas.size["height"] / size[1])
        offset = [(v + 0.5 - s / 2) * scale for v, s in zip((x, y), size, strict=True)]
        move = ActionChains(browser, duration=10)
        move.move_to_element_with_offset(canvas, *map(round, offset)).click().perform()

    assert not browser.find_element("id", "done").is_enabled()
    click("thermal", 5, 5, (320, 240))  # not its turn: nothing happens
    for number, place in enumerate(places):
        click("rgb", *true.to_rgb([place])[0], (640, 480))
        wait("its turn", lambda: "in the thermal image" in text(browser, "task"))
        if number == 2:  # a slip, taken back
            click("thermal", 10, 10, (320, 240))
            browser.find_element("id", "undo").click()
        click("thermal", *place, (320, 240))
        wait("the next", lambda: "in the RGB image" in text(browser, "task"))
    ActionChains(browser).send_keys("d").perform()
    assert command.end() == 0
    assert chromium.complaints(browser) == []
    marked = read_points(tmp_path / "alignment.csv")
    assert (tmp_path / "alignment.csv").read_text().startswith(",".join(COLUMNS))
    assert np.abs(marked[:, :2] - places).max() < 1.0
    found = Alignment.load(output)
    assert np.abs(found.to_rgb(places) - true.to_rgb(places)).max() < 3.0
    again = ["calibrate", "--points", str(tmp_path / "alignment.csv"), *files]
    assert main([*again, "--output", str(tmp_path / "again.yaml")]) == 0
