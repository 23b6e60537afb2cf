"""What the node adds to the bare tracker: python bench/node.py [--rounds 5] [--rate 30]

For each size of images, with the debug image off and on, idle and beside a process that keeps one
core busy: the tracker alone in its process, new images each time, and the node over DDS, in turns.
Both get a pair when it is due, as from cameras; with --rate 0, when the one before is done. Never
before: nothing is skipped, nothing waits.

"node" is the node's own time from the second image of a pair to the box that left: conversion,
hand-over to the worker, tracking, message. "added" is the median over the turns of that less the
bare tracker's time just before: a machine that gets slower or faster meanwhile hits both. "round
trip" is measured at the camera: from before the first image is published to the box received.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import private_dds

SIZES = {"640x512": (640, 512), "1280x1024": (1280, 1024)}
BOX = (200.0, 150.0, 80.0, 90.0)
WARM = 10  # frames that do not count


def images(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth noise: an RGB and a 16-bit thermal image of one size."""
    random = np.random.default_rng(0)
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return rgb, random.integers(7000, 9000, (height, width), dtype=np.uint16)


class Pace:
    """When the next pair is due, so many a second; 0: at once."""

    def __init__(self, rate: float) -> None:
        self.period, self.due = (1 / rate if rate else 0.0), time.monotonic()

    def left(self) -> float:
        """Seconds until then."""
        return self.due - time.monotonic()

    def take(self) -> None:
        """It is sent now."""
        self.due = max(self.due, time.monotonic()) + self.period


def bare(width: int, height: int, frames: int, threads: int, rate: float) -> float:
    """Median ms of the tracker alone; runs in a process of its own."""
    import torch

    from ainet_core import Tracker

    torch.set_num_threads(threads)
    tracker = Tracker.from_preset("nano", device="cpu")
    rgb, thermal = images(width, height)
    tracker.init(rgb, thermal, BOX)
    times, pace = [], Pace(rate)
    for _ in range(frames + WARM):
        time.sleep(max(0.0, pace.left()))
        pace.take()
        # As from a camera: in memory that was just written, not what the last frame left in cache.
        rgb, thermal = rgb.copy(), thermal.copy()
        began = time.perf_counter()
        tracker.update(rgb, thermal)
        times.append((time.perf_counter() - began) * 1e3)
    return float(np.median(times[WARM:]))


@dataclass
class Played:
    """Medians in ms of one run through the node."""

    node: float
    round_trip: float


class Camera:
    """Publishes pairs one by one and waits for each box."""

    def __init__(self, width: int, height: int) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticStatus
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from sensor_msgs.msg import Image
        from std_msgs.msg import Header
        from vision_msgs.msg import Detection2DArray

        from ainet_ros.conversions import image_message
        from ainet_ros.status import values_of

        self.rclpy, self.kind = rclpy, Image
        self.node = rclpy.create_node("bench_camera")
        self.publishers = [
            self.node.create_publisher(Image, f"{name}/image_raw", 5)
            for name in ("rgb", "thermal")
        ]
        rgb, thermal = images(width, height)
        self.messages = [
            image_message(rgb, "rgb8", Header()),
            image_message(thermal.view(np.uint8), "mono16", Header()),
        ]
        self.messages[1].width = width
        self.answered, self.status, self.debug = 0, {}, 0
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(Detection2DArray, "ainet/bbox", self._box, 10)
        self.node.create_subscription(
            DiagnosticStatus, "ainet/status",
            lambda message: self.status.update(values_of(message)), latched,
        )  # fmt: skip

    def play(self, frames: int, with_debug: bool, rate: float) -> Played:
        """Send so many pairs; returns what they took."""
        self._wait(lambda: self.status.get("lifecycle") == "active", 120)
        self._wait(lambda: all(p.get_subscription_count() for p in self.publishers), 20)
        self._wait(lambda: self.node.count_publishers("/ainet/bbox"), 20)
        if with_debug:
            self.node.create_subscription(self.kind, "ainet/debug_image", self._drawn, 5)
        times, pace = [], Pace(rate)
        for _ in range(frames + WARM):
            while (left := pace.left()) > 0:
                self.rclpy.spin_once(self.node, timeout_sec=left)
            pace.take()
            began = time.perf_counter()
            self._pair()
            times.append((time.perf_counter() - began) * 1e3)
        self._wait(lambda: self.status["pairs_processed"] == str(self.answered), 5)
        return Played(float(self.status["latency_ms"]), float(np.median(times[WARM:])))

    def _pair(self) -> None:
        before, stamp = self.answered, self.node.get_clock().now().to_msg()
        for publisher, message in zip(self.publishers, self.messages, strict=True):
            message.header.stamp = stamp
            publisher.publish(message)
        self._wait(lambda: self.answered > before, 10)

    def _box(self, message: object) -> None:
        self.answered += 1

    def _drawn(self, message: object) -> None:
        self.debug += 1

    def _wait(self, true, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise RuntimeError(f"waited {seconds:.0f} s; the node says {self.status}")
            self.rclpy.spin_once(self.node, timeout_sec=0.1)


def through_node(
    size: str, frames: int, threads: int, with_debug: bool, rate: float
) -> Played:
    """One node process, one camera process (this one)."""
    command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args"]
    box = ",".join(map(str, BOX))
    for text in ("preset:=nano", "device:=cpu", f"threads:={threads}", f"initial_box:='{box}'"):
        command += ["-p", text]
    node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        camera = Camera(*SIZES[size])
        played = camera.play(frames, with_debug, rate)
        if with_debug and not camera.debug:
            raise RuntimeError("no debug image came")
        camera.node.destroy_node()
        return played
    finally:
        node.terminate()
        node.wait(20)


def measure(rounds: int, frames: int, threads: int, rate: float) -> None:
    """Every case; prints one row each."""
    for busy in (False, True):
        burner = [sys.executable, "-c", "while True: pass"]
        load = subprocess.Popen(burner) if busy else None
        try:
            for size in SIZES:
                taken: dict[bool, list[Turn]] = {False: [], True: []}
                for _ in range(rounds):
                    for debug, turns in taken.items():
                        alone = _bare_in_its_process(size, frames, threads, rate)
                        played = through_node(size, frames, threads, debug, rate)
                        turns.append(Turn(alone, played))
                for debug, turns in taken.items():
                    print(json.dumps(_row(size, busy, debug, turns)), flush=True)
        finally:
            if load is not None:
                load.kill()


class Turn(NamedTuple):
    """The bare tracker's median in ms, and the node's right after it."""

    bare: float
    played: Played

    @property
    def added(self) -> float:
        return self.played.node - self.bare


def _row(size: str, busy: bool, debug: bool, turns: list[Turn]) -> dict[str, object]:
    bare = float(np.median([turn.bare for turn in turns]))
    added = float(np.median([turn.added for turn in turns]))
    return {
        "size": size, "busy core": busy, "debug image": debug, "bare ms": round(bare, 1),
        "added ms": round(added, 1), "added %": round(100 * added / bare, 1),
        "each turn": [round(turn.added, 1) for turn in turns],
        "round trip ms": round(float(np.median([turn.played.round_trip for turn in turns])), 1),
    }  # fmt: skip


def _bare_in_its_process(size: str, frames: int, threads: int, rate: float) -> float:
    command = [sys.executable, __file__, "--bare", size, "--rate", str(rate)]
    command += ["--frames", str(frames), "--threads", str(threads)]
    return float(subprocess.check_output(command, text=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--frames", type=int, default=60, help="of a turn")
    parser.add_argument("--threads", type=int, default=1, help="of the network")
    parser.add_argument("--rate", type=float, default=30, help="pairs a second; 0: no pause")
    parser.add_argument("--bare", choices=SIZES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        print(bare(*SIZES[options.bare], options.frames, options.threads, options.rate))
        return
    import rclpy

    private_dds.enter()
    rclpy.init()
    measure(options.rounds, options.frames, options.threads, options.rate)
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
