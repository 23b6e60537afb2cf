"""`python bench/score.py --data LIST.csv`: does the score tell "there" from "not there"?

Each sequence's first frames, then frames of another one of its group: the target is gone, the
place another. Writes docs/score.md: scores, how well they separate, and what the tracker's state
makes of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pages import table
from tqdm import tqdm

from ainet_core.data.readers import open_sequence, read_benchmark
from ainet_core.data.sequence import FramePair, Sequence
from ainet_core.evaluation.metrics import overlap, separation
from ainet_core.tracking.target_state import StateThresholds, TargetState
from ainet_core.tracking.tracker import Tracker


@dataclass(frozen=True)
class Watched:
    """One sequence's scores: (n,) with its target, (m,) after the target went.

    Attributes:
        on: (n,) bool, whether the box overlapped the target by more than 0.5.
        off: (n,) bool, whether it overlapped by less than 0.1.
    """

    group: str
    present: NDArray[np.float64]
    absent: NDArray[np.float64]
    on: NDArray[np.bool_]
    off: NDArray[np.bool_]

    def states(self, thresholds: StateThresholds) -> tuple[float, float, float]:
        """Share of frames called lost: on the target, after it went, and after how many."""
        state = TargetState(thresholds)
        before = np.array([state.observe(score) == "lost" for score in self.present])
        after = np.array([state.observe(score) == "lost" for score in self.absent])
        wait = float(after.argmax()) if after.any() else float("nan")
        on = before[self.on].mean() if self.on.any() else float("nan")
        return float(on), float(after.mean()), wait


def main() -> None:
    options = parse()
    tracker = Tracker.from_preset("nano") if options.checkpoint is None else (
        Tracker.from_checkpoint(options.checkpoint))  # fmt: skip
    sequences = list(read_benchmark(options.data))
    watched = []
    for sequence in tqdm(sequences, unit="sequence", desc="score"):
        watched.append(watch(tracker, sequence, another(sequence, sequences), options.frames))
    if options.leaving:
        watched.append(watch_leaving(tracker, options.leaving))
    options.output.write_text(page(watched, tracker, options.frames), encoding="utf-8")
    print(f"wrote {options.output}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="sequences, a CSV")
    parser.add_argument("--leaving", type=Path, help="a sequence whose target leaves the view")
    parser.add_argument("--checkpoint", help="default: the shipped nano")
    parser.add_argument("--frames", type=int, default=60, help="with the target, then without")
    parser.add_argument("--output", type=Path, default=Path("docs/score.md"))
    return parser.parse_args()


def another(sequence: Sequence, sequences: list[Sequence]) -> Sequence:
    """The next sequence of the group that shows another place to the same cameras."""
    number = next(i for i, one in enumerate(sequences) if one is sequence)
    turned = sequences[number + 1 :] + sequences[:number]
    place = sequence.name.split("_")[0] if sequence.group == "people_rgbt" else sequence.name
    return next(
        one for one in turned
        if one.group == sequence.group and not one.name.startswith(place)
        and (one.rgb is None) == (sequence.rgb is None)
    )  # fmt: skip


def watch(tracker: Tracker, sequence: Sequence, other: Sequence, frames: int) -> Watched:
    part = sequence[:frames]
    boxes, scores = follow(tracker, part)
    absent = [tracker.update(*pair).score for pair in other[:frames].frames()]
    return judged(sequence.group, boxes, scores, part.groundtruth, np.array(absent))


def watch_leaving(tracker: Tracker, folder: Path) -> Watched:
    sequence = open_sequence(folder, allow_missing=True)
    truth = np.nan_to_num(sequence.groundtruth)
    last = int(np.flatnonzero(np.isfinite(sequence.groundtruth).all(axis=1))[-1])
    gone = np.flatnonzero((truth[: last + 1, 2:] <= 0).any(axis=1))
    boxes, scores = follow(tracker, sequence[: last + 1])
    present = np.setdiff1d(np.arange(last + 1), gone)
    return judged(
        f"{sequence.name}, leaves", boxes[present], scores[present], truth[present], scores[gone]
    )


def follow(
    tracker: Tracker, sequence: Sequence
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Boxes (n, 4) and scores (n,); frame 0, where the box is given, counts as sure."""
    pairs: Iterator[FramePair] = iter(sequence.frames())
    tracker.init(*next(pairs), sequence.groundtruth[0])
    targets = [tracker.update(*pair) for pair in pairs]
    boxes = np.stack([sequence.groundtruth[0], *(target.box for target in targets)])
    return boxes, np.array([1.0, *(target.score for target in targets)])


def judged(
    group: str, boxes: NDArray[np.float64], scores: NDArray[np.float64],
    truth: NDArray[np.float64], absent: NDArray[np.float64],
) -> Watched:  # fmt: skip
    shared = overlap(boxes, np.nan_to_num(truth))[1:]
    visible = (np.nan_to_num(truth)[1:, 2:] > 0).all(axis=1)
    return Watched(group, scores[1:], absent, visible & (shared > 0.5), visible & (shared < 0.1))


def page(watched: list[Watched], tracker: Tracker, frames: int) -> str:
    groups = list(dict.fromkeys(one.group for one in watched))
    state = tracker.settings.state
    rows = []
    for group in [*groups, "all"]:
        chosen = [one for one in watched if group in (one.group, "all")]
        on = np.concatenate([one.present[one.on] for one in chosen])
        off = np.concatenate([one.present[one.off] for one in chosen])
        absent = np.concatenate([one.absent for one in chosen])
        auc = separation(np.concatenate([on, absent]), np.arange(len(on) + len(absent)) < len(on))
        rows.append(
            [group, str(len(chosen)), spread(on), spread(off), spread(absent), f"{auc:.3f}"]
        )
    kinds = [state, StateThresholds(0.15, 5, 0.35), StateThresholds(0.25, 5, 0.4),
             StateThresholds(0.3, 5, 0.45), StateThresholds(0.4, 5, 0.5)]  # fmt: skip
    return "\n\n".join(
        [
            "# What the score says",
            "Made by `python bench/score.py`; do not edit. Each development sequence's first "
            f"{frames} frames, then {frames} frames of another of its group: the target is gone. "
            "A box is on its target when they overlap by more than 0.5, off it under 0.1.",
            "## Scores\n\n5th, 50th and 95th percentile. AUC: the chance that a frame on the "
            "target scores above one without it.\n\n"
            + table(["group", "sequences", "on the target", "off it", "target gone", "AUC"], rows),
            "## Lost or not\n\nThe first row is what the tracker uses. Called lost after a number "
            "of doubtful frames in a row, tracked again at a sure one.\n\n"
            + table(
                ["doubtful below", "in a row", "found at", "on the target, yet called lost",
                 "target gone, called lost", "frames until called lost (median)"],
                [state_row(watched, thresholds) for thresholds in dict.fromkeys(kinds)],
            ),
        ]
    ) + "\n"  # fmt: skip


def spread(scores: NDArray[np.float64]) -> str:
    if not len(scores):
        return "none"
    return " / ".join(f"{value:.2f}" for value in np.percentile(scores, (5, 50, 95)))


def state_row(watched: list[Watched], thresholds: StateThresholds) -> list[str]:
    states = np.array([one.states(thresholds) for one in watched])
    on, gone = np.nanmean(states[:, 0]), np.nanmean(states[:, 1])
    return [f"{thresholds.lost_below:.2f}", str(thresholds.lost_after),
            f"{thresholds.found_above:.2f}", f"{on:.1%}", f"{gone:.1%}",
            f"{np.nanmedian(states[:, 2]):.0f}"]  # fmt: skip


if __name__ == "__main__":
    main()
