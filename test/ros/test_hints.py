"""What a new user does wrong first: within 5 s one line says what to do."""

from __future__ import annotations

import time

import pytest
from bad_day import noise
from robot import picture

pytestmark = pytest.mark.dds

WITHIN_S = 5.0


def seconds_until_said(process, robot, words, send=lambda number: None) -> float:
    """From the node's being active to the line that holds all of `words`."""
    robot.wait("an active node", lambda: robot.status.get("lifecycle") == "active")
    began, number = time.monotonic(), 0
    while time.monotonic() < began + 2 * WITHIN_S:
        if any(all(word in line for word in words) for line in process.output.splitlines()):
            return time.monotonic() - began
        send(number)
        number += 1
        time.sleep(0.1)
    raise AssertionError(f"no line with {words} in:\n{process.output}")


def test_weights_that_do_not_exist_end_it_with_what_to_do(start_real):
    process = start_real("-p", "preset:=tiny")
    assert process.child.wait(60) == 1
    told = [line for line in process.output.splitlines() if "no weights ship" in line]
    assert len(told) == 1
    assert "ainet train" in told[0]
    assert "checkpoint" in told[0]


def test_wrong_topic_names(start_real, robot):
    process = start_real(
        "-r", "rgb/image_raw:=/wrong/image_raw", "-r", "thermal/image_raw:=/no/image_raw"
    )
    words = ["/wrong/image_raw and /no/image_raw", "is the name right"]
    assert seconds_until_said(process, robot, words) <= WITHIN_S


def test_no_thermal_camera(start_real, robot):
    def send(number: int) -> None:
        robot.rgb.publish(picture(stamp=1 + number / 10))

    words = ["/thermal/image_raw", "going on with /rgb/image_raw alone", "is the name right"]
    assert seconds_until_said(start_real(), robot, words, send) <= WITHIN_S


def test_no_target(start_real, robot):
    def send(number: int) -> None:
        robot.rgb.publish(picture(stamp=1 + number / 10))
        robot.thermal.publish(noise(1 + number / 10))

    words = ["no target is set", "/ainet/set_target", "initial_box"]
    assert seconds_until_said(start_real(), robot, words, send) <= WITHIN_S
