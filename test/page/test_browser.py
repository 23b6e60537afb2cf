"""The pages in headless Chromium: pointer, finger and keys; views; lost and found connections."""

from __future__ import annotations

import chromium
import pytest
from chromium import text
from owner import Open, Stream, frame, wait

STATUS = {
    "lifecycle": "active", "state": "tracking", "trouble": "", "enabled": "true",
    "latency_ms": "41.2", "latency_95_ms": "63.0", "frames_per_s": "22.4",
    "pairs_received": "1204", "pairs_skipped": "103", "pairs_failed": "2",
    "rgb_unpaired": "4", "thermal_unpaired": "5", "rgb_lost": "6", "thermal_lost": "7",
    "cameras": "rgb,thermal", "preset": "nano", "device": "cpu", "backend": "native",
}  # fmt: skip
SIZE = (160, 120)


@pytest.fixture(name="page")
def _page(start, browser) -> Open:
    """A page of an active node, in the browser, with one picture."""
    page = start(title="/ainet")
    page.live.show(frame(5, score=0.87))
    page.live.tell(STATUS)
    browser.get(page.address)
    wait("the picture", lambda: text(browser, "state") == "tracking")
    return page


def test_a_wrong_token_is_asked_for_again_and_the_right_one_opens_the_page(start, browser):
    page = start(token="a-token-of-24-characters")
    page.live.show(frame())
    page.live.tell(STATUS)
    browser.get(page.address)
    wait("the question", lambda: "needs its token" in text(browser, "token_reason"))
    for token, reason in (
        ("wrong-wrong-wrong-wrong", "wrong token"),
        ("a-token-of-24-characters", ""),
    ):
        field = browser.find_element("id", "token")
        field.clear()
        field.send_keys(token + "\n")
        wait("an answer", lambda reason=reason: text(browser, "token_reason") == reason)
    wait("the picture", lambda: text(browser, "state") == "tracking")
    browser.refresh()  # it is kept for this tab
    wait("the picture", lambda: text(browser, "state") == "tracking")


def test_a_ninth_browser_is_told_why_it_sees_nothing(start, browser, monkeypatch):
    from ainet_core.page import server

    monkeypatch.setattr(server, "MAX_CLIENTS", 0)
    browser.get(start().address)
    wait("the reason", lambda: "0 browsers look already" in text(browser, "veil"))


def test_a_click_is_no_target_and_escape_drops_a_rectangle(page, browser):
    from selenium.webdriver import ActionChains, Keys

    canvas = browser.find_element("id", "picture")
    ActionChains(browser).click(canvas).perform()
    wait("the hint", lambda: "Drag a rectangle" in text(browser, "hint"))
    ActionChains(browser).move_to_element(canvas).click_and_hold().move_by_offset(50, 50).perform()
    ActionChains(browser).send_keys(Keys.ESCAPE).release().perform()
    browser.find_element("id", "reset").click()
    wait("the reset", lambda: page.orders)
    assert page.orders == [("reset", True)]


def test_everything_an_operator_asks_first_is_there(page, browser):
    assert browser.title == "/ainet"
    expected = {
        "title": "/ainet", "connection": "live", "score": "0.87", "latency": "41.2 ms",
        "latency_95": "63.0 ms", "rate": "22.4 /s", "pairs": "1204", "skipped": "103",
        "failed": "2", "unpaired": "4 RGB, 5 th.", "lost": "6 RGB, 7 th.",
        "facts": "nano · cpu · native · both cameras",
    }  # fmt: skip
    assert {name: text(browser, name) for name in expected} == expected
    assert chromium.complaints(browser) == []
    urls = browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert len(urls) >= 3
    assert all(url.startswith(page.address) or url.startswith("data:") for url in urls)


@pytest.mark.parametrize("box", [(30, 20, 60, 70), (0, 0, 160, 120)])
def test_a_dragged_rectangle_is_the_target_in_image_pixels(page, browser, box):
    chromium.drag(browser, box, SIZE)
    wait("the order", lambda: page.orders)
    ((name, target),) = page.orders
    assert name == "target"
    assert target == pytest.approx(box, abs=0.5)


def test_a_rectangle_drawn_backwards_and_past_the_edge_lies_in_the_image(page, browser):
    chromium.drag(browser, (100, 80, -60, -85), SIZE)
    wait("the order", lambda: page.orders)
    assert page.orders[0][1] == pytest.approx((40, 0, 60, 80), abs=0.5)


def test_a_finger_draws_too_and_a_second_one_drops_it(page, browser):
    canvas = browser.find_element("id", "picture").rect
    left, top = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2

    def touch(kind: str, *points: tuple[float, float]) -> None:
        given = [
            {"x": left + x, "y": top + y, "id": number} for number, (x, y) in enumerate(points)
        ]
        told = {"type": kind, "touchPoints": given}
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", told)

    touch("touchStart", (0, 0))
    touch("touchMove", (80, 60))
    touch("touchStart", (80, 60), (100, 100))
    touch("touchEnd")
    touch("touchStart", (-80, -60))
    touch("touchMove", (0, 0))
    touch("touchEnd")
    wait("the order", lambda: page.orders)
    ((name, target),) = page.orders
    assert name == "target"
    scale = min(canvas["width"] / 160, canvas["height"] / 120)
    assert target == pytest.approx(
        (80 - 80 / scale, 60 - 60 / scale, 80 / scale, 60 / scale), abs=0.5
    )


def test_the_keyboard_alone_draws_pauses_resets_and_chooses_the_view(page, browser):
    from selenium.webdriver import ActionChains, Keys

    def press(*keys: str, shift: bool = False) -> None:
        actions = ActionChains(browser)
        if shift:
            actions.key_down(Keys.SHIFT)
        actions.send_keys(*keys)
        if shift:
            actions.key_up(Keys.SHIFT)
        actions.perform()

    press("b")  # begins at the box that is followed: 15, 40, 30, 30
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_UP)
    press(Keys.ARROW_DOWN, Keys.ARROW_LEFT, shift=True)
    assert "Box at 19, 38, size 28 × 32" in text(browser, "hint")
    press(Keys.ENTER)
    press("p", "r", "3")
    page.live.tell(STATUS | {"enabled": "false", "state": "paused, tracking"})
    wait("the pause", lambda: "PAUSED" in text(browser, "banner"))
    assert text(browser, "enable_word") == "Resume"
    press("p")
    wait("all orders", lambda: len(page.orders) == 4)
    assert page.orders == [
        ("target", (19, 38, 28, 32)), ("enable", False), ("reset", True), ("enable", True),
    ]  # fmt: skip
    pressed = browser.find_element("css selector", "#views [aria-pressed=true]")
    assert pressed.get_attribute("data-view") == "blend"


def test_views_show_other_pictures_and_a_silent_camera(page, browser):
    from dataclasses import replace

    def middle() -> list[int]:
        return browser.execute_script(
            "const canvas = document.getElementById('picture');"
            "return [...canvas.getContext('2d').getImageData("
            "canvas.width / 2, canvas.height * 0.9, 1, 1).data]"
        )

    colours = []
    for view in ("rgb", "thermal", "blend"):
        before = middle()
        browser.find_element("css selector", f"[data-view={view}]").click()
        if view != "rgb":
            wait("another picture", lambda before=before: middle() != before)
        colours.append(middle())
    assert len({tuple(colour) for colour in colours}) == 3
    browser.find_element("css selector", "[data-view=thermal]").click()
    page.live.show(replace(frame(), thermal=None))
    wait("the word", lambda: "No thermal image" in text(browser, "veil"))
    browser.find_element("css selector", "[data-view=rgb]").click()
    wait("the picture", lambda: not text(browser, "veil"))


def test_a_lost_target_is_said_loudly_with_when_it_was_seen(page, browser):
    page.live.show(frame(6, box=None, state="lost", score=0.04))
    page.live.tell(STATUS | {"state": "lost", "trouble": "something to read"})
    wait("the word", lambda: text(browser, "banner").startswith("LOST · last seen"))
    assert text(browser, "state") == "lost"
    assert text(browser, "trouble") == "something to read"
    page.live.show(frame(7, state="recovered"))
    page.live.tell(STATUS | {"state": "recovered"})
    wait("all well", lambda: not text(browser, "banner"))


def test_a_picture_that_stands_still_is_not_shown_as_live(page, browser):
    """Both cameras are silent; the node goes on to tell its status."""

    def told() -> str:
        page.live.tell(STATUS)
        return text(browser, "banner")

    wait("the word", lambda: told().startswith("NO PICTURES for"))
    assert text(browser, "connection") == "live"
    page.live.tell(STATUS | {"lifecycle": "inactive", "state": "inactive", "trouble": "why"})
    wait("the word", lambda: "The tracker is inactive" in text(browser, "veil"))
    assert "why" in text(browser, "veil")
    page.live.show(frame(8))
    page.live.tell(STATUS)
    wait("all well", lambda: not text(browser, "veil") and not text(browser, "banner"))


def test_trouble_is_text_and_never_markup(page, browser):
    page.live.tell(STATUS | {"trouble": "<img src=x onerror=alert(1)><b>bold</b>"})
    wait("the words", lambda: "<b>bold</b>" in text(browser, "trouble"))
    assert browser.find_elements("css selector", "#trouble *") == []


def test_a_page_that_ends_and_begins_again_is_found_again(page, browser, start):
    page.page.stop()
    wait("the word", lambda: "No connection to the tracker" in text(browser, "veil"))
    assert text(browser, "state") == "not connected"
    assert text(browser, "connection") == "not connected"
    chromium.drag(browser, (30, 20, 60, 70), SIZE)  # nothing to order
    again = start(port=page.port)
    again.live.show(frame(1))
    again.live.tell(STATUS)
    wait("the picture", lambda: text(browser, "state") == "tracking")
    wait("no veil", lambda: not text(browser, "veil"))
    assert page.orders == again.orders == []
    chromium.drag(browser, (30, 20, 60, 70), SIZE)
    wait("the order", lambda: again.orders)


def test_a_node_that_hangs_is_not_shown_as_live(page, browser):
    """The connection stands and nothing comes, though a node speaks every second."""
    wait("the word", lambda: text(browser, "connection").startswith("silent for"))


def shown_per_second(browser) -> float:
    told = text(browser, "pictures").removesuffix(" /s")
    return 0.0 if told == "–" else float(told)


def test_many_frames_are_shown_and_the_history_grows(page, browser):
    with Stream(page.live, 0.03):
        wait("pictures", lambda: shown_per_second(browser) > 5)
    painted = browser.execute_script(
        "const chart = document.getElementById('history');"
        "const data = chart.getContext('2d').getImageData(0, 0, chart.width, chart.height).data;"
        "let green = 0;"
        "for (let i = 0; i < data.length; i += 4) green += data[i] < 90 && data[i + 1] > 180;"
        "return green"
    )
    assert painted > 10


@pytest.mark.parametrize("size", [(1280, 800), (820, 1180), (1180, 820), (390, 844)])
def test_it_fits_desktops_tablets_and_phones_with_targets_for_fingers(page, browser, size):
    chromium.resize(browser, size)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    wait("the layout", lambda: browser.execute_script(wide) == 0)
    for button in browser.find_elements("css selector", "footer button"):
        assert button.size["height"] >= 48
        assert button.size["width"] >= 48
        assert button.location["x"] + button.size["width"] <= size[0]
    assert browser.find_element("id", "stage").size["width"] >= 0.6 * min(size)
    names = [button.accessible_name for button in browser.find_elements("css selector", "button")]
    assert all(names[:-1])
