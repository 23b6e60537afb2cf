"""/diagnostics at 1 Hz: the tracker and its two cameras, for rqt_robot_monitor and its kin."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from ainet_core.imaging.remaining_shift import Shift
from ainet_ros.status import values_of

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def diagnostics(
    now: Time,
    status: DiagnosticStatus,
    before: Mapping[str, str],
    alignment: DiagnosticStatus | None = None,
) -> DiagnosticArray:
    """What ~/status says, as the entries that a robot's monitor shows.

    Args:
        now: the node's time.
        status: the newest ~/status.
        before: its values a second earlier; what was lost since then is a warning.
        alignment: what `alignment_entry` made, where somebody looked.
    """
    values = values_of(status)
    entries = [_tracker(status, values)]
    if "pairs_received" in values:  # the node is active
        entries += [_camera(status, name, values, before) for name in ("rgb", "thermal")]
    entries += [alignment] if alignment else []
    return DiagnosticArray(header=Header(stamp=now), status=entries)


def alignment_entry(
    status: DiagnosticStatus, shift: Shift | None, limit: float
) -> DiagnosticStatus:
    """Where thermal lies beside RGB; a warning past `limit` RGB pixels, never where unknown."""
    if shift is None:
        words = "not known: the images do not tell (yet) where thermal lies beside RGB"
        return _entry(status, "alignment", OK, words, {"limit_px": f"{limit:g}"})
    level, words = OK, str(shift)
    if shift.length > limit:
        level, words = WARN, f"{words}, more than {limit:g} px: run `ainet calibrate` (again)"
    values = {"x_px": f"{shift.x:.1f}", "y_px": f"{shift.y:.1f}", "limit_px": f"{limit:g}"}
    return _entry(status, "alignment", level, words, values)


def memory() -> dict[str, str]:
    """The process's memory in MiB, and what PyTorch holds on the GPU; empty where unknown."""
    told = {}
    statm = Path("/proc/self/statm")
    if statm.is_file():
        pages = int(statm.read_text().split()[1])
        told["memory_mib"] = f"{pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.1f}"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        told["gpu_memory_mib"] = f"{torch.cuda.memory_allocated() / 2**20:.1f}"
    return told


def _tracker(status: DiagnosticStatus, values: Mapping[str, str]) -> DiagnosticStatus:
    cameras = ("rgb_", "thermal_")
    shown = {key: value for key, value in values.items() if not key.startswith(cameras)}
    return _entry(status, "tracker", status.level, status.message, shown | memory())


def _camera(
    status: DiagnosticStatus, name: str, values: Mapping[str, str], before: Mapping[str, str]
) -> DiagnosticStatus:
    shown = {
        key.removeprefix(f"{name}_"): value
        for key, value in values.items()
        if key.startswith(f"{name}_")
    }
    fresh = int(shown["lost"]) - int(before.get(f"{name}_lost", "0"))
    level, words = OK, f"{shown['rate']} images/s"
    if float(shown["rate"]) == 0:
        level, words = ERROR, f"nothing arrives on {shown['topic']}"
    elif fresh > 0:
        level, words = WARN, f"{words}, {fresh} lost on their way within a second"
    elif name == "thermal" and int(shown.get("frozen", "0")) > 0:
        words = f"{words}, {shown['frozen']} equal in a row"
    return _entry(status, f"{name} camera", level, words, shown)


def _entry(
    status: DiagnosticStatus, task: str, level: bytes, words: str, values: Mapping[str, str]
) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=level,
        name=f"{status.name.lstrip('/')}: {task}",
        message=words,
        hardware_id=status.hardware_id,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
