"""Images between two processes: all arrive, and on loopback none leaves the machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")

ROOT = Path(__file__).parents[2]

COUNT = 100
STREAM = Path(__file__).parent / "image_stream.py"


def start(side: str, profile: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(STREAM), side, str(COUNT)],
        env={
            **environment,
            "FASTRTPS_DEFAULT_PROFILES_FILE": str(profile),
            "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
            "ROS_DOMAIN_ID": str(1 + os.getpid() % 100),
        },
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.dds
def test_every_image_arrives_and_none_leaves_the_machine() -> None:
    profile = ROOT / "config" / "fastdds_loopback.xml"
    guard = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
    environment = {k: v for k, v in os.environ.items() if k != guard}
    receiver = start("receive", profile, environment)
    sender = start("send", profile, environment)
    try:
        received = json.loads(receiver.communicate(timeout=60)[0])
        sent = json.loads(sender.communicate(timeout=60)[0])
    finally:
        for process in (receiver, sender):
            process.kill()
    assert sent["images"] == received["images"] == COUNT
    assert received["median_age_ms"] < 100
    for side in (sent, received):
        # What is bound to the loopback interface can't send through any other.
        assert side["bound_to"]
        for address in side["bound_to"]:
            assert address.startswith(("127.", "239.")), side["bound_to"]


@pytest.mark.parametrize("name", ["fastdds_loopback", "fastdds_large_images"])
def test_segment_holds_images(name: str) -> None:
    text = (ROOT / "config" / f"{name}.xml").read_text()
    assert "<segment_size>16777216</segment_size>" in text
    assert ("<address>127.0.0.1</address>" in text) == (name == "fastdds_loopback")
