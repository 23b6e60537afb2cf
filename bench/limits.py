"""`python bench/limits.py`: how small, fast, hidden, noisy may a target be until it is lost?

One thing at a time is made harder in staged scenes (`ainet_core.data.synthetic.staged_world`),
five of them, each another kind of target. Writes docs/limits.md and docs/limits.png. Goes on
where it stopped; another tracker, other weights or another scene begin anew.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pages import table
from tqdm import tqdm

import ainet_core
from ainet_core.data.synthetic.staged_world import StagedWorld
from ainet_core.data.synthetic.staging import Staging, back_and_forth, circle, ramp, stage
from ainet_core.evaluation.metrics import center_error, overlap
from ainet_core.tracking.tracker import Tracker, shipped_weights

SIZE = (384, 480)
CENTRE = (240.0, 192.0)
FRAMES = 30
SIDE = 36.0
RATE = 30.0
END = 5  # last frames that say whether it ends on the target
HOLDS, ENDS, SHARE = 0.5, 0.3, 0.8


@dataclass(frozen=True)
class Factor:
    """One thing that is made harder.

    Attributes:
        values: from easy to hard.
        stage: the scene of a value.
        cameras: which ones the tracker sees.
    """

    name: str
    title: str
    unit: str
    values: tuple[float, ...]
    stage: Callable[[float], Staging]
    cameras: str = "both"

    def words(self, value: float) -> str:
        return f"{value:g} {self.unit}"


class Outcome(NamedTuple):
    """One scene tracked; shares are of the frames in which at least half of the target is seen.

    Attributes:
        success: mean overlap, boxes cut to the image.
        end: the same of the last 5 frames.
        off: share in which the middle is more than one target side away.
        told: share of these in which the state was "lost".
        ratio: side of the box / true side at the end.
    """

    success: float
    end: float
    off: float
    told: float
    ratio: float

    @property
    def kind(self) -> str:
        """What became of the target, in words."""
        if self.success >= HOLDS and self.end > ENDS:
            return "held"
        if self.off > 0.3:
            return "lost, and says so" if self.told >= 0.5 else "goes astray, and calls it tracked"
        if not 0.75 < self.ratio < 1.33:
            return f"box too {'large' if self.ratio > 1 else 'small'}"
        return "box beside the target"


def small(side: float) -> Staging:
    return stage(FRAMES, circle(FRAMES, CENTRE, 60, 0.05 * side), side)


def large(percent: float) -> Staging:
    side = percent / 100 * math.sqrt(SIZE[0] * SIZE[1])
    return stage(FRAMES, circle(FRAMES, CENTRE, 6, 1), side, aspect=SIZE[1] / SIZE[0])


def growth(percent: float) -> Staging:
    change = back_and_forth(FRAMES, math.log(5), math.log1p(percent / 100))
    return stage(FRAMES, circle(FRAMES, CENTRE, 40, 1), 24 * np.exp(change))


def border(percent: float) -> Staging:
    return stage(FRAMES, CENTRE, 60, outside=ramp(FRAMES, 4, 14, -1, percent / 100))


def motion(sides: float) -> Staging:
    return stage(FRAMES, circle(FRAMES, CENTRE, 100, 24 * sides), 24)


def turning(pixels: float) -> Staging:
    shift = np.column_stack([back_and_forth(FRAMES, 120, pixels), np.zeros(FRAMES)])
    middle = circle(FRAMES, CENTRE, 20, 0.5) + shift - (60, 0)
    return stage(FRAMES, middle, SIDE, camera=shift)


def rotation(degrees: float) -> Staging:
    tilt = np.radians(degrees) * np.arange(FRAMES)
    return stage(FRAMES, circle(FRAMES, CENTRE, 60, 1), 48, tilt=tilt)


def _hidden(seconds: float, after: int) -> tuple[int, NDArray[np.float64]]:
    """Frames, and the share of the target that is hidden in each: the screen takes 4 frames."""
    long = round(seconds * RATE)
    frames = 12 + long + after
    return frames, np.interp(np.arange(frames), (4, 8, 7 + long, 11 + long), (0, 1, 1, 0))


def occlusion(seconds: float) -> Staging:
    frames, cover = _hidden(seconds, 16)
    return stage(frames, CENTRE, SIDE, cover=cover)


def return_elsewhere(sides: float) -> Staging:
    frames, cover = _hidden(1.0, 20)
    away = np.where(np.arange(frames) > 20, 30 * sides, 0)  # it goes while it is hidden
    middle = np.column_stack([120 + away, np.full(frames, CENTRE[1])])
    return stage(frames, middle, 30, cover=cover)


def noise(kelvin: float) -> Staging:
    return stage(FRAMES, circle(FRAMES, CENTRE, 60, 2), SIDE, noise=kelvin)


def darker(times: float) -> Staging:
    light = ramp(FRAMES, 8, 9, 1, 1 / times)
    return stage(FRAMES, circle(FRAMES, CENTRE, 60, 2), SIDE, light=light)


def brighter(times: float) -> Staging:
    light = ramp(FRAMES, 8, 9, 1, times)
    return stage(FRAMES, circle(FRAMES, CENTRE, 60, 2), SIDE, light=light)


def frame_rate(hertz: float) -> Staging:
    """A walk of 1.5 target sides per second under a camera that drifts by 30 pixels per second."""
    shift = np.column_stack([back_and_forth(FRAMES, 100, 30 / hertz), np.zeros(FRAMES)])
    walk = circle(FRAMES, CENTRE, 80, 1.5 * SIDE / hertz)
    return stage(FRAMES, walk + shift - (50, 0), SIDE, camera=shift, exposure=0.2 * hertz / RATE)


def look_alike(sides: float) -> Staging:
    """The same thing passes behind the target, its middle at the nearest so many sides above."""
    middle = circle(FRAMES, CENTRE, 60, 1)
    along = np.linspace(-4, 4, FRAMES) * SIDE
    return stage(
        FRAMES, middle, SIDE, twin=middle + np.column_stack([along, 0 * along - sides * SIDE])
    )


FACTORS = (
    Factor("small", "small target", "px (side, √(w·h))", (16, 12, 8, 6, 4), small),
    Factor("large", "large target", "% of the image's width and height",
           (50, 75, 90, 100), large),
    Factor("growth", "change of size", "% per frame", (2, 4, 7, 12, 20, 35), growth),
    Factor("border", "beyond the image's border", "% of the target",
           (25, 50, 75, 90), border),
    Factor("motion", "motion of the target", "target sides per frame",
           (0.5, 1, 1.5, 2, 2.5, 3), motion),
    Factor("turning", "camera turns", "px per frame, target of 36 px",
           (10, 20, 30, 40, 60, 80), turning),
    Factor("rotation", "target rotates in the image", "degrees per frame",
           (2, 5, 10, 20, 45), rotation),
    Factor("occlusion", "hidden, comes back at its place", "s", (0.5, 1, 2, 5, 10), occlusion),
    Factor("return", "hidden for 1 s, comes back elsewhere", "target sides away",
           (0.5, 1, 1.5, 2, 3, 4), return_elsewhere),
    Factor("noise", "thermal noise, thermal camera alone", "K (target 8 K warmer)",
           (2, 4, 8, 16), noise, "thermal"),
    Factor("darker", "suddenly darker, RGB camera alone", "times",
           (4, 8, 16, 32), darker, "rgb"),
    Factor("brighter", "suddenly brighter, RGB camera alone", "times",
           (2, 3, 5, 8), brighter, "rgb"),
    Factor("rate", "frame rate, a walk", "Hz", (10, 5, 3, 2, 1), frame_rate),
    Factor("twin", "the same thing passes by", "target sides apart",
           (1, 0.5, 0.25, 0), look_alike),
)  # fmt: skip


def run(tracker: Tracker, world: StagedWorld, cameras: str = "both") -> Outcome:
    """Track one scene from its true first box."""
    boxes, lost, truth, seen = [], [], [], []
    for number in range(len(world)):
        frame = world.frame(number)
        rgb = frame.rgb if cameras != "thermal" else None
        thermal = frame.thermal if cameras != "rgb" else None
        if number == 0:
            tracker.init(rgb, thermal, frame.box)
            continue
        target = tracker.update(rgb, thermal)
        boxes.append(target.box)
        lost.append(target.state == "lost")
        truth.append(frame.box)
        # What the border cuts off is not hidden: boxes are cut there as well.
        seen.append(world.staging.cover[number] <= 0.5)
    return judged(np.array(boxes), np.array(truth), np.array(lost), np.array(seen), world.size)


def judged(
    boxes: NDArray[np.float64], truth: NDArray[np.float64], lost: NDArray[np.bool_],
    seen: NDArray[np.bool_], size: tuple[int, int],
) -> Outcome:  # fmt: skip
    boxes, truth, lost = boxes[seen], truth[seen], lost[seen]
    limit = np.array([size[1], size[0]], float)
    low, high = np.clip(boxes[:, :2], 0, limit), np.clip(boxes[:, :2] + boxes[:, 2:], 0, limit)
    cut = np.column_stack([low, high - low])
    shared = overlap(cut, truth)
    sides = np.sqrt(truth[:, 2:].prod(axis=1))
    off = center_error(cut, truth) > sides
    ratio = np.sqrt(cut[:, 2:].prod(axis=1)) / sides
    return Outcome(
        float(shared.mean()), float(shared[-END:].mean()), float(off.mean()),
        float(lost[off].mean()) if off.any() else 0.0, float(np.median(ratio[-END:])),
    )  # fmt: skip


def holds(outcomes: list[Outcome]) -> bool:
    ends = np.mean([one.end > ENDS for one in outcomes])
    return median_success(outcomes) >= HOLDS and bool(ends >= SHARE)


def median_success(outcomes: list[Outcome]) -> float:
    return float(np.median([one.success for one in outcomes]))


Measured = dict[str, dict[float, list[Outcome]]]
"""By factor's name and value: the outcomes of all seeds."""


class Done:
    """Outcomes on disk, so that a run can be stopped: one line each, keyed by the scene."""

    def __init__(self, folder: Path, checkpoint: Path | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"limits_{fingerprint(checkpoint)}.csv"
        self._known: dict[str, Outcome] = {}
        if self._file.is_file():
            with self._file.open(newline="") as file:
                self._known = {key: Outcome(*map(float, rest)) for key, *rest in csv.reader(file)}

    def outcome(self, tracker: Tracker, factor: Factor, value: float, seed: int) -> Outcome:
        key = scene(factor, value, seed)
        if key not in self._known:
            world = StagedWorld(seed, factor.stage(value), SIZE)
            self._known[key] = run(tracker, world, factor.cameras)
            with self._file.open("a", newline="") as file:
                csv.writer(file).writerow([key, *map(repr, self._known[key])])
        return self._known[key]

    def read(self, factors: tuple[Factor, ...], seeds: range) -> Measured:
        """What is there already: of each factor the values that all seeds have."""
        measured: Measured = {}
        for factor in factors:
            for value in factor.values:
                keys = [scene(factor, value, seed) for seed in seeds]
                if all(key in self._known for key in keys):
                    known = [self._known[key] for key in keys]
                    measured.setdefault(factor.name, {})[value] = known
        return measured


def fingerprint(checkpoint: Path | None) -> str:
    """Of the tracker, its weights and what paints the scenes."""
    package = Path(ainet_core.__file__).parent
    files = [checkpoint or shipped_weights("nano")]
    for part in ("tracking", "model", "data/synthetic"):
        files += sorted((package / part).rglob("*.py"))
    parts = b"".join(file.read_bytes() for file in files if file is not None)
    return hashlib.sha256(parts).hexdigest()[:12]


def scene(factor: Factor, value: float, seed: int) -> str:
    return f"{factor.name}-{value:g}-{seed}-{digest(factor.stage(value))}"


def digest(staging: Staging) -> str:
    values = b"".join(np.asarray(value, np.float64).tobytes() for value in astuple(staging))
    return hashlib.sha256(values).hexdigest()[:8]


def measure(
    tracker: Tracker, done: Done, factors: tuple[Factor, ...], seeds: range, beyond: int = 1
) -> Measured:
    """Every factor from easy to hard, until `beyond` values in a row do not hold."""
    measured: Measured = {}
    bar = tqdm(total=sum(len(factor.values) for factor in factors), unit="value", desc="limits")
    for factor in factors:
        results = measured.setdefault(factor.name, {})
        failed = 0
        for value in factor.values:
            bar.set_postfix_str(f"{factor.name} {value:g}")
            if failed < beyond:
                results[value] = [done.outcome(tracker, factor, value, seed) for seed in seeds]
                failed = 0 if holds(results[value]) else failed + 1
            bar.update()
    bar.close()
    return measured


def limit(results: dict[float, list[Outcome]]) -> tuple[float | None, float | None]:
    """The last value before the first that does not hold, and that one; None: there is none."""
    last = None
    for value, outcomes in results.items():
        if not holds(outcomes):
            return last, value
        last = value
    return last, None


def what_happens(outcomes: list[Outcome]) -> str:
    """Of the scenes that fail, in words."""
    kinds = Counter(one.kind for one in outcomes)
    held = kinds.pop("held", 0)
    told = [f"{count} of {len(outcomes)}: {kind}" for kind, count in kinds.most_common()]
    ratios = [one.ratio for one in outcomes if one.kind.startswith("box too")]
    if ratios:
        told.append(f"side {min(ratios):.1f} to {max(ratios):.1f} times the true one")
    return "; ".join(told) + (f"; {held} held" if held else "")


def rows(measured: Measured, factors: tuple[Factor, ...]) -> list[list[str]]:
    made = []
    for factor in factors:
        results = measured[factor.name]
        last, first = limit(results)
        until = "no value tried"
        if last is not None:
            until = f"{factor.words(last)} (SR {median_success(results[last]):.2f})"
        if first is None:
            made.append([factor.title, until, "no value tried", ""])
            continue
        fails = f"{first:g} (SR {median_success(results[first]):.2f})"
        made.append([factor.title, until, fails, what_happens(results[first])])
    return made


def page(measured: Measured, factors: tuple[Factor, ...], seeds: int) -> str:
    weights = shipped_weights("nano")
    assert weights is not None
    lacking = ", ".join(f.title for f in factors if f.name not in measured)
    factors = tuple(factor for factor in factors if factor.name in measured)
    return "\n\n".join(
        [
            "# Limits",
            "Made by `python bench/limits.py`; do not edit. The shipped `nano` (weights "
            f"{hashlib.sha256(weights.read_bytes()).hexdigest()[:12]}) in staged scenes of the "
            f"generated world, {SIZE[1]}x{SIZE[0]} pixels, {FRAMES} frames unless something is "
            f"hidden longer, {seeds} seeds: person, vehicle, animal, drone, thing, each before "
            "another background. One thing at a time is made harder; the target keeps its pose.",
            f"A value holds when the median success (SR: mean overlap, boxes cut to the image) is "
            f"at least {HOLDS:g} and at least {SHARE:.0%} of the seeds end on the target (overlap "
            f"above {ENDS:g} in the last {END} frames). Frames in which more than half of the "
            "target is hidden do not count. Values were tried from easy to hard, up to the "
            "first that fails.",
            table(["what", "holds until", "fails at", "what happens then"],
                  rows(measured, factors)),
            *([f"Not measured yet: {lacking}."] if lacking else []),
            "![success against each of them](limits.png)",
            "Lost: the middle of the box is more than one target side away in three of ten frames "
            "or more. It says so when the state is `lost` in half of these frames.",
            "Painted scenes are cleaner than recorded ones and their targets stand out; take "
            "these limits as the best case, and what happens beyond them as what to expect. "
            "Targets that move fast are not blurred, turning cameras are (half of the time "
            "between frames). All seeds of every value:",
            all_values(measured, factors),
        ]
    ) + "\n"  # fmt: skip


def all_values(measured: Measured, factors: tuple[Factor, ...]) -> str:
    lines = []
    for factor in factors:
        values = [
            f"{value:g}: " + " ".join(f"{one.success:.2f}" for one in outcomes)
            for value, outcomes in measured[factor.name].items()
        ]
        lines.append([f"{factor.title}, {factor.unit}", "; ".join(values)])
    return table(["what", "value: SR of each seed"], lines)


def plot(measured: Measured, factors: tuple[Factor, ...], path: Path) -> None:
    """Success against each factor: median, and the range of the seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = min(4, len(factors))
    lines = math.ceil(len(factors) / columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(3.1 * columns, 2.3 * lines), squeeze=False, sharey=True,
        layout="constrained",
    )  # fmt: skip
    for axis in axes.flat[len(factors) :]:
        axis.set_visible(False)
    for axis, factor in zip(axes.flat, factors, strict=False):
        results = measured[factor.name]
        shares = np.array([[one.success for one in outcomes] for outcomes in results.values()])
        places = np.arange(len(results))
        axis.axhline(HOLDS, color="0.75", linewidth=1)
        axis.fill_between(places, shares.min(axis=1), shares.max(axis=1), color="#0077bb",
                          alpha=0.18, linewidth=0)  # fmt: skip
        axis.plot(places, np.median(shares, axis=1), color="#0077bb", linewidth=1.5)
        for place, outcomes in enumerate(results.values()):
            axis.plot(place, median_success(outcomes), "o", color="#0077bb", markersize=6,
                      markerfacecolor="#0077bb" if holds(outcomes) else "white")  # fmt: skip
        axis.set_xticks(places, [f"{value:g}" for value in results])
        axis.set_ylim(0, 1)
        axis.set_title(factor.title, fontsize=9)
        axis.set_xlabel(factor.unit, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.supylabel("success: median and range of seeds; filled: it holds", fontsize=9)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the shipped nano")
    parser.add_argument("--seeds", type=int, default=5, help="scenes for each value")
    parser.add_argument("--beyond", type=int, default=1, help="values to try that do not hold")
    parser.add_argument("--factor", action="append", help="only this one (repeat); no page then")
    parser.add_argument("--measured", action="store_true",
                        help="track nothing, write what was measured so far")  # fmt: skip
    parser.add_argument("--results", type=Path, default=Path("results/limits"))
    parser.add_argument("--output", type=Path, default=Path("docs/limits.md"))
    return parser.parse_args()


def main() -> None:
    options = parse()
    factors = tuple(f for f in FACTORS if not options.factor or f.name in options.factor)
    done = Done(options.results, options.checkpoint)
    if options.measured:
        measured = done.read(factors, range(options.seeds))
    else:
        tracker = Tracker.from_preset("nano") if options.checkpoint is None else (
            Tracker.from_checkpoint(options.checkpoint))  # fmt: skip
        measured = measure(tracker, done, factors, range(options.seeds), options.beyond)
    there = tuple(factor for factor in factors if factor.name in measured)
    print(table(["what", "holds until", "fails at", "what happens then"], rows(measured, there)))
    if options.factor:
        return
    options.output.write_text(page(measured, factors, options.seeds), encoding="utf-8")
    plot(measured, there, options.output.with_suffix(".png"))
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
