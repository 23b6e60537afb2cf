"""The real network configured, used and cleaned up, again and again: is its memory given back?

`python test/ros/cycles.py --cycles 50` prints the node's own memory after every cleanup. Exit
code 0 when it does not grow from the third cycle to the last.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import rclpy
from processes import PRIVATE_DDS, Process
from robot import Robot
from soak import Gauge

GROWTH_MB = 10.0
WARM = 3  # cycles until allocators have what they keep


def run(cycles: int, folder: Path) -> list[float]:
    """The node's own memory in MB, without shared memory: loaded once, then after each cleanup."""
    command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args",
               "-p", "preset:=nano", "-p", "device:=cpu", "-p", "threads:=1",
               "-p", "autostart:=false"]  # fmt: skip
    process = Process(command, folder / "node.log")
    robot = Robot()
    gauge = Gauge(process.child.pid, folder / "none.txt")
    try:
        robot.wait("the node", lambda: robot.status.get("lifecycle") == "unconfigured", 60)
        for cycle in range(cycles):
            assert robot.change_state("configure"), process.output
            assert robot.change_state("activate"), process.output
            robot.wait_until_heard()
            robot.target(10, 20, 30, 40)
            robot.wait("the target", lambda: "target set" in robot.status["state"])
            assert robot.send_and_wait(1.0 + cycle).detections
            if cycle == 0:
                gauge.read(waiting=0)  # every pair is answered before we look
            assert robot.change_state("deactivate")
            assert robot.change_state("cleanup")
            gauge.read(waiting=0)
        assert process.end() == 0, process.output
        return gauge.memory_mb
    finally:
        robot.close()
        process.close()


def growth(memory: list[float]) -> float:
    """MB from the third cycle to the last."""
    return memory[-1] - memory[WARM]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=50)
    options = parser.parse_args()
    os.environ.update(PRIVATE_DDS)
    rclpy.init()
    with tempfile.TemporaryDirectory() as folder:
        memory = run(options.cycles, Path(folder))
    rclpy.try_shutdown()
    print("active, MB:", round(memory[0], 1))
    print("after each cleanup, MB:", *(round(value, 1) for value in memory[1:]))
    print(f"from cycle {WARM} to {options.cycles}: {growth(memory):+.1f} MB")
    return 0 if growth(memory) <= GROWTH_MB else 1


if __name__ == "__main__":
    sys.exit(main())
