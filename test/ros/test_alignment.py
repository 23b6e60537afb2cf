"""/diagnostics over real DDS: where thermal lies beside RGB, and when that is a warning."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from robot import header

from ainet_ros.conversions import image_message
from ainet_ros.status import values_of

pytestmark = pytest.mark.dds

SEED = 4
WIDTH, HEIGHT = 320, 240


def street(right: int) -> tuple[np.ndarray, np.ndarray]:
    """Houses and people for both cameras, what is bright in one dark in the other; the thermal
    image so many pixels to the right."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    wide = np.full((HEIGHT, WIDTH + 100), 90, np.uint8)
    for _ in range(60):
        x, y, w, h = rng.integers([0, 0, 8, 8], [WIDTH + 80, HEIGHT - 20, 50, 50])
        cv2.rectangle(wide, (int(x), int(y)), (int(x + w), int(y + h)), int(rng.integers(255)), -1)
    seen = [wide[:, start : start + WIDTH] for start in (50, 50 - right)]
    return np.repeat(seen[0][..., None], 3, axis=2), 255 - seen[1]


@pytest.fixture(name="told")
def _told(robot):
    """Every entry about the alignment that was heard."""
    entries: list[DiagnosticStatus] = []

    def hear(message: DiagnosticArray) -> None:
        entries.extend(entry for entry in message.status if entry.name.endswith(": alignment"))

    robot.node.create_subscription(DiagnosticArray, "/diagnostics", hear, 10)
    return entries


def play(robot, told, right, until):
    """Send pairs until the newest entry fulfils `until`; returns it."""
    rgb, thermal = street(right)
    stamp = robot.node.get_clock().now().nanoseconds / 1e9

    def sent_and_heard():
        nonlocal stamp
        stamp += 0.05
        robot.rgb.publish(image_message(np.ascontiguousarray(rgb), "rgb8", header(stamp)))
        robot.thermal.publish(image_message(np.ascontiguousarray(thermal), "mono8", header(stamp)))
        time.sleep(0.05)
        time.sleep(0.04)
        return told and until(told[-1])

    robot.wait("the alignment in /diagnostics", sent_and_heard)
    return told[-1]


def test_a_scene_that_tells_nothing_is_not_guessed_at(start, robot, told):
    start()
    robot.wait_until_heard()
    for stamp in (1.0, 2.0, 3.0, 4.0):
        robot.send_and_wait(stamp)
    robot.wait("an entry", lambda: told)
    assert told[-1].level == DiagnosticStatus.OK
    assert "not known" in told[-1].message


def test_the_shift_is_told_and_warns_past_the_limit(start, robot, told):
    start()
    robot.wait_until_heard()
    entry = play(robot, told, 11, lambda entry: "thermal is" in entry.message)
    assert entry.level == DiagnosticStatus.WARN
    assert "thermal is 11 px right of RGB, more than 10 px: run `ainet calibrate`" in entry.message
    assert abs(float(values_of(entry)["x_px"]) - 11) < 1
    assert "trouble" not in values_of(entry)
    assert robot.statuses[-1].level == DiagnosticStatus.OK  # /diagnostics alone tells it
    (result,) = robot.set_parameters(alignment_limit=20.0)
    assert result.successful
    entry = play(robot, told, 11, lambda entry: entry.level == DiagnosticStatus.OK)
    assert entry.message == "thermal is 11 px right of RGB"


def test_a_limit_of_0_never_looks(start, robot, told):
    start("", "-p", "alignment_limit:=0.0")
    robot.wait_until_heard()
    heard: list[DiagnosticArray] = []
    robot.node.create_subscription(DiagnosticArray, "/diagnostics", heard.append, 10)
    robot.send_and_wait(1.0)
    robot.wait("diagnostics", lambda: len(heard) > 1)
    assert not told
