"""What the node offers to the rest of a robot: one table for the documentation and its tests.

`python -m ainet_ros.interface docs/ros.md` writes this table and the parameters' into the file.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from ainet_ros import parameters


@dataclass(frozen=True)
class Port:
    """A topic or a service: its name, "in", "out" or "service", its type, and a sentence."""

    name: str
    way: str
    kind: str
    sentence: str


PORTS = (
    Port("rgb/image_raw", "in", "sensor_msgs/Image",
         "colour camera: rgb8, bgr8, rgba8, bgra8, mono8, bayer, and what cv_bridge converts"),
    Port("rgb/image_raw/compressed", "in", "sensor_msgs/CompressedImage",
         "in place of it with `rgb_transport: compressed`: JPEG or PNG"),
    Port("thermal/image_raw", "in", "sensor_msgs/Image",
         "thermal camera: mono8, mono16, 16UC1, 32FC1, or rgb8, bgr8, rgba8 false colour"),
    Port("thermal/image_raw/compressed", "in", "sensor_msgs/CompressedImage",
         "in place of it with `thermal_transport: compressed`; a PNG may have 16 bits"),
    Port("~/set_target", "in", "sensor_msgs/RegionOfInterest",
         "the target in pixels of the RGB image; acts on the newest pair, or the first to come"),
    Port("~/detections", "in", "vision_msgs/Detection2DArray",
         "a detector's boxes under the RGB image's header: the best one of `class_id` becomes the "
         "target on the pair of its stamp (kept for 1 s), as `on_detection` says"),
    Port("~/bbox", "out", "vision_msgs/Detection2DArray",
         "one message for every processed pair, under the RGB image's header; empty without a "
         "target or when it is lost"),
    Port("~/status", "out", "diagnostic_msgs/DiagnosticStatus",
         "state, score, cameras in use, counts, latency, why something was refused; every second "
         "and on every change, in every lifecycle state"),
    Port("/diagnostics", "out", "diagnostic_msgs/DiagnosticArray",
         "tracker, RGB camera, thermal camera: rates, losses, memory; alignment: how far thermal "
         "lies beside RGB; every second"),
    Port("~/debug_image", "out", "sensor_msgs/Image",
         "the image with the box, at most `debug_image_width` wide and `debug_image_rate` times a "
         "second; drawn only when somebody subscribes"),
    Port("~/debug_image/compressed", "out", "sensor_msgs/CompressedImage", "the same as JPEG"),
    Port("~/reset", "service", "std_srvs/Trigger", "forget the target"),
    Port("~/enable", "service", "std_srvs/SetBool",
         "false: pairs are skipped and the target is kept; true: go on"),
)  # fmt: skip


def markdown() -> str:
    """The table of topics and services of docs/ros.md."""
    lines = ["| name | way | type | what |", "|---|---|---|---|"]
    lines += [f"| `{p.name}` | {p.way} | {p.kind} | {p.sentence} |" for p in PORTS]
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """The document with both tables as the code has them now."""
    for table in (markdown(), parameters.markdown()):
        head = table.split("|")[1]  # its first column's name
        parts = re.split(rf"^\|{head}\| (?:way|default) .*?(?=\n\n|\Z)", text, flags=re.M | re.S)
        if len(parts) != 2:
            raise ValueError(f"expected one table of {head.strip()!r}, got {len(parts) - 1}")
        text = table.join(parts)
    return text


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text()))
