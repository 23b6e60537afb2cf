"""The demo's other half: plays a sequence into the two camera topics and keeps score.

It waits until the tracker is active and hears both topics, sets the target from the first known
box, publishes RGB and thermal images with equal stamps at the sequence's rate, records ~/bbox,
and writes the video, the picture and the table.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Header
from tqdm import tqdm
from vision_msgs.msg import Detection2DArray

from ainet_core.data.sequence import FramePair, Sequence
from ainet_ros.conversions import box_region, detected_box, image_message
from ainet_ros.demo_report import Film, Record, write_report
from ainet_ros.demo_sequence import demo_sequence
from ainet_ros.process import Stop, spin
from ainet_ros.status import values_of

PATIENCE_S = 120.0  # for a tracker that loads and warms up on a busy machine

PARAMETERS = {
    "sequence": ("", "a folder with visible.mp4, infrared.mp4, groundtruth.txt; empty: generated"),
    "groundtruth": ("", "which boxes of the folder: a file's name or N of groundtruth_N.txt"),
    "output": ("demo_output", "the folder for track.mp4, track.png and the table"),
    "frames": (0, "how many frames to play; 0: all"),
    "seed": (0, "which generated world; the default is the one in the documentation"),
    "repeat": (False, "play back and forth for the operator's page, until it is interrupted"),
}


@dataclass
class Sent:
    """One pair that left: when, and under which header."""

    header: Header
    at: float = field(default_factory=time.monotonic)


class DemoSource(Node):
    """Cameras, operator and scorer in one node, beside a tracker node called `ainet`."""

    def __init__(self) -> None:
        super().__init__("demo_source")
        for name, (default, sentence) in PARAMETERS.items():
            self.declare_parameter(name, default, ParameterDescriptor(description=sentence))
        self._rgb = self.create_publisher(Image, "rgb/image_raw", 10)
        self._thermal = self.create_publisher(Image, "thermal/image_raw", 10)
        self._target = self.create_publisher(RegionOfInterest, "ainet/set_target", 10)
        self.create_subscription(Detection2DArray, "ainet/bbox", self._on_boxes, 100)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(DiagnosticStatus, "ainet/status", self._on_status, latched)
        self.status: dict[str, str] = {}
        self.record = Record()
        self._sent: dict[tuple[int, int], tuple[int, Sent]] = {}

    def text(self, name: str) -> str:
        return str(self.get_parameter(name).value)

    def number(self, name: str) -> int:
        return int(self.get_parameter(name).value)

    def ready(self) -> bool:
        """The tracker is active, and it is connected to what we publish and we to it."""
        return (
            self.status.get("lifecycle") == "active"
            and int(self.status.get("rgb_publishers", "0")) > 0
            and int(self.status.get("thermal_publishers", "0")) > 0
            and self._target.get_subscription_count() > 0
            and self.count_publishers("ainet/bbox") > 0
        )

    def set_target(self, box: list[float]) -> None:
        self._target.publish(box_region(box))

    def publish(self, index: int | None, rgb: Image, thermal: Image) -> None:
        """Send a pair under one new header; None: it is not scored."""
        header = Header(frame_id="camera", stamp=self.get_clock().now().to_msg())
        rgb.header = thermal.header = header
        stamp = header.stamp
        if index is not None:
            self._sent[stamp.sec, stamp.nanosec] = index, Sent(header)
        self._rgb.publish(rgb)
        self._thermal.publish(thermal)
        self.record.sent += 1

    def _on_boxes(self, message: Detection2DArray) -> None:
        now, stamp = time.monotonic(), message.header.stamp
        index, sent = self._sent.get((stamp.sec, stamp.nanosec), (-1, None))
        if sent is None or sent.header != message.header or index in self.record.boxes:
            self.record.strangers += 1
            return
        self.record.add(index, detected_box(message), sent.at, now)

    def _on_status(self, message: DiagnosticStatus) -> None:
        self.status = values_of(message)


class Demo:
    """The order of events; every wait has an end and a reason."""

    def __init__(self, node: DemoSource, stop: Stop) -> None:
        self._node, self._stop = node, stop

    def run(self) -> Path | None:
        """Play, record and write; returns the folder, None when it only repeated.

        Raises:
            ValueError: the sequence cannot be played.
            RuntimeError: the tracker is not there, it has no page to repeat for, or the demo was
                interrupted.
        """
        node = self._node
        frames = node.number("frames")
        sequence = demo_sequence(
            node.text("sequence"), node.text("groundtruth"), node.number("seed"), frames
        )
        film = Film(sequence)
        for _ in tqdm(film.load(), "preparing", len(sequence), unit="frame", file=sys.stdout):
            self._check()
        self._wait(node.ready, "the tracker node is not active or does not hear the cameras")
        node.set_target(sequence.groundtruth[0].tolist())
        self._wait(
            lambda: node.status["state"].startswith("target set"), "the target was not accepted"
        )
        if node.get_parameter("repeat").value:
            self._repeat(sequence, film)
            return None
        self._play(sequence, film)
        self._settle()
        return write_report(Path(node.text("output")), film, node.record, node.status)

    def _play(self, sequence: Sequence, film: Film) -> None:
        began = time.monotonic()
        bar = tqdm(film.frames(), "tracking", len(sequence), unit="frame", file=sys.stdout)
        for index, pair in enumerate(bar):
            self._check()
            self._send(index, pair, began + index / sequence.rate)
            state = self._node.status.get("state", "")
            bar.set_postfix_str(f"{state}, {len(self._node.record.boxes)} boxes", refresh=False)

    def _repeat(self, sequence: Sequence, film: Film) -> None:
        page = self._node.status.get("operator_page", "it is off")
        if not page.startswith("http"):
            raise RuntimeError(f"no operator's page: {page}")
        print(f"operator's page: {page} (Ctrl-C ends it)", flush=True)
        began = time.monotonic()
        for index, pair in enumerate(film.back_and_forth()):
            if self._stop.asked:
                return
            self._send(None, pair, began + index / sequence.rate)

    def _send(self, index: int | None, pair: FramePair, when: float) -> None:
        """Publish a pair at that time (monotonic)."""
        assert pair.rgb is not None
        assert pair.thermal is not None
        rgb = image_message(pair.rgb, "rgb8", Header())
        kind = "mono8" if pair.thermal.dtype.itemsize == 1 else "mono16"
        thermal = image_message(pair.thermal, kind, Header())
        time.sleep(max(when - time.monotonic(), 0.0))
        self._node.publish(index, rgb, thermal)

    def _settle(self) -> None:
        """Wait for the last pair's box and for a status that counts it."""
        node, end = self._node, time.monotonic() + 10
        while time.monotonic() < end:
            counts = [
                int(node.status.get(f"pairs_{key}") or 0)
                for key in ("received", "processed", "skipped")
            ]
            if counts[0] == node.record.sent and counts[0] == counts[1] + counts[2]:
                return
            time.sleep(0.05)

    def _wait(self, true: Callable[[], bool], reason: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not true():
            self._check()
            if time.monotonic() > end:
                trouble = self._node.status.get("trouble") or "it told nothing"
                raise RuntimeError(f"waited {PATIENCE_S:.0f} s: {reason} ({trouble})")
            time.sleep(0.05)

    def _check(self) -> None:
        if self._stop.asked:
            raise RuntimeError("interrupted")


def main(arguments: list[str] | None = None) -> int:
    """Run the demo's source; 0 when the table was written, 1 otherwise."""
    stop = Stop()
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    node = DemoSource()
    ended = threading.Event()
    thread = threading.Thread(target=spin, args=(node, ended.is_set), daemon=True)
    thread.start()
    try:
        folder = Demo(node, stop).run()
        if folder is not None:
            print((folder / "table.txt").read_text(), end="")
        code = 0
    except (ValueError, RuntimeError, OSError) as error:
        print(f"demo_source: {error}", file=sys.stderr)
        code = 1
    ended.set()
    thread.join(5)
    node.destroy_node()
    rclpy.try_shutdown()
    return code


if __name__ == "__main__":
    sys.exit(main())
