"""A running node and its robot on a bad day: what every fault is measured by."""

from __future__ import annotations

import array
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from processes import HERE, Process
from robot import Robot, header, picture
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

BOX = (10, 20, 30, 40)
STEP_S = 0.1


class BadDay:
    """Sends pairs of rising stamps; `begin` and `end` frame one fault."""

    def __init__(self, process: Process, robot: Robot, thermal_first: bool = False) -> None:
        self.process, self.robot, self._thermal_first = process, robot, thermal_first
        self.now, self._sent, self._said_before = 1000.0, set(), 0

    def begin(self) -> None:
        """A tracked target, whatever was before."""
        self.robot.wait("an active node", lambda: self.robot.status.get("lifecycle") == "active")
        assert self.robot.reset().success
        self.robot.target(*BOX)
        self.robot.wait("the target", lambda: self.robot.status["state"] != "no target")
        assert self.good().detections
        self._said_before = len(self.process.output)

    def end(self) -> None:
        """The node lives, answered nothing twice or under a strange header, and tracks on."""
        assert self.process.child.poll() is None
        answered = [key(message) for message in self.robot.boxes]
        assert len(answered) == len(set(answered)), "a stamp was answered twice"
        assert set(answered) <= self._sent, "an answer has a header that was never sent"
        for _ in range(3):
            if self.good().detections:
                return
        self.robot.target(*BOX)  # where the fault reset the target, it can be set again
        self.robot.wait("the target", lambda: self.robot.status["state"] == "tracking")
        assert self.good().detections

    @property
    def said(self) -> str:
        """What the node logged since `begin`."""
        return self.process.output[self._said_before :]

    def wait_said(self, words: str) -> None:
        self.robot.wait(f"the line {words!r}", lambda: words in self.said)

    def tick(self, seconds: float = STEP_S) -> float:
        self.now = round(self.now + seconds, 3)
        return self.now

    def good(self) -> Detection2DArray:
        """The next pair, whole; returns its answer."""
        stamp = self.pair()
        wanted = header(stamp).stamp
        self.robot.wait(f"the box of {stamp}", lambda: self.robot.answers(wanted))
        return self.robot.answers(wanted)[0]

    def pair(self, stamp: float | None = None, thermal_late: float = 0.0, **changes: Any) -> float:
        """Both images of one moment; `changes` go to the RGB image. Returns the RGB stamp."""
        stamp = self.tick() if stamp is None else stamp
        if self._thermal_first:  # rgb_leads takes what is there when the RGB image comes
            self.thermal(noise(stamp + thermal_late))
            time.sleep(0.05)
            self.rgb(picture(stamp=stamp, **changes))
        else:
            self.rgb(picture(stamp=stamp, **changes))
            self.thermal(noise(stamp + thermal_late))
        return stamp

    def rgb(self, image: Any) -> None:
        self._sent.add(key(image))
        self.robot.rgb.publish(packed(image, ".jpg") if self.robot.compressed else image)

    def thermal(self, image: Any) -> None:
        self._sent.add(key(image))
        self.robot.thermal.publish(packed(image, ".png") if self.robot.compressed else image)

    def spoil(self, camera: str, stamp: float, how: str) -> None:
        """A compressed image that is none: "cut", "garbage" or "empty"."""
        image = packed(picture(stamp=stamp), ".jpg" if camera == "rgb" else ".png")
        data = bytes(image.data)
        data = {"cut": data[: len(data) // 2], "garbage": b"\xff\xd8no\xff\xd9", "empty": b""}[how]
        image.data = array.array("B", data)
        self._sent.add(key(image))
        getattr(self.robot, camera).publish(image)

    def play(self, seconds: float, rgb: bool = True, thermal: bool = True) -> list[float]:
        """10 Hz of one or both cameras for a while; returns the stamps."""
        stamps, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            stamp = self.tick()
            if rgb:
                self.rgb(picture(stamp=stamp))
            if thermal:
                self.thermal(noise(stamp))
            stamps.append(stamp)
            time.sleep(STEP_S)
        return stamps

    def answers_to(self, stamps: list[float]) -> list[Detection2DArray]:
        return [m for stamp in stamps for m in self.robot.answers(header(stamp).stamp)]


def key(message: Any) -> tuple[int, int, str]:
    stamp = message.header.stamp
    return stamp.sec, stamp.nanosec, message.header.frame_id


def packed(image: Image, ending: str) -> CompressedImage:
    """As image_transport's compressed plugin sends it."""
    pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, -1)
    _, data = cv2.imencode(ending, pixels)
    name = f"{image.encoding}; {'png' if ending == '.png' else 'jpeg'} compressed bgr8"
    return CompressedImage(header=image.header, format=name, data=array.array("B", data.tobytes()))


def noise(stamp: float, frame: str = "camera") -> Image:
    """A mono8 thermal image as a sensor makes it: no two are equal."""
    image = picture(stamp=stamp, encoding="mono8", frame=frame)
    seed = round(stamp * 1000) % 2**31
    pixels = np.random.default_rng(seed).integers(80, 100, len(image.data), dtype=np.uint8)
    image.data = array.array("B", pixels.tobytes())
    return image


def start_process(name: str, folder: Path, *arguments: str) -> Process:
    """trivial_node.py in a process of its own."""
    command = [sys.executable, str(HERE / "trivial_node.py"), "--ros-args", *arguments]
    return Process(command, folder / f"{name}.log")
