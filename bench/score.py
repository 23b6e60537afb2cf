"""`python bench/score.py --data LIST.csv`: does the score mean what it says?

Each sequence's first frames; then its target is hidden by what lies beside it; then it is back;
then another place is shown. Those of two cameras again at night, in smoke, with faded thermal.
With `--fit` the calibration of the shipped network is fitted on all of them and written; the
figures come from calibrations that did not see the sequence (folds). Writes docs/score.md and
docs/score.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from pages import table
from tqdm import tqdm

from ainet_core.data.occlusion import hide
from ainet_core.data.readers import open_sequence, read_benchmark
from ainet_core.data.sequence import FramePair, Sequence
from ainet_core.evaluation.conditions import CONDITIONS
from ainet_core.evaluation.metrics import overlap, separation
from ainet_core.tracking.confidence import Calibration, Evidence, UsualLikeness, features
from ainet_core.tracking.target_state import StateThresholds, TargetState
from ainet_core.tracking.tracker import Tracker, TrackerSettings, shipped_weights

STRETCHES = {"with the target": 110, "hidden": 22, "back": 15}
ELSEWHERE = 12  # frames of another sequence at the end
DEGRADED = ("rgb-dark", "rgb-haze", "thermal-faded")
FOLDS = 8
NEVER_LOST = StateThresholds(lost_below=0.0)
NAMES = tuple(features(Evidence(0.5, 0.5, 0, 0, 0), UsualLikeness()))
Numbers = NDArray[np.float64]


@dataclass
class Watched:
    """What one sequence's frames showed.

    Attributes:
        condition: what was done to its images; "": nothing.
        kinds: what each frame was, a key of STRETCHES, "elsewhere" or "left".
        right: whether the box overlapped the target by more than half.
        evidence: what the tracker's probability is made of.
    """

    name: str
    group: str
    condition: str = ""
    kinds: list[str] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def row(self) -> str:
        """Where the tables count it."""
        return f"{self.group} @{self.condition}" if self.condition else self.group

    def matrix(self) -> Numbers:
        """What the calibration weighs, a row for each frame."""
        usual, rows = UsualLikeness(), []
        for one in self.evidence:
            usual.follow(one)
            rows.append(list(features(one, usual).values()))
        return np.array(rows)


def main() -> None:
    options = parse()
    tracker = Tracker.from_preset("nano", "cpu", TrackerSettings(state=NEVER_LOST))
    sequences = list(read_benchmark(options.data))[:: options.every]
    watched = []
    for sequence in tqdm(sequences, unit="sequence", desc="score"):
        two = sequence.rgb is not None and sequence.thermal is not None
        for condition in ("", *(DEGRADED if two else ())):
            watched.append(watch(tracker, sequence, another(sequence, sequences), condition))
    if options.leaving:
        watched.append(watch_leaving(tracker, options.leaving))
    matrix = np.concatenate([one.matrix() for one in watched])
    right = np.concatenate([one.right for one in watched])
    fitted = calibration(fit(matrix, right))
    path = shipped_weights("nano")
    if options.fit and path is not None:
        names = {one.name for one in watched}
        runs = f"{len(watched)} runs over {len(names)} sequences, {len(right)} frames"
        notes = {"fitted_on": f"{runs}: docs/score.md"}
        fitted.save(path.with_name("nano.confidence.json"), notes)
    shipped = fitted if options.fit else tracker.calibration or fitted
    held_out = cross_validated(watched)
    plot(held_out, right, options.output.with_suffix(".png"))
    options.output.write_text(page(watched, held_out, shipped), encoding="utf-8")
    print(f"wrote {options.output}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="sequences, a CSV")
    parser.add_argument("--leaving", type=Path, help="a sequence whose target leaves the view")
    parser.add_argument("--every", type=int, default=1, help="take every n-th sequence")
    parser.add_argument("--fit", action="store_true", help="write the network's calibration")
    parser.add_argument("--output", type=Path, default=Path("docs/score.md"))
    return parser.parse_args()


def another(sequence: Sequence, sequences: list[Sequence]) -> Sequence:
    """The next sequence of the group that shows another place to the same cameras."""
    number = next(i for i, one in enumerate(sequences) if one is sequence)
    turned = sequences[number + 1 :] + sequences[:number]
    place = sequence.name.split("_")[0] if sequence.group == "people_rgbt" else sequence.name
    fitting = [one for one in turned if (one.rgb is None) == (sequence.rgb is None)
               and not one.name.startswith(place)]  # fmt: skip
    return next((one for one in fitting if one.group == sequence.group), fitting[0])


def watch(tracker: Tracker, sequence: Sequence, other: Sequence, condition: str) -> Watched:
    watched = Watched(sequence.name, sequence.group, condition)
    pairs, others = (
        CONDITIONS[condition].frames(one) if condition else one.frames()
        for one in (sequence, other)
    )
    tracker.init(*next(pairs), sequence.groundtruth[0])
    kinds = [kind for kind, count in STRETCHES.items() for _ in range(count)]
    last = np.asarray(sequence.groundtruth[0], np.float64)
    for number, (pair, kind) in enumerate(zip(pairs, kinds, strict=False), start=1):
        truth = sequence.groundtruth[number]
        is_known = bool(sequence.visible[number])
        last = truth if is_known else last
        if kind == "hidden":
            see(watched, tracker, hide(pair, last), kind, None)
        elif is_known:
            see(watched, tracker, pair, kind, truth)
        else:
            tracker.update(*pair)
    for pair in islice(others, ELSEWHERE):
        see(watched, tracker, pair, "elsewhere", None)
    return watched


def watch_leaving(tracker: Tracker, folder: Path) -> Watched:
    sequence = open_sequence(folder, allow_missing=True)
    watched = Watched(sequence.name, "people_rgbt")
    pairs: Iterator[FramePair] = sequence.frames()
    tracker.init(*next(pairs), sequence.groundtruth[0])
    for truth, pair in zip(sequence.groundtruth[1:], pairs, strict=False):
        if np.isfinite(truth).all():
            gone = (truth[2:] <= 0).any()
            see(watched, tracker, pair, "left" if gone else "with the target",
                None if gone else truth)  # fmt: skip
    return watched


def see(
    watched: Watched, tracker: Tracker, pair: FramePair, kind: str, truth: Numbers | None
) -> None:
    box = tracker.update(*pair).box
    assert tracker.evidence is not None
    watched.kinds.append(kind)
    watched.evidence.append(tracker.evidence)
    watched.right.append(truth is not None and bool(overlap(box[None], truth[None])[0] > 0.5))


def fit(matrix: Numbers, right: NDArray[np.bool_], ridge: float = 1.0) -> Numbers:
    """Logistic regression by Newton's method: weights, the last the bias."""
    mean, spread = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    scaled = np.hstack([(matrix - mean) / spread, np.ones((len(matrix), 1))])
    penalty = np.diag([ridge] * matrix.shape[1] + [0.0])
    weights = np.zeros(scaled.shape[1])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-scaled @ weights))
        curve = (scaled * (chance * (1 - chance))[:, None]).T @ scaled + penalty
        weights -= np.linalg.solve(curve, scaled.T @ (chance - right) + penalty @ weights)
    return np.append(weights[:-1] / spread, weights[-1] - (weights[:-1] * mean / spread).sum())


def calibration(weights: Numbers) -> Calibration:
    return Calibration(float(weights[-1]), **dict(zip(NAMES, weights[:-1].tolist(), strict=True)))


def chances(calibrated: Calibration, matrix: Numbers) -> Numbers:
    weights = np.array([getattr(calibrated, name) for name in NAMES])
    return np.asarray(1 / (1 + np.exp(-(matrix @ weights + calibrated.bias))))


def cross_validated(watched: list[Watched]) -> Numbers:
    """Every frame's chance by a calibration that saw nothing of its sequence."""
    names = list(dict.fromkeys(one.name for one in watched))  # a name's conditions stay together
    order = np.random.default_rng(0).permutation(len(names)) % FOLDS
    fold = [order[names.index(one.name)] for one in watched]
    matrices = [one.matrix() for one in watched]
    predicted = [np.zeros(len(one.right)) for one in watched]
    for number in range(FOLDS):
        seen = [i for i in range(len(watched)) if fold[i] != number]
        right = np.concatenate([watched[i].right for i in seen])
        fitted = calibration(fit(np.concatenate([matrices[i] for i in seen]), right))
        for i in np.flatnonzero(np.array(fold) == number):
            predicted[i] = chances(fitted, matrices[i])
    return np.concatenate(predicted)


def bins(predicted: Numbers, right: NDArray[np.bool_]) -> list[tuple[int, float, float]]:
    """For each tenth of the scale: frames, mean prediction, share that was right."""
    place = np.minimum((predicted * 10).astype(int), 9)
    return [
        (int(inside.sum()), float(predicted[inside].mean()), float(right[inside].mean()))
        for inside in (place == number for number in range(10)) if inside.any()
    ]  # fmt: skip


def calibration_error(predicted: Numbers, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins."""
    return sum(n * abs(said - was) for n, said, was in bins(predicted, right)) / len(right)


def plot(predicted: Numbers, right: NDArray[np.bool_], path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.5, 4.5), layout="constrained")
    count, said, was = (np.array(column) for column in zip(*bins(predicted, right), strict=True))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.scatter(said, was, s=20 + 400 * count / count.sum(), alpha=0.6)
    axes.plot(said, was)
    axes.set(xlabel="score", ylabel="boxes that overlap by more than half", xlim=(0, 1),
             ylim=(0, 1), title="What the score says and what was so")  # fmt: skip
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def page(watched: list[Watched], predicted: Numbers, shipped: Calibration) -> str:
    right = np.concatenate([one.right for one in watched])
    alone = np.concatenate([[e.score for e in one.evidence] for one in watched])
    degraded = np.concatenate([[bool(one.condition)] * len(one.right) for one in watched])
    said = chances(shipped, np.concatenate([one.matrix() for one in watched]))
    return "\n\n".join(
        [
            "# What the score says",
            "Made by `python bench/score.py`; do not edit. The score is the chance that box and "
            "target overlap by more than half: a logistic regression on the network's score, the "
            "next best place, how alike target and template are, and how much the size changed "
            "(`ainet_core/tracking/confidence.py`). "
            f"{len({one.name for one in watched})} sequences, none trained on; of two cameras "
            "also at night (@rgb-dark), in smoke (@rgb-haze) and with faded thermal: "
            f"{STRETCHES['with the target']} frames, "
            f"then {STRETCHES['hidden']} with the target hidden by what lies beside it, "
            f"{STRETCHES['back']} with it, {ELSEWHERE} of another place. Figures are of "
            f"calibrations that saw nothing of the sequence ({FOLDS} folds) unless it says so.",
            f"Expected calibration error {calibration_error(predicted, right):.3f}, of the "
            f"shipped calibration {calibration_error(said, right):.3f} (it was fitted on all of "
            "these); of the network's own score "
            f"{calibration_error(alone, right):.3f}. On degraded images alone "
            f"{calibration_error(predicted[degraded], right[degraded]):.3f}.",
            "![reliability](score.png)",
            "## Right from wrong\n\nAUC: the chance that a frame with a right box scores above "
            "one of the column. 5th, 50th and 95th percentile of the score.\n\n"
            + auc_table(watched, predicted, alone),
            "## Lost or not\n\nShare of frames called lost; the first row is what the tracker "
            "uses. Called lost after a number of doubtful frames in a row.\n\n"
            + thresholds_table(watched, predicted),
        ]
    ) + "\n"  # fmt: skip


def auc_table(watched: list[Watched], predicted: Numbers, alone: Numbers) -> str:
    right = np.concatenate([one.right for one in watched])
    kinds = np.concatenate([one.kinds for one in watched])
    groups = np.concatenate([[one.row] * len(one.right) for one in watched])
    wrongs = {"any wrong": ~right, "hidden": kinds == "hidden", "left": kinds == "left",
              "elsewhere": kinds == "elsewhere"}  # fmt: skip
    rows = []
    for group in [*dict.fromkeys(groups), "all"]:
        inside = (groups == group) | (group == "all")
        row = [group, spread(predicted[inside & right]), spread(predicted[inside & ~right])]
        for wrong in wrongs.values():
            chosen = inside & (right | wrong)
            enough = (inside & wrong).any()
            pair = [separation(s[chosen], right[chosen]) if enough else float("nan")
                    for s in (predicted, alone)]  # fmt: skip
            row.append(f"{pair[0]:.3f} ({pair[1]:.3f})" if enough else "")
        rows.append(row)
    header = ["group", "right", "wrong", *(f"AUC, {name} (score alone)" for name in wrongs)]
    return table(header, rows)


def thresholds_table(watched: list[Watched], predicted: Numbers) -> str:
    parts = np.split(predicted, np.cumsum([len(one.right) for one in watched])[:-1])
    rows = []
    for below, after in [(StateThresholds().lost_below, StateThresholds().lost_after),
                         (0.2, 5), (0.3, 5), (0.4, 5), (0.2, 3), (0.2, 8)]:  # fmt: skip
        lost, waits = [], []
        for one, scores in zip(watched, parts, strict=True):
            state = TargetState(StateThresholds(below, after, max(below, 0.6), 1))
            lost.append(np.array([state.observe(score) == "lost" for score in scores]))
            away = np.flatnonzero(np.isin(one.kinds, ("hidden", "left")))
            told = np.flatnonzero(lost[-1][away])
            waits.append(float(told[0]) if len(told) else np.nan)
        called, kinds = np.concatenate(lost), np.concatenate([one.kinds for one in watched])
        right = np.concatenate([one.right for one in watched])
        # A frame is told lost `after` frames late at best: the rest of the stretch counts.
        shares = (called[right], called[kinds == "hidden"], called[kinds == "elsewhere"])
        wait, told = f"{np.nanmedian(waits):.0f}", f"{np.isfinite(waits).mean():.0%}"
        rows.append([f"{below:.2f}", str(after), *(f"{s.mean():.1%}" for s in shares), wait, told])
    header = ["doubtful below", "in a row", "right boxes", "hidden", "elsewhere",
              "frames until called (median)", "sequences called lost while hidden"]  # fmt: skip
    return table(header, rows)


def spread(scores: Numbers) -> str:
    if not len(scores):
        return "none"
    return " / ".join(f"{value:.2f}" for value in np.percentile(scores, (5, 50, 95)))


if __name__ == "__main__":
    main()
