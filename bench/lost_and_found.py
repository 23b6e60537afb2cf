"""`python bench/lost_and_found.py --data LIST.csv`: is a lost target told, and found again?

Targets of real sequences are hidden by what lies beside them for 0.5 to 10 s, a pedestrian leaves
the view, another place is shown, and the generated world's target is hidden: with the tracker's
states and its search, and with those of before (the network's score alone, one frame to find it
again, no sweep). Writes docs/lost_and_found.md and a timeline for every scene.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from pages import table
from tqdm import tqdm

from ainet_core.data.occlusion import hide
from ainet_core.data.readers import open_sequence, read_benchmark
from ainet_core.data.sequence import FramePair, Sequence
from ainet_core.data.synthetic.world import SyntheticWorld
from ainet_core.evaluation.metrics import OVERLAPS, overlap, share_above
from ainet_core.tracking.search import SearchPlan
from ainet_core.tracking.target_state import StateThresholds
from ainet_core.tracking.tracker import Tracker, TrackerSettings

BEFORE, AFTER = 30, 45  # frames with the target before it is hidden and after
SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
RATE = 30
COLOURS = {"tracking": "#4c9f70", "uncertain": "#e6c229", "lost": "#c8553d",
           "recovered": "#3f88c5"}  # fmt: skip
WAS = TrackerSettings(
    state=StateThresholds(0.33, 5, 0.45, found_after=1, uncertain_after=5),
    search=SearchPlan(sweep=False),
)


@dataclass
class Scene:
    """Frames with what is true in them.

    Attributes:
        kind: a row of the table.
        frames: the pairs, each with the box (4,), or None while the target cannot be seen.
    """

    kind: str
    name: str
    start: NDArray[np.float64]
    frames: Iterator[tuple[FramePair, NDArray[np.float64] | None]]


@dataclass
class Timeline:
    """What a tracker said, frame by frame.

    Attributes:
        there: the target can be seen.
        overlap: of box and target, 0 where it cannot be seen.
        milliseconds: of each update.
    """

    kind: str
    name: str
    there: list[bool] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    overlap: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def lost(self) -> NDArray[np.bool_]:
        return np.array([state == "lost" for state in self.states])

    def found_after(self) -> float:
        """Frames from its return until the box is on it and told; nan: never, or never away."""
        there = np.array(self.there)
        away = np.flatnonzero(~there)
        if not len(away) or away[-1] + 1 >= len(there):
            return np.nan
        back = away[-1] + 1
        good = ~self.lost[back:] & (np.array(self.overlap[back:]) > 0.3)
        return float(good.argmax()) if good.any() else np.inf

    def false_recoveries(self) -> int:
        """How often it ceased to be lost on something else."""
        lost = self.lost
        found = np.flatnonzero(lost[:-1] & ~lost[1:]) + 1
        return int(sum(self.overlap[frame] < 0.1 for frame in found))


def main() -> None:
    options = parse()
    trackers = {"with": Tracker.from_preset("nano", "cpu"),
                "before": Tracker.from_preset("nano", "cpu", WAS)}  # fmt: skip
    trackers["before"].calibration = None
    told: dict[str, list[Timeline]] = {name: [] for name in trackers}
    for name, tracker in trackers.items():
        for scene in tqdm(list(scenes(options)), unit="scene", desc=name):
            told[name].append(watch(tracker, scene))
    made = f"--every {options.every} --worlds {options.worlds}"
    options.output.write_text(page(told, made), encoding="utf-8")
    plot(told, options.output.with_suffix(".png"))
    print(f"wrote {options.output}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="sequences, a CSV")
    parser.add_argument("--leaving", type=Path, help="a sequence whose target leaves the view")
    parser.add_argument("--every", type=int, default=7, help="of the CSV's sequences (default: 7)")
    parser.add_argument("--worlds", type=int, default=3, help="generated ones (default: 3)")
    parser.add_argument("--output", type=Path, default=Path("docs/lost_and_found.md"))
    return parser.parse_args()


def scenes(options: argparse.Namespace) -> Iterator[Scene]:
    sequences = list(read_benchmark(options.data))
    people = [one for one in sequences if one.group == "people_rgbt"]
    chosen = people + [one for one in sequences if one not in people][:: options.every]
    for sequence, seconds in itertools.product(chosen, SECONDS):
        if BEFORE + seconds * RATE + AFTER // 2 <= len(sequence):
            yield hidden(sequence, seconds, f"hidden for {seconds:g} s")
    for first, second in itertools.pairwise(chosen):
        if (first.rgb is None) == (second.rgb is None):
            yield elsewhere(first, second)
    if options.leaving:
        yield leaving(options.leaving)
    for seed in range(options.worlds):
        sequence = SyntheticWorld(seed).sequence()
        yield hidden(sequence, 2.0, "generated, hidden for 2 s")


def hidden(sequence: Sequence, seconds: float, kind: str) -> Scene:
    def frames() -> Iterator[tuple[FramePair, NDArray[np.float64] | None]]:
        stop = BEFORE + round(seconds * RATE)
        last = np.asarray(sequence.groundtruth[0], np.float64)
        for number, pair in enumerate(sequence[: stop + AFTER].frames()):
            last = sequence.groundtruth[number] if sequence.visible[number] else last
            covered = BEFORE <= number < stop
            yield (hide(pair, last), None) if covered else (pair, last)

    return Scene(kind, sequence.name, sequence.groundtruth[0], frames())


def elsewhere(sequence: Sequence, other: Sequence) -> Scene:
    def frames() -> Iterator[tuple[FramePair, NDArray[np.float64] | None]]:
        part = sequence[:BEFORE]
        yield from zip(part.frames(), part.groundtruth, strict=True)
        for pair in other[:90].frames():
            yield pair, None

    return Scene("another place, 3 s", sequence.name, sequence.groundtruth[0], frames())


def leaving(folder: Path) -> Scene:
    sequence = open_sequence(folder, allow_missing=True)

    def frames() -> Iterator[tuple[FramePair, NDArray[np.float64] | None]]:
        for truth, pair in zip(sequence.groundtruth, sequence.frames(), strict=True):
            if np.isfinite(truth).all():
                yield pair, truth if truth[2:].min() > 0 else None

    return Scene("leaves the view", sequence.name, sequence.groundtruth[0], frames())


def watch(tracker: Tracker, scene: Scene) -> Timeline:
    told = Timeline(scene.kind, scene.name)
    for number, (pair, truth) in enumerate(scene.frames):
        if number == 0:
            tracker.init(*pair, scene.start)
            continue
        began = time.perf_counter()
        target = tracker.update(*pair)
        told.milliseconds.append((time.perf_counter() - began) * 1e3)
        told.there.append(truth is not None)
        told.states.append(target.state)
        shared = 0.0 if truth is None else float(overlap(target.box[None], truth[None])[0])
        told.overlap.append(shared)
    return told


def page(told: dict[str, list[Timeline]], made: str) -> str:
    kinds = list(dict.fromkeys(one.kind for one in told["with"]))
    rows = [row(kind, name, told[name]) for kind in [*kinds, "all"] for name in told]
    now = told["with"]
    lost = np.concatenate([np.array(one.milliseconds)[one.lost] for one in now])
    held = np.concatenate([np.array(one.milliseconds)[~one.lost] for one in now])
    budget = (f"An update takes {np.median(held):.1f} ms (median, 95 %: "
              f"{np.percentile(held, 95):.1f}) while the target is held and {np.median(lost):.1f} "
              f"(95 %: {np.percentile(lost, 95):.1f}, "
              f"{np.percentile(lost, 95) / np.percentile(held, 95):.2f} times) while it is lost: "
              "a frame has one look at one region, whether near or far.")  # fmt: skip
    return "\n\n".join(
        [
            "# Lost and found",
            f"Made by `python bench/lost_and_found.py {made}`; do not edit. Targets of real "
            f"sequences hidden by what lies beside them from frame {BEFORE} on, while they move "
            f"on behind it; then {AFTER} frames with them. \"before\": the network's own score, "
            "one frame to find it again, no sweep of the image.",
            table(["scene", "tracker", "scenes", "precision of lost", "recall of lost",
                   "found again", "after frames (median)", "false recoveries",
                   "SR while it is there"], rows),
            "Precision and recall are of frames: of those told lost, how many are without the "
            "target; of those without, how many are told. Found again: told, with an overlap "
            "above 0.3. A false recovery is a lost target found on something else.",
            budget,
            "![timelines](lost_and_found.png)",
            "Above in each pair: the tracker; below: before. Grey bars: the target is hidden or "
            "gone. The line: overlap.",
        ]
    ) + "\n"  # fmt: skip


def row(kind: str, name: str, told: list[Timeline]) -> list[str]:
    chosen = [one for one in told if kind in (one.kind, "all")]
    lost = np.concatenate([one.lost for one in chosen])
    there = np.concatenate([one.there for one in chosen])
    shared = np.concatenate([one.overlap for one in chosen])
    precision = f"{(~there[lost]).mean():.2f}" if lost.any() else "none told"
    recall = f"{lost[~there].mean():.2f}" if (~there).any() else ""
    back = np.array([one.found_after() for one in chosen])
    back = back[~np.isnan(back)]
    again = f"{np.isfinite(back).sum()} of {len(back)}" if len(back) else ""
    wait = f"{np.median(back[np.isfinite(back)]):.0f}" if np.isfinite(back).any() else ""
    false = str(sum(one.false_recoveries() for one in chosen))
    success = share_above(shared[there], OVERLAPS).mean()
    return [kind, name, str(len(chosen)), precision, recall, again, wait, false, f"{success:.3f}"]


def plot(told: dict[str, list[Timeline]], path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    pairs = list(zip(told["with"], told["before"], strict=True))
    columns = 3
    rows = -(-len(pairs) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(15, 0.75 * rows), layout="constrained")
    for axis, pair in itertools.zip_longest(axes.flat, pairs):
        axis.axis("off")
        if pair is None:
            continue
        title = dict.fromkeys((pair[0].name, *pair[0].kind.split(", ")))
        axis.set_title(", ".join(title), fontsize=7, pad=2)
        for place, one in enumerate(pair):
            bottom = 1 - place
            for number, (state, there) in enumerate(zip(one.states, one.there, strict=True)):
                axis.axvspan(number, number + 1, bottom / 2 + 0.02, bottom / 2 + 0.4, lw=0,
                             color=COLOURS[state])  # fmt: skip
                if not there:
                    axis.axvspan(number, number + 1, bottom / 2 + 0.42, bottom / 2 + 0.48, lw=0,
                                 color="grey")  # fmt: skip
            axis.plot(np.arange(len(one.states)) + 0.5, bottom / 2 + 0.4 * np.array(one.overlap),
                      color="black", linewidth=0.7)  # fmt: skip
        axis.set(xlim=(0, len(pair[0].states)), ylim=(0, 1))
    figure.legend(handles=[Patch(color=c, label=s) for s, c in COLOURS.items()],
                  loc="outside lower center", ncols=4, fontsize=8)  # fmt: skip
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
