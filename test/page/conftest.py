"""A page with an owner who writes down what he was told, and browsers to look at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # owner, chromium, visitor: no package

pytest.importorskip("aiohttp", reason="the page's server is not installed: make venv")


@pytest.fixture
def start() -> Iterator[Callable[..., object]]:
    """start(host=..., token=..., ...) makes an `owner.Open`; all end with the test."""
    from owner import Open

    opened: list[Open] = []

    def run(host: str = "127.0.0.1", token: str = "", **settings: object) -> Open:
        opened.append(Open(host, token, **settings))
        return opened[-1]

    yield run
    for each in opened:
        each.page.stop()


@pytest.fixture(scope="session")
def chromium_driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    import chromium

    driver = chromium.start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium_driver: object) -> Iterator[object]:
    """A headless Chromium that shows nothing yet; skips where there is none."""
    import chromium

    chromium.clear(chromium_driver)
    yield chromium_driver
    chromium.clear(chromium_driver)
