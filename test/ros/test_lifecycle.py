"""Configure, activate and the way back: every order, honest results, clean exits."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from lifecycle_msgs.msg import Transition
from processes import CHILD_ENVIRONMENT, HERE, ROOT

pytestmark = pytest.mark.dds

MANAGED = ("-p", "autostart:=false")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["fails"], 1, "configure failed: no checkpoint at nowhere.safetensors"),
        (["--ros-args", "-p", "device:=tpu"], 2, "device must be auto, cpu, cuda or cuda:N"),
        (["--ros-args", "-p", "slop:=7.0"], 2, "slop must be"),
        (["--ros-args", "--params-file", "/nowhere.yaml"], 2, "nowhere.yaml"),
    ],
)
def test_a_failed_start_exits_with_its_reason(arguments, code, said):
    result = subprocess.run(
        [sys.executable, str(HERE / "trivial_node.py"), *arguments],
        capture_output=True, text=True, env=CHILD_ENVIRONMENT, timeout=60,
    )  # fmt: skip
    assert result.returncode == code
    assert said in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (["checkpoint:=/nowhere/x.safetensors"], "/nowhere/x.safetensors"),
        (["preset:=enormous"], "enormous"),
        (["alignment_file:=/nowhere/a.yaml"], "no alignment file at /nowhere/a.yaml"),
        (["device:=cuda:7"], "cuda:7 asked for"),
        (["device:=cpu", "precision:=bfloat16"], "precision bfloat16 needs device cuda, got cpu"),
    ],
)
def test_the_real_tracker_fails_to_configure_with_the_reason(parameters, said):
    options = [text for parameter in parameters for text in ("-p", parameter)]
    result = subprocess.run(
        [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args", *options],
        capture_output=True, text=True, env=CHILD_ENVIRONMENT, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert result.returncode == 1, result.stdout + result.stderr
    assert "configure failed" in result.stderr + result.stdout
    assert said in result.stderr + result.stdout
    assert "Traceback" not in result.stdout + result.stderr


def test_without_torch_it_says_which_python_and_what_to_do(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('No module named torch')\n")
    environment = {**CHILD_ENVIRONMENT}
    environment["PYTHONPATH"] = f"{tmp_path}:{environment['PYTHONPATH']}"
    result = subprocess.run(
        [sys.executable, "-m", "ainet_ros.tracker_node"],
        capture_output=True, text=True, env=environment, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert result.returncode == 1
    assert f"PyTorch does not load under {sys.executable}" in result.stderr + result.stdout
    assert "system-site-packages" in result.stderr + result.stdout


def test_a_manager_leads_it_through_its_states_and_wrong_orders_do_not_end_it(start, robot):
    process = start("", *MANAGED)
    robot.wait("the node", lambda: robot.status.get("lifecycle") == "unconfigured")
    assert not robot.change_state("activate")
    assert not robot.change_state("deactivate")
    assert not robot.change_state("no such thing")
    assert not robot.change_state(Transition.TRANSITION_ACTIVATE)
    assert not robot.change_state(99)
    assert robot.state() == "unconfigured"
    robot.target(1, 2, 3, 4)
    robot.wait("a refusal", lambda: "not active" in robot.status.get("trouble", ""))
    assert not robot.reset().success
    for stamp in (1.0, 2.0):
        assert robot.change_state("configure")
        assert not robot.change_state("configure")
        assert not robot.change_state(Transition.TRANSITION_CONFIGURE)
        for restart in (0.0, 0.5):
            assert robot.state() == "inactive"
            assert robot.change_state("activate")
            robot.wait_until_heard()
            assert not robot.send_and_wait(stamp + restart).detections
            robot.target(10, 20, 30, 40)
            robot.wait("the target", lambda: robot.status["state"] == "tracking")
            assert robot.send_and_wait(stamp + restart + 0.1).detections
            assert robot.change_state("deactivate")
            robot.wait("silence", lambda: robot.rgb.get_subscription_count() == 0)
        assert robot.change_state("cleanup")
    assert robot.change_state("shutdown")
    assert robot.state() == "finalized"
    assert process.child.poll() is None
    assert process.end() == 0
    assert "Traceback" not in process.output


def test_a_failed_configure_can_be_asked_again(start, robot):
    process = start("fails", *MANAGED)
    robot.wait("the node", lambda: robot.status.get("lifecycle") == "unconfigured")
    for _ in range(2):
        assert not robot.change_state("configure")
        assert robot.state() == "unconfigured"
    robot.wait("the reason", lambda: "nowhere.safetensors" in robot.status["trouble"])
    assert process.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "state", ["unconfigured", "configuring", "inactive", "active", "finalized"]
)
def test_signals_end_it_cleanly_in_every_state(start, robot, state, number):
    if state in ("configuring", "active"):
        process = start("slow_to_make" if state == "configuring" else "")
    else:
        process = start("", *MANAGED)
    if state == "configuring":
        robot.wait("the node", lambda: robot.node.count_publishers("ainet/bbox"))
        time.sleep(0.5)
    else:
        first = "active" if state == "active" else "unconfigured"
        robot.wait("the node", lambda: robot.status.get("lifecycle") == first)
    if state == "inactive":
        assert robot.change_state("configure")
    if state == "finalized":
        assert robot.change_state("shutdown")
    process.child.send_signal(number)  # twice, as Ctrl-C under a launch file
    assert process.end(number) == 0
    assert "Traceback" not in process.output
