"""The node with the real network: shipped weights where they are, untrained ones elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from robot import header

from ainet_core.data.synthetic.world import SyntheticWorld
from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import save_checkpoint
from ainet_core.model.config import preset_config
from ainet_ros.conversions import detected_box, image_message

pytestmark = [pytest.mark.dds, pytest.mark.slow]


def test_the_real_network_answers_every_processed_pair(start_real, robot, checkpoint):
    world = SyntheticWorld(0, thermal_size=(240, 320), sixteen_bit=True)
    box = world.box(0)
    start = ",".join(f"{value:.1f}" for value in box)
    process = start_real("-p", f"checkpoint:={checkpoint}", "-p", f"initial_box:={start}")
    robot.wait("the network", lambda: robot.status.get("lifecycle") == "active", 120)
    robot.wait_until_heard()
    assert robot.status["device"] == "cpu"
    assert robot.status["backend"]
    for index in range(8):
        frame = world.frame(index)
        stamp = header(10 + index / 30)
        robot.rgb.publish(image_message(frame.rgb, "rgb8", stamp))
        thermal = image_message(frame.thermal.view(np.uint8), "mono16", stamp)
        thermal.width = frame.thermal.shape[1]
        robot.thermal.publish(thermal)
        robot.wait("its box", lambda stamp=stamp.stamp: robot.answers(stamp))
        (answer,) = robot.answers(stamp.stamp)
        assert answer.header == stamp
        if index == 0:
            assert detected_box(answer) == pytest.approx(box, abs=0.06)
    robot.wait("the counts", lambda: robot.status["pairs_processed"] == "8")
    assert robot.status["pairs_failed"] == "0"
    assert robot.status["order"]
    assert process.end() == 0, process.output


def test_a_checkpoint_of_another_preset(start_real, robot, tmp_path):
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, AINet(replace(preset_config("nano"), depth=2)))
    process = start_real("-p", f"checkpoint:={path}", "-p", "initial_box:=10,20,30,40")
    robot.wait_until_heard()
    robot.send_and_wait(1.0)
    lines = [line for line in process.output.splitlines() if "no preset, not nano" in line]
    assert len(lines) == 1
    assert "other.safetensors" in lines[0]
