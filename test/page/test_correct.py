"""`ainet correct` in the browser: pointer, keys, strip; every change is in the file."""

from __future__ import annotations

from pathlib import Path

import chromium
import cv2
import numpy as np
import pytest
from chromium import text
from owner import wait
from test_commands_with_a_page import Command

from ainet_core.cli import main
from ainet_core.data.boxes import read_boxes, write_boxes

FRAMES, SIZE = 10, (160, 120)


@pytest.fixture(name="export")
def _export(tmp_path: Path) -> Path:
    folder = tmp_path / "mydata" / "recordings" / "walk"
    (folder / "visible").mkdir(parents=True)
    (folder / "infrared").mkdir()
    boxes = []
    for number in range(FRAMES):
        x = 10 + 4 * number
        rgb, thermal = np.full((120, 160, 3), 70, np.uint8), np.full((120, 160), 60, np.uint8)
        rgb[40:70, x : x + 20] = (200, 90, 60)
        thermal[40:70, x : x + 20] = 230
        cv2.imwrite(str(folder / "visible" / f"{number:06d}.jpg"), rgb)
        cv2.imwrite(str(folder / "infrared" / f"{number:06d}.png"), thermal)
        boxes.append([x, 40, 20, 30] if number < 6 else [110, 80, 20, 30])
    write_boxes(folder / "groundtruth.txt", np.array(boxes, float))
    return folder


def test_a_folder_that_was_not_exported_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["correct", str(tmp_path / "nowhere")]) == 2
    assert "no such folder" in capsys.readouterr().err


@pytest.fixture(name="command")
def _command(export, browser, capsys) -> Command:
    command = Command(lambda: main(["correct", str(export)]), capsys)
    browser.get(command.address)
    wait("the first leap", lambda: text(browser, "position").startswith("Frame 7 of 10"))
    yield command
    if command.thread.is_alive():
        browser.find_element("id", "done").click()
        command.thread.join(10)


def boxes(export: Path) -> np.ndarray:
    return read_boxes(export / "groundtruth.txt")


def at(browser, number: int) -> bool:
    return text(browser, "position").startswith(f"Frame {number} of 10")


def test_a_box_is_drawn_a_corner_dragged_and_both_are_in_the_file(command, export, browser):
    from selenium.webdriver import ActionChains

    assert text(browser, "title") == "walk"
    assert "1 leaps to look at" in text(browser, "counts")
    chromium.drag(browser, (34, 40, 20, 30), SIZE)
    wait("the box", lambda: np.abs(boxes(export)[6] - [34, 40, 20, 30]).max() < 1)
    wait("its word", lambda: "corrected" in text(browser, "position"))
    before = boxes(export)[6]
    canvas = browser.find_element("id", "picture")
    scale = min(canvas.size["width"] / SIZE[0], canvas.size["height"] / SIZE[1])
    corner = [(before[0] + before[2] - 80) * scale, (before[1] + before[3] - 60) * scale]
    move = ActionChains(browser, duration=20)
    move.move_to_element_with_offset(canvas, round(corner[0]) + 3, round(corner[1]) + 3)
    move.click_and_hold().move_by_offset(round(10 * scale), round(5 * scale)).release().perform()
    wait("the corner", lambda: np.abs(boxes(export)[6] - [34, 40, 30, 35]).max() < 2)
    assert np.abs(boxes(export)[6][:2] - before[:2]).max() < 0.1  # the other corner stays
    assert chromium.complaints(browser) == []


def test_by_keys_alone(command, export, browser, capsys):
    from selenium.webdriver import ActionChains, Keys

    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    press(Keys.HOME)
    wait("the first", lambda: at(browser, 1))
    press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    wait("the third", lambda: at(browser, 3))
    press("x")
    wait("not there", lambda: (boxes(export)[2] == 0).all())
    wait("its word", lambda: "not there" in text(browser, "position"))
    press("q")
    wait("not known", lambda: np.isnan(boxes(export)[2]).all())
    press("u", "u")
    wait("undone", lambda: np.allclose(boxes(export)[2], [18, 40, 20, 30]))
    wait("its word", lambda: "as tracked" in text(browser, "position"))
    press("u")
    wait("no more", lambda: "nothing was changed" in text(browser, "banner"))
    press("n")
    wait("the leap", lambda: at(browser, 7))
    press("b", Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ENTER)
    wait("moved", lambda: np.allclose(boxes(export)[6], [108, 78, 20, 30]))
    press(Keys.END)
    wait("the last", lambda: at(browser, 10))
    press("f")
    wait("the reason", lambda: "correct one before and one after" in text(browser, "banner"))
    press("b", Keys.ARROW_RIGHT, Keys.ENTER)
    wait("moved", lambda: np.allclose(boxes(export)[9], [112, 80, 20, 30]))
    press(Keys.ARROW_LEFT)
    wait("between", lambda: at(browser, 9))
    press("f")
    wait("filled", lambda: np.allclose(boxes(export)[7], [109.33, 78.67, 20, 30]))
    wait("counted", lambda: "4 corrected" in text(browser, "counts"))
    press("d")
    assert command.end() == 0
    wait("the end", lambda: text(browser, "veil_title") == "Done")
    command.said += capsys.readouterr().out
    assert "4 of 10 boxes are corrected" in command.said
    assert f"next: ainet data check {export}" in command.said
    data = export.parents[1]
    assert f"then: ainet train config/training/finetune.yaml --data {data}\n" in command.said
    assert main(["data", "check", str(export)]) == 0


def test_the_strip_turns_frames_and_a_reload_loses_nothing(command, export, browser):
    from selenium.webdriver import ActionChains

    strip = browser.find_element("id", "strip")
    cell = strip.size["width"] / FRAMES
    move = ActionChains(browser, duration=20)
    move.move_to_element_with_offset(strip, round((1.5 - FRAMES / 2) * cell), 0).click().perform()
    wait("the second", lambda: at(browser, 2))
    assert strip.get_attribute("aria-valuenow") == "2"
    browser.find_element("id", "absent").click()
    wait("written", lambda: (boxes(export)[1] == 0).all())
    browser.refresh()
    wait("the same frame", lambda: "Frame 2 of 10: not there" in text(browser, "position"))
    browser.find_element("css selector", "[data-view=thermal]").click()
    browser.find_element("id", "undo").click()
    wait("undone", lambda: np.allclose(boxes(export)[1], [14, 40, 20, 30]))


@pytest.mark.parametrize("size", [(768, 1024), (1024, 768), (390, 844)])
def test_on_a_tablet_or_a_phone_everything_is_within_reach(command, browser, size):
    chromium.resize(browser, size)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= size[0]
    for name in ("picture", "strip", "next", "draw", "absent", "unknown", "undo", "done"):
        element = browser.find_element("id", name)
        assert element.is_displayed(), name
        if element.tag_name == "button":
            assert min(element.size["width"], element.size["height"]) >= 44, name


def press_on(browser, start: tuple[float, float], by: tuple[float, float]) -> None:
    """Drag from a place by so much, both in image pixels."""
    from selenium.webdriver import ActionChains

    canvas = browser.find_element("id", "picture")
    scale = min(canvas.size["width"] / SIZE[0], canvas.size["height"] / SIZE[1])
    place = [(value - side / 2) * scale for value, side in zip(start, SIZE, strict=True)]
    move = ActionChains(browser, duration=20)
    move.move_to_element_with_offset(canvas, *map(round, place)).click_and_hold()
    if any(by):
        move.move_by_offset(*(round(value * scale) for value in by))
    move.release().perform()


@pytest.mark.parametrize(
    ("start", "by", "expected"),
    [
        ((120, 95), (-30, -25), (80, 55, 20, 30)),  # inside: it moves
        ((120, 95), (38, 23), (140, 90, 20, 30)),  # and stays in the picture
        ((110, 95), (-10, 7), (100, 80, 30, 30)),  # a side
        ((120, 110), (8, 9), (110, 80, 20, 39)),
        ((130, 80), (6, -9), (110, 71, 26, 39)),  # a corner
        ((130, 95), (-30, 0), (100, 80, 10, 30)),  # through the other side
        ((60, 50), (-20, 12), (40, 50, 20, 12)),  # away from it: another box
    ],
)
def test_a_box_is_dragged_by_its_sides_its_corners_or_inside(
    command, export, browser, start, by, expected
):
    press_on(browser, start, by)
    wait("the box", lambda: np.abs(boxes(export)[6] - expected).max() < 1)


def test_a_click_on_the_box_changes_nothing_and_shift_draws_inside_it(command, export, browser):
    from selenium.webdriver import ActionChains, Keys

    press_on(browser, (120, 95), (0, 0))
    ActionChains(browser).key_down(Keys.SHIFT).perform()
    press_on(browser, (115, 85), (10, 15))
    ActionChains(browser).key_up(Keys.SHIFT).perform()
    wait("the box", lambda: np.abs(boxes(export)[6] - [115, 85, 10, 15]).max() < 1)
    browser.find_element("id", "undo").click()
    wait("undone", lambda: (boxes(export)[6] == [110, 80, 20, 30]).all())


def test_turning_goes_on_after_an_undo_that_turned_elsewhere(command, browser):
    from selenium.webdriver import ActionChains, Keys

    ActionChains(browser).send_keys("x").perform()
    wait("its word", lambda: "not there" in text(browser, "position"))
    for _ in range(5):
        ActionChains(browser).send_keys(Keys.END, "u").perform()
        wait("back", lambda: at(browser, 7))
        ActionChains(browser).send_keys("x", Keys.HOME).perform()
        wait("the first", lambda: at(browser, 1))


def test_two_browsers_turn_the_same_frames(command, browser):
    browser.switch_to.new_window("tab")
    browser.get(command.address)
    wait("the frame", lambda: at(browser, 7))
    first, second = browser.window_handles
    for tab, button, number in ((first, "next", 8), (second, "next", 9), (first, "previous", 8)):
        browser.switch_to.window(tab)
        browser.find_element("id", button).click()
        wait("the frame", lambda number=number: at(browser, number))
    browser.switch_to.window(second)
    browser.close()
    browser.switch_to.window(first)


def test_an_image_that_cannot_be_read_is_told_and_the_others_go_on(command, export, browser):
    (export / "visible" / "000007.jpg").write_bytes(b"no image")
    browser.find_element("id", "next").click()
    wait("the reason", lambda: "000007.jpg: expected an image" in text(browser, "banner"))
    press_on(browser, (60, 50), (-20, 12))  # nothing is seen there: nothing is drawn
    browser.find_element("id", "unknown").click()
    wait("not known", lambda: np.isnan(boxes(export)[7]).all())
    browser.find_element("id", "next").click()
    wait("the next", lambda: at(browser, 9))
    assert text(browser, "banner") == ""
    assert np.isnan(boxes(export)).any(axis=1).tolist() == [n == 7 for n in range(FRAMES)]
