"""~/status: everything an operator asks first, as one diagnostic_msgs/DiagnosticStatus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from ainet_ros.mailbox import Mailbox
from ainet_ros.pairing import Pairing, Side
from ainet_ros.worker import Progress

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


def silence_sentence(pairing: Pairing, slop: float) -> str:
    """Why no pair comes: both topics, their rates, the offset, and what to change."""
    sides = pairing.rgb, pairing.thermal
    heard = " and ".join(f"{side.topic} at {side.rate:.1f} images/s" for side in sides)
    silent = [side.topic for side in sides if side.rate == 0]
    if silent:
        names = " and ".join(silent)
        advice = f"nothing arrives on {names}: is the name right, does the camera run?"
    else:
        offset = pairing.newest_offset() or 0.0
        advice = (
            f"the newest stamps differ by {offset:+.3f} s, slop allows {slop:.3f} s: "
            "synchronise the cameras' clocks or raise the parameter slop"
        )
    return f"no image pair for {SILENCE_S:.0f} s: {heard}; {advice}"


def _counts(mailbox: Mailbox, pairing: Pairing, progress: Progress) -> dict[str, Any]:
    values: dict[str, Any] = {
        "score": f"{progress.score:.3f}",
        "id": progress.target_id,
        "order": ",".join(map(str, progress.order)),
        "pairs_received": mailbox.pairs,
        "pairs_processed": progress.processed,
        "pairs_skipped": mailbox.skipped,
        "pairs_failed": progress.failed,
        "frames_per_s": f"{_rate(progress):.1f}",
        "latency_ms": _milliseconds(progress.latency, 50),
        "latency_95_ms": _milliseconds(progress.latency, 95),
        "inference_ms": _milliseconds(progress.inference, 50),
        "offset_ms": f"{pairing.offset * 1e3:.1f}",
    }
    for camera, side in (("rgb", pairing.rgb), ("thermal", pairing.thermal)):
        values |= {f"{camera}_{key}": value for key, value in _side(side).items()}
    return values


def _side(side: Side) -> dict[str, Any]:
    return {
        "topic": side.topic,
        "publishers": side.publishers,
        "received": side.received,
        "unpaired": side.unpaired,
        "lost": side.lost,
        "rate": f"{side.rate:.1f}",
    }


def _rate(progress: Progress) -> float:
    times = list(progress.finished)
    return (len(times) - 1) / max(times[-1] - times[0], 1e-6) if len(times) > 1 else 0.0


def _milliseconds(durations: Any, percentile: float) -> str:
    seconds = list(durations)
    return f"{np.percentile(seconds, percentile) * 1e3:.1f}" if seconds else ""
