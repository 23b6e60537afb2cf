"""DDS tests: a private domain, packets on loopback only, the node as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))  # robot.py and trivial_node.py are shared by the tests

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")

os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(ROOT / "config" / "fastdds_loopback.xml")
os.environ["RMW_IMPLEMENTATION"] = "rmw_fastrtps_cpp"
os.environ["ROS_LOG_DIR"] = os.environ.get("ROS_LOG_DIR", "/tmp/ainet_test_log")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
)
# What starts a child decides anew where the wheels' libraries are.
CHILD_ENVIRONMENT = {
    key: value for key, value in os.environ.items() if key != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
}


class Process:
    """A child with its output in a file, ended as ROS ends its nodes."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("w") as output:
            self.child = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=CHILD_ENVIRONMENT
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def end(self, number: int = signal.SIGINT, timeout: float = 30) -> int:
        """Send the signal and return the exit code."""
        self.child.send_signal(number)
        return self.child.wait(timeout)


@pytest.fixture(scope="session")
def ros() -> Iterator[None]:
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def robot(ros: None) -> Iterator[object]:
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
        if process.child.poll() is None:
            process.child.kill()
            process.child.wait(10)
        print(process.output)  # pytest shows it when the test fails


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
