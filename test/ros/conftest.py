"""Fixtures of the ROS tests; the processes they start are private to this run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # processes, robot, trivial_node: no package

from processes import HERE, PRIVATE_DDS, ROOT, Process

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")


@pytest.fixture(scope="session")
def ros() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PRIVATE_DDS.items():
            patch.setenv(name, value)
        # A signal ends pytest, not the context under its tests.
        rclpy.init(signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
        yield
        rclpy.try_shutdown()


@pytest.fixture
def robot(ros: None) -> Iterator[object]:
    from robot import Robot

    made = Robot()
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_robot(ros: None) -> Iterator[object]:
    from robot import Robot

    made = Robot()
    yield made
    made.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """start(behaviour, "-p", "x:=y", ...) runs trivial_node.py; all end with the test."""
    processes: list[Process] = []

    def run(behaviour: str = "", *ros_arguments: str, script: Path | None = None) -> Process:
        command = [sys.executable, str(script or HERE / "trivial_node.py")]
        command += [behaviour] if behaviour else []
        command += ["--ros-args", *ros_arguments] if ros_arguments else []
        processes.append(Process(command, tmp_path / f"node_{len(processes)}.log"))
        return processes[-1]

    yield run
    for process in processes:
        process.close()
        print(process.output)  # pytest shows it when the test fails


@pytest.fixture
def start_real(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """start_real("-p", "x:=y", ...) runs the node with the real network on one CPU thread."""
    processes: list[Process] = []

    def run(*ros_arguments: str) -> Process:
        command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args"]
        command += ["-p", "device:=cpu", "-p", "threads:=1", *ros_arguments]
        processes.append(Process(command, tmp_path / f"real_{len(processes)}.log"))
        return processes[-1]

    yield run
    for process in processes:
        process.close()
        print(process.output)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the real network: the shipped ones, or untrained ones of the same shape."""
    shipped = ROOT / "ainet_core" / "weights" / "nano.safetensors"
    if shipped.is_file():
        return shipped
    from ainet_core.model.ainet import AINet
    from ainet_core.model.checkpoint import save_checkpoint
    from ainet_core.model.config import preset_config

    path = tmp_path_factory.mktemp("weights") / "nano.safetensors"
    save_checkpoint(path, AINet(preset_config("nano")))
    return path
