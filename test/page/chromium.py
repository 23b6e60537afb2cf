"""Chromium without a window and without a network, driven by the real pointer and keys."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-device-scale-factor=1",
)  # fmt: skip


DESKTOP = (1280, 800)


def start(profile: Path, size: tuple[int, int] = DESKTOP) -> Any:
    """A driver; skips the test where Chromium, its driver or selenium is not installed."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        pytest.skip("no chromium and chromedriver here: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = paths[0]
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=paths[1])
    driver = webdriver.Chrome(options=options, service=service)
    resize(driver, size)
    return driver


def resize(driver: Any, size: tuple[int, int]) -> None:
    """What the page may fill becomes that large; a headless window has a frame, too."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def clear(driver: Any) -> None:
    """Leave the page and forget what was said of it."""
    driver.get("about:blank")
    driver.get_log("browser")
    resize(driver, DESKTOP)


def text(driver: Any, name: str) -> str:
    return str(driver.find_element("id", name).text)


def drag(driver: Any, box: tuple[float, float, float, float], size: tuple[int, int]) -> None:
    """Draw a box (x, y, w, h in image pixels) on a picture of `size` (width, height)."""
    from selenium.webdriver import ActionChains

    canvas = driver.find_element("id", "picture")
    width, height = canvas.size["width"], canvas.size["height"]
    scale = min(width / size[0], height / size[1])

    def offset(x: float, y: float) -> tuple[int, int]:  # selenium counts from the middle
        return round((x - size[0] / 2) * scale), round((y - size[1] / 2) * scale)

    x, y, w, h = box
    first, last = offset(x, y), offset(x + w, y + h)
    actions = ActionChains(driver, duration=20)
    actions.move_to_element_with_offset(canvas, *first).click_and_hold()
    actions.move_to_element_with_offset(canvas, *last).release().perform()


def complaints(driver: Any) -> list[str]:
    """What the browser's console says of scripts and of the page's policy."""
    return [
        entry["message"]
        for entry in driver.get_log("browser")
        if entry["level"] == "SEVERE" and "ERR_CONNECTION" not in entry["message"]
    ]
