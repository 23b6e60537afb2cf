"""What one more tracker node costs in memory: python bench/instances.py [--instances 1 2 3]

Nodes with nano, each in a namespace and a process of its own, configured and active: every network
has run once. Printed: the resident memory of one process, and the proportional memory of all of
them together, in which a page that n processes share counts once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import private_dds


def memory_mb(pid: int, name: str) -> float:
    """`Rss` or `Pss` of a process in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) * 1024 / 1e6


def measure(count: int) -> tuple[float, float]:
    """MB: resident memory of the first process, proportional memory of all."""
    import rclpy
    from diagnostic_msgs.msg import DiagnosticStatus
    from rclpy.qos import DurabilityPolicy, QoSProfile

    from ainet_ros.status import values_of

    watcher = rclpy.create_node("instances_watcher")
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    active: set[int] = set()
    nodes = []
    for number in range(count):
        namespace = f"/tracker_{number}"

        def heard(message: DiagnosticStatus, number: int = number) -> None:
            if values_of(message)["lifecycle"] == "active":
                active.add(number)

        watcher.create_subscription(DiagnosticStatus, f"{namespace}/ainet/status", heard, latched)
        command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args", "-r"]
        command += [f"__ns:={namespace}", "-p", "device:=cpu", "-p", "threads:=1"]
        nodes.append(
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
    try:
        end = time.monotonic() + 120
        while len(active) < count:
            if time.monotonic() > end:
                raise RuntimeError(f"{len(active)} of {count} nodes are active after 120 s")
            rclpy.spin_once(watcher, timeout_sec=0.1)
        time.sleep(2)
        return memory_mb(nodes[0].pid, "Rss"), sum(memory_mb(n.pid, "Pss") for n in nodes)
    finally:
        for node in nodes:
            node.terminate()
        for node in nodes:
            node.wait(20)
        watcher.destroy_node()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    import rclpy

    private_dds.enter()
    rclpy.init()
    for count in options.instances:
        resident, together = measure(count)
        print(
            f"{count} nodes: {resident:.0f} MB resident in one, {together:.0f} MB in all",
            flush=True,
        )
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
