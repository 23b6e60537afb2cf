"""Nodes that a bench starts hear each other and nobody else, whatever runs beside them."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = {"FASTRTPS_DEFAULT_PROFILES_FILE": str(ROOT / "config" / "fastdds_loopback.xml")}


def environment(settings: dict[str, str] = LOOPBACK) -> dict[str, str]:
    """For a child process: a domain of this run alone, and how Fast DDS is set up."""
    made = os.environ | settings
    made |= {"ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "PYTHONPATH": str(ROOT)}
    # What starts a child decides anew where ROS 2's libraries are.
    made.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
    return made


def enter() -> None:
    """The same for this process and the children that inherit from it; before rclpy.init."""
    made = environment()
    os.environ.clear()
    os.environ.update(made)
