"""~/status: everything an operator asks first, as one diagnostic_msgs/DiagnosticStatus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from ainet_ros.answers import Progress
from ainet_ros.camera import Camera
from ainet_ros.mailbox import Mailbox
from ainet_ros.pairing import Pairing
from ainet_ros.parameters import Settings

SILENCE_S = 3.0  # as long without a pair is worth a warning

_LEVELS = {"error": DiagnosticStatus.ERROR, "lost": DiagnosticStatus.WARN}


def status_message(
    name: str,
    lifecycle: str,
    facts: Mapping[str, Any],
    active: tuple[Mailbox, Pairing, Progress] | None = None,
    trouble: str = "",
) -> DiagnosticStatus:
    """The node's state in one message.

    Args:
        name: the node's full name.
        lifecycle: the lifecycle state's label.
        facts: what configure found: device, backend, preset.
        active: what is there to be counted while the node is active.
        trouble: why the newest transition or target was refused, when the worker has none.
    """
    trouble = trouble or (active[2].trouble if active else "")
    message = DiagnosticStatus(name=name, hardware_id=str(facts.get("device", "")))
    values: dict[str, Any] = {"lifecycle": lifecycle, **facts, "trouble": trouble}
    state = lifecycle
    if active is not None:
        mailbox, pairing, progress = active
        state = progress.state
        if mailbox.target_waits:
            state = "target set, waiting for the first pair"
        elif not mailbox.enabled:
            state = f"paused, {state}"
        values |= _counts(mailbox, pairing, progress)
    values["state"] = state
    message.level = _LEVELS.get(state, DiagnosticStatus.OK)
    if trouble and message.level == DiagnosticStatus.OK:
        message.level = DiagnosticStatus.WARN
    message.message = f"{state}: {trouble}" if trouble else state
    message.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return message


def values_of(message: DiagnosticStatus) -> dict[str, str]:
    """The way back: the message's values by key."""
    return {entry.key: entry.value for entry in message.values}


def silence_sentence(pairing: Pairing, settings: Settings) -> str:
    """Why no pair comes: both topics, their rates, the offset, and what to change."""
    cameras = pairing.cameras
    heard = " and ".join(f"{camera.topic} at {camera.rate:.1f} images/s" for camera in cameras)
    silent = [camera.topic for camera in cameras if camera.rate == 0]
    if silent:
        names = " and ".join(silent)
        advice = f"nothing arrives on {names}: is the name right, does the camera run?"
    elif not all(camera.believed for camera in cameras):
        advice = "images without a stamp cannot be paired: the driver must set header.stamp"
    else:
        offset = pairing.newest_offset() or 0.0
        allowed, what = _allowed(settings)
        advice = (
            f"the newest stamps differ by {offset:+.3f} s, {allowed}: "
            f"synchronise the cameras' clocks or {what}"
        )
    return f"no image pair for {SILENCE_S:.0f} s: {heard}; {advice}"


def _allowed(settings: Settings) -> tuple[str, str]:
    if settings.pairing == "exact":
        return "pairing exact allows none", "set the parameter pairing to approximate"
    name = "slop" if settings.pairing == "approximate" else "max_offset"
    return f"{name} allows {getattr(settings, name):.3f} s", f"raise the parameter {name}"


def _counts(mailbox: Mailbox, pairing: Pairing, progress: Progress) -> dict[str, Any]:
    values: dict[str, Any] = {
        "score": f"{progress.score:.3f}",
        "id": progress.target_id,
        "order": ",".join(map(str, progress.order)),
        "cameras": progress.cameras,
        "pixels": progress.pixels,
        "enabled": str(mailbox.enabled).lower(),
        "pairs_received": mailbox.pairs,
        "pairs_processed": progress.processed,
        "pairs_skipped": mailbox.skipped,
        "pairs_failed": progress.failed,
        "frames_per_s": f"{_rate(progress):.1f}",
        "latency_ms": _milliseconds(progress.latency, 50),
        "latency_95_ms": _milliseconds(progress.latency, 95),
        "inference_ms": _milliseconds(progress.inference, 50),
        "offset_ms": f"{pairing.offset * 1e3:.1f}",
        "thermal_frozen": progress.frozen,
    }
    for camera in pairing.cameras:
        values |= {f"{camera.name}_{key}": value for key, value in _camera(camera).items()}
    return values


def _camera(camera: Camera) -> dict[str, Any]:
    return {
        "topic": camera.topic,
        "publishers": camera.publishers,
        "received": camera.received,
        "waiting": len(camera.waiting),
        "unpaired": camera.unpaired,
        "lost": camera.lost,
        "rate": f"{camera.rate:.1f}",
    }


def _rate(progress: Progress) -> float:
    times = list(progress.finished)
    return (len(times) - 1) / max(times[-1] - times[0], 1e-6) if len(times) > 1 else 0.0


def _milliseconds(durations: Any, percentile: float) -> str:
    seconds = list(durations)
    return f"{np.percentile(seconds, percentile) * 1e3:.1f}" if seconds else ""
