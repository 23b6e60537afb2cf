"""Two cameras at 30 Hz with random faults, for as long as you like: `make soak MINUTES=60 SEED=1`.

The node runs with the trivial tracker in a process of its own. Asked at the end: was every pair
answered or counted, was every answer heard once, and did memory, threads, file descriptors and
Python objects stay where they were. Exit code 0 when all of that holds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rclpy
from processes import CHILD_ENVIRONMENT, HERE, PRIVATE_DDS, Process
from robot import Robot, header
from std_srvs.srv import SetBool, Trigger
from trivial_node import RAISES
from vision_msgs.msg import Detection2DArray

from ainet_ros.conversions import detections, image_message

RATE_HZ = 30
FAULT_SHARE = 0.05  # of the pairs
GROWTH_MB = 5.0
RGB = np.random.default_rng(0).integers(1, 250, (8, 480, 640, 3), dtype=np.uint8)
THERMAL = np.random.default_rng(1).integers(0, 250, (8, 240, 320), dtype=np.uint8)


@dataclass
class Gauge:
    """The node's process, once a second."""

    pid: int
    objects_file: Path
    memory_mb: list[float] = field(default_factory=list)  # its own, without the images that wait
    shared_mb: list[float] = field(default_factory=list)  # Fast DDS's segments, as far as touched
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    thread_names: list[Counter[str]] = field(default_factory=list)

    def read(self, waiting: int) -> None:
        """`waiting`: bytes of images that wait for the other camera, as the node tells.

        A full queue of them is 9 MB, which is no leak: it is bounded and comes and goes.
        """
        status = Path(f"/proc/{self.pid}/status").read_text()
        own, shared = (
            int(status.split(f"{name}:")[1].split()[0]) for name in ("RssAnon", "RssShmem")
        )
        self.memory_mb.append((own * 1024 - waiting) / 1e6)
        self.shared_mb.append(shared * 1024 / 1e6)
        self.thread_names.append(Counter(_names_of_threads(self.pid)))
        self.threads.append(self.thread_names[-1].total())
        self.files.append(len(os.listdir(f"/proc/{self.pid}/fd")))
        if text := self.objects_file.read_text() if self.objects_file.exists() else "":
            self.objects.append(int(text))

    def growth(self, name: str) -> float:
        """Median of the last quarter less that of the third: what grows over the last half."""
        values = getattr(self, name)
        half = values[len(values) // 2 :]
        return float(np.median(half[len(half) // 2 :]) - np.median(half[: len(half) // 2]))

    def new_threads(self) -> dict[str, int]:
        """Names and numbers of threads at the end that were not there at half time."""
        return dict(self.thread_names[-1] - self.thread_names[len(self.thread_names) // 2])


def _names_of_threads(pid: int) -> list[str]:
    names = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return names


class Soak:
    """Plays the day of a robot whose luck is drawn from a seed."""

    def __init__(self, robot: Robot, seed: int) -> None:
        self.robot, self.random = robot, np.random.default_rng(seed)
        self.sent = {"rgb": 0, "thermal": 0}
        self.faults: dict[str, int] = {}
        self._stamp, self._silent = 1000.0, {"rgb": 0.0, "thermal": 0.0}
        self._left_at: dict[tuple[int, int], float] = {}
        node = robot.node
        self._detections = node.create_publisher(Detection2DArray, "ainet/detections", 10)
        self._reset = node.create_client(Trigger, "ainet/reset")
        self._enable = node.create_client(SetBool, "ainet/enable")
        self._kinds: dict[str, Callable[[], None]] = {
            "target": lambda: robot.target(100, 100, 60, 80),
            "target outside": lambda: robot.target(900, 100, 60, 80),
            "target without area": lambda: robot.target(5, 5, 0, 0),
            "reset": lambda: self._call(self._reset, Trigger.Request()),
            "pause": lambda: self._call(self._enable, SetBool.Request(data=False)),
            "detection": self._detect,
            "rgb silent": lambda: self._silence("rgb"),
            "thermal silent": lambda: self._silence("thermal"),
            "stamps jump back": lambda: self._jump(-5.0),
            "stamps leap ahead": lambda: self._jump(50.0),
        }
        self._spoilt = ("stamp 0", "truncated", "wrong step", "unknown encoding", "zero size",
                        "raises", "late", "lost image")  # fmt: skip

    def run(self, seconds: float, gauge: Gauge) -> None:
        began = time.monotonic()
        for i in range(round(seconds * RATE_HZ)):
            self._step(i)
            if i % RATE_HZ == 0:
                gauge.read(self._waiting())
            time.sleep(max(began + (i + 1) / RATE_HZ - time.monotonic(), 0.0))

    def latencies(self) -> list[float]:
        """ms from publishing the later image to the box at the robot."""
        heard = [((m.header.stamp.sec, m.header.stamp.nanosec), at) for m, at in self.robot.heard]
        return [(at - self._left_at[k]) * 1e3 for k, at in heard if k in self._left_at]

    def _waiting(self) -> int:
        images = {"rgb": RGB[0], "thermal": THERMAL[0]}
        return sum(
            int(self.robot.status[f"{camera}_waiting"]) * image.nbytes
            for camera, image in images.items()
        )

    def _step(self, index: int) -> None:
        spoilt = ("", "")
        if index % (3 * RATE_HZ) == 0:  # what an operator does when it is paused or lost
            self._call(self._enable, SetBool.Request(data=True))
            self.robot.target(100, 100, 60, 80)
        if self.random.random() < FAULT_SHARE:
            name = str(self.random.choice([*self._kinds, *self._spoilt]))
            self.faults[name] = self.faults.get(name, 0) + 1
            if name in self._kinds:
                self._kinds[name]()
            else:
                spoilt = (name, str(self.random.choice(["rgb", "thermal"])))
        self._stamp += 1 / RATE_HZ
        for camera in ("rgb", "thermal"):
            self._send(camera, index, spoilt[0] if spoilt[1] == camera else "")

    def _send(self, camera: str, index: int, fault: str) -> None:
        if time.monotonic() < self._silent[camera] or fault == "lost image":
            return
        late = 0.2 if fault == "late" else float(self.random.uniform(0, 0.005))
        stamp = header(0.0 if fault == "stamp 0" else self._stamp - late)
        pixels, encoding = (RGB, "rgb8") if camera == "rgb" else (THERMAL, "mono8")
        image = image_message(pixels[index % 8], encoding, stamp)
        if fault == "truncated":
            image.data = image.data[:1000]
        if fault == "wrong step":
            image.step = 7
        if fault == "unknown encoding":
            image.encoding = "temperature"
        if fault == "zero size":
            image.width = image.height = 0
        if fault == "raises" and camera == "rgb":
            image.data[0] = RAISES
        self._left_at[stamp.stamp.sec, stamp.stamp.nanosec] = time.monotonic()
        self.sent[camera] += 1
        getattr(self.robot, camera).publish(image)

    def _silence(self, camera: str) -> None:
        self._silent[camera] = time.monotonic() + float(self.random.uniform(0.2, 3.0))

    def _jump(self, seconds: float) -> None:
        self._stamp = max(self._stamp + seconds, 100.0)

    def _detect(self) -> None:
        box = self.random.uniform(-100, 700, 4)
        self._detections.publish(detections(header(self._stamp), "target", box, 0.9))

    def _call(self, client, request) -> None:
        if client.service_is_ready():
            client.call_async(request)


def judge(soak: Soak, gauge: Gauge, alive: bool) -> dict[str, bool]:
    """What must hold at the end."""
    status = soak.robot.status
    number = {key: int(value) for key, value in status.items() if value.isdigit()}
    stamps = [(m.header.stamp.sec, m.header.stamp.nanosec) for m, _ in soak.robot.heard]
    done = number["pairs_processed"] + number["pairs_skipped"]
    return {
        "the node lives": alive,
        "pairs = answers + skipped": number["pairs_received"] == done,
        "every answer was heard": len(stamps) == number["pairs_processed"],
        "images = received + lost": all(
            count == number[f"{camera}_received"] + number[f"{camera}_lost"]
            for camera, count in soak.sent.items()
        ),
        f"memory grows <= {GROWTH_MB:.0f} MB": gauge.growth("memory_mb") <= GROWTH_MB,
        "threads do not grow": gauge.growth("threads") <= 0,
        "files do not grow": gauge.growth("files") <= 0,
        "objects do not grow": gauge.growth("objects") <= 0.005 * np.median(gauge.objects),
    }


def report(soak: Soak, gauge: Gauge, verdict: dict[str, bool]) -> str:
    """The figures of docs/robustness.md."""
    status, latency = soak.robot.status, np.percentile(soak.latencies(), [50, 95, 99])
    lines = [
        f"images sent: {soak.sent}",
        *(f"images of {camera}: received {status[f'{camera}_received']}, "
          f"lost {status[f'{camera}_lost']}" for camera in soak.sent),
        *(f"pairs {key}: {status[f'pairs_{key}']}" for key in
          ("received", "processed", "skipped", "failed")),
        f"boxes heard: {len(soak.robot.heard)}",
        "latency ms, 50 / 95 / 99 %: " + " / ".join(f"{value:.1f}" for value in latency),
        *(f"{name}: {getattr(gauge, name)[-1]:.0f}, last half {gauge.growth(name):+.1f}" for name
          in ("memory_mb", "shared_mb", "threads", "files", "objects")),
        f"threads that came in the last half: {gauge.new_threads() or 'none'}",
        f"faults: {json.dumps(soak.faults, sort_keys=True)}",
        *(f"{'ok  ' if held else 'FAIL'} {name}" for name, held in verdict.items()),
    ]  # fmt: skip
    return "\n".join(lines)


def settled(robot: Robot) -> bool:
    count = [int(robot.status[f"pairs_{key}"]) for key in ("received", "processed", "skipped")]
    return count[0] == count[1] + count[2] and len(robot.heard) == count[1]


def run(seconds: float, seed: int, folder: Path) -> tuple[str, bool]:
    """Soak for so long; returns the report and whether everything held."""
    objects = folder / "objects.txt"
    CHILD_ENVIRONMENT["TRIVIAL_NODE_OBJECTS"] = str(objects)
    process = Process([sys.executable, str(HERE / "trivial_node.py")], folder / "soak.log")
    robot = Robot()
    try:
        robot.wait_until_heard()
        soak, gauge = Soak(robot, seed), Gauge(process.child.pid, objects)
        soak.run(seconds, gauge)
        robot.enable(True)
        end = time.monotonic() + 10
        while not settled(robot) and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1.1)  # the last status
        verdict = judge(soak, gauge, process.child.poll() is None)
        (folder / "memory.txt").write_text("\n".join(f"{mb:.2f}" for mb in gauge.memory_mb))
        verdict["it ends with 0"] = process.end() == 0
        return report(soak, gauge, verdict), all(verdict.values())
    finally:
        robot.close()
        process.close()
        del CHILD_ENVIRONMENT["TRIVIAL_NODE_OBJECTS"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--output", type=Path, default=Path("soak_output"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    os.environ.update(PRIVATE_DDS)
    rclpy.init()
    print(f"{options.minutes:g} minutes, seed {options.seed}", flush=True)
    text, held = run(options.minutes * 60, options.seed, options.output)
    print(text)
    (options.output / "report.txt").write_text(f"seed {options.seed}\n{text}\n")
    rclpy.try_shutdown()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
