"""Score result boxes against the truth: figures for each sequence, and means over them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.groundtruth import GroundTruth
from ainet_core.evaluation.metrics import (
    NORMALIZED,
    OVERLAPS,
    Boxes,
    Values,
    failures,
    overlap,
    separation,
    share_above,
    share_within,
)
from ainet_core.evaluation.protocol import Protocol


@dataclass(frozen=True)
class TrackResult:
    """What a tracker said about one sequence.

    Attributes:
        boxes: (n, 4) x, y, w, h in pixels; the first is the given one.
        scores: (n,) how sure the tracker was, None where unknown.
        seconds: (n,) spent on each frame, 0 for the first; None where unknown.
    """

    boxes: Boxes = field(repr=False)
    scores: Values | None = field(default=None, repr=False)
    seconds: Values | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SequenceFigures:
    """One sequence, scored. Rates are 0 .. 1.

    Attributes:
        frames: that were scored.
        precision, normalized_precision, success: PR, NPR, SR (MPR, MSR with two truths).
        precision_curve: (51,) over the protocol's `pixel_thresholds`.
        normalized_curve: (51,) over `NORMALIZED`.
        success_curve: (21,) over `OVERLAPS`.
        failures: how often the target was lost, see `metrics.failures`.
        frames_to_failure: frames until it was first lost; all of them if it never was.
        overlaps: (frames,) that the means are made of.
        scores, on_target: (m,) of the frames in which it is clear whether the box is on the target
            (overlap >= 0.5) or not (overlap < 0.1, or the target is absent); without the first.
        milliseconds: (k,) spent on each frame, empty where unknown.
    """

    name: str
    group: str
    attributes: tuple[str, ...]
    frames: int
    precision: float
    normalized_precision: float
    success: float
    precision_curve: Values = field(repr=False)
    normalized_curve: Values = field(repr=False)
    success_curve: Values = field(repr=False)
    failures: int
    frames_to_failure: int
    overlaps: Values = field(repr=False)
    scores: Values = field(repr=False)
    on_target: NDArray[np.bool_] = field(repr=False)
    milliseconds: Values = field(repr=False)


@dataclass(frozen=True)
class Figures:
    """Means over sequences. Rates are 0 .. 1; nan where nothing is known.

    Attributes:
        separation: AUC of the score, "on the target" against "not", over all frames.
        frames_to_failure: mean number of frames until the target was first lost.
        failures: times the target was lost, in 1000 frames.
        latency: milliseconds a frame: median, 95th and 99th percentile.
    """

    sequences: int
    frames: int
    precision: float
    normalized_precision: float
    success: float
    failures: float
    frames_to_failure: float
    separation: float
    latency: tuple[float, float, float]

    def percent(self) -> dict[str, float | int]:
        """PR, NPR and SR in percent, as papers print them, and the number of sequences."""
        return {
            "PR": round(100 * self.precision, 4),
            "NPR": round(100 * self.normalized_precision, 4),
            "SR": round(100 * self.success, 4),
            "sequences": self.sequences,
        }


@dataclass(frozen=True)
class Evaluation:
    """One tracker on one data set.

    Attributes:
        tracker: as tables call it.
        run: how the results were made (command, versions, machine), empty if nobody knows.
    """

    tracker: str
    protocol: Protocol
    sequences: tuple[SequenceFigures, ...] = field(repr=False)
    run: dict[str, Any] = field(default_factory=dict, repr=False)

    def mean(self) -> Figures:
        """Over all sequences."""
        return mean_figures(self.sequences, self.protocol)

    def groups(self) -> dict[str, Figures]:
        """Over the sequences of each group, in order of first appearance."""
        names = dict.fromkeys(s.group for s in self.sequences if s.group)
        return {
            name: mean_figures([s for s in self.sequences if s.group == name], self.protocol)
            for name in names
        }

    def attributes(self) -> dict[str, Figures]:
        """Over the sequences that have each attribute; a sequence may have several."""
        names = dict.fromkeys(name for s in self.sequences for name in s.attributes)
        return {
            name: mean_figures([s for s in self.sequences if name in s.attributes], self.protocol)
            for name in names
        }

    def mean_over_groups(self) -> tuple[float, float, float]:
        """Precision, normalised precision and success, every group with the same weight."""
        parts = list(self.groups().values()) or [self.mean()]
        return (
            float(np.mean([part.precision for part in parts])),
            float(np.mean([part.normalized_precision for part in parts])),
            float(np.mean([part.success for part in parts])),
        )


def score_sequence(result: TrackResult, truth: GroundTruth, protocol: Protocol) -> SequenceFigures:
    """Score one sequence.

    Raises:
        ValueError: boxes and truth have different lengths, or no frame has a true box.
    """
    errors, normalized, overlaps = protocol.measure(result.boxes, truth)
    if not len(errors):
        raise ValueError(f"{truth.name}: no frame has a true box to compare with")
    precision_curve = share_within(errors, protocol.pixel_thresholds, protocol.strict)
    normalized_curve = share_within(normalized, NORMALIZED)
    success_curve = share_above(overlaps, OVERLAPS)
    visible = truth.visible
    seen = overlap(np.asarray(result.boxes, np.float64)[visible], truth.boxes[visible])
    lost = failures(seen)
    scores, on_target = _judged(result, truth)
    return SequenceFigures(
        name=truth.name,
        group=truth.group,
        attributes=truth.attributes,
        frames=len(errors),
        precision=float(precision_curve[_index(protocol.pixel_thresholds, protocol.pixels)]),
        normalized_precision=float(normalized_curve[_index(NORMALIZED, 0.2)]),
        success=_area(success_curve) if protocol.by_frames else float(success_curve.mean()),
        precision_curve=precision_curve,
        normalized_curve=normalized_curve,
        success_curve=success_curve,
        failures=len(lost),
        frames_to_failure=int(lost[0]) if len(lost) else int(visible.sum()),
        overlaps=overlaps,
        scores=scores,
        on_target=on_target,
        milliseconds=np.empty(0) if result.seconds is None else 1e3 * result.seconds[1:],
    )


def mean_figures(sequences: Items[SequenceFigures], protocol: Protocol) -> Figures:
    """Means over sequences, weighted as the protocol says.

    Raises:
        ValueError: no sequences.
    """
    if not sequences:
        raise ValueError("no sequences to take a mean of")
    weights = [s.frames if protocol.by_frames else 1 for s in sequences]
    frames = sum(s.frames for s in sequences)
    scores = np.concatenate([s.scores for s in sequences])
    times = np.concatenate([s.milliseconds for s in sequences])
    latency = np.percentile(times, (50, 95, 99)) if len(times) else np.full(3, np.nan)
    return Figures(
        sequences=len(sequences),
        frames=frames,
        precision=float(np.average([s.precision for s in sequences], weights=weights)),
        normalized_precision=float(
            np.average([s.normalized_precision for s in sequences], weights=weights)
        ),
        success=float(np.average([s.success for s in sequences], weights=weights)),
        failures=1000 * sum(s.failures for s in sequences) / frames,
        frames_to_failure=float(np.mean([s.frames_to_failure for s in sequences])),
        separation=separation(scores, np.concatenate([s.on_target for s in sequences])),
        latency=(float(latency[0]), float(latency[1]), float(latency[2])),
    )


def mean_curve(
    curves: Iterable[Values], sequences: Items[SequenceFigures], protocol: Protocol
) -> Values:
    """Mean of one curve of each sequence, weighted as the protocol says."""
    weights = [s.frames if protocol.by_frames else 1 for s in sequences]
    return np.average(np.stack(list(curves)), axis=0, weights=weights)


def _judged(result: TrackResult, truth: GroundTruth) -> tuple[Values, NDArray[np.bool_]]:
    """Scores of the frames in which the box is clearly on or off the target; bool for which."""
    if result.scores is None:
        return np.empty(0), np.empty(0, bool)
    annotated = np.isfinite(truth.boxes).all(axis=1)
    seen = overlap(np.asarray(result.boxes, np.float64), np.nan_to_num(truth.boxes))
    on_target = truth.visible & (seen >= 0.5)
    clear = annotated & (on_target | (seen < 0.1))
    clear[0] = False  # the first box is given
    return result.scores[clear], on_target[clear]


def _index(thresholds: Values, value: float) -> int:
    return int(np.argmin(np.abs(thresholds - value)))


def _area(curve: Values) -> float:
    """Under a curve over thresholds 0 .. 1 (trapezoids)."""
    return float((curve[:-1] + curve[1:]).mean() / 2)
