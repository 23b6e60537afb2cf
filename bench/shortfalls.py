"""`python bench/shortfalls.py --results FOLDER --data LIST.csv`: why do groups miss their aim?

Takes the boxes that `ainet eval run` wrote, picks in each group the sequences that cost most, and
says what their overlap is lost to: size, centre, or the target itself. Writes docs/shortfalls.md
and a picture for each; what somebody wrote below a picture ("Seen: ...") stays.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from pages import table

from ainet_core.data.readers import read_benchmark
from ainet_core.data.sequence import Sequence
from ainet_core.evaluation.film_strip import film_strip, spread
from ainet_core.evaluation.metrics import center_error, overlap
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.results import ResultFolder
from ainet_core.evaluation.scoring import TrackResult, score_sequence
from ainet_core.tracking.target_state import StateThresholds

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

AIMS = {"air_rgb": 0.70, "people_rgbt": 0.82, "generic_rgb": 0.68}
PICKED = {"air_rgb": 4, "people_rgbt": 2, "generic_rgb": 2}
SHOWN = {"drone_videos": "Drone-detection-dataset, CC0", "sequences": "M3SVD, MIT"}
"""Folders of which frames may be handed on, and what to say; of others only curves are drawn."""

SURE = StateThresholds().found_above
JUMP = 2.0  # target sides in one frame: half a search region, no tracker of this kind follows
EDGE = 2.0  # pixels from the image's border within which the target counts as touching it
OURS, PEER, TRUTH = "#0086a8", "#c2439b", "#b87a00"
FRAMES = 7  # in a strip
MOST_BYTES = 300_000


@dataclass(frozen=True)
class Loss:
    """What is missing to an overlap of 1 in each of n frames; the parts add up.

    Attributes:
        overlap: (n,).
        size: (n,) what the true size at the box's own centre would add.
        centre: (n,) what would still be missing then.
        lost: (n,) all that is missing where the centre is further than a target side away;
            size and centre are 0 there.
        ratio: (n,) side of the box / true side.
        border: (n,) bool, the target touches the image's border.
    """

    overlap: NDArray[np.float64]
    size: NDArray[np.float64]
    centre: NDArray[np.float64]
    lost: NDArray[np.float64]
    ratio: NDArray[np.float64]
    border: NDArray[np.bool_]

    @property
    def shares(self) -> dict[str, float]:
        """Of all that is missing."""
        parts = {name: float(getattr(self, name).sum()) for name in ("size", "centre", "lost")}
        whole = sum(parts.values())
        return {name: part / whole if whole else 0.0 for name, part in parts.items()}

    @property
    def border_share(self) -> float:
        missing = 1 - self.overlap
        return float(missing[self.border].sum() / max(missing.sum(), 1e-9))


def loss_of(
    boxes: NDArray[np.float64], truth: NDArray[np.float64], size: tuple[int, int]
) -> Loss:
    """`size`: (width, height) of the image. Frames without a true box must be left out before."""
    own = overlap(boxes, truth)
    moved = truth.copy()
    moved[:, :2] = boxes[:, :2] + boxes[:, 2:] / 2 - truth[:, 2:] / 2
    placed = overlap(moved, truth)
    sides = np.sqrt(truth[:, 2:].prod(axis=1))
    lost = center_error(boxes, truth) > sides
    low, high = truth[:, :2].min(axis=1), np.array(size) - truth[:, :2] - truth[:, 2:]
    return Loss(
        overlap=own,
        size=np.where(lost, 0.0, placed - own),
        centre=np.where(lost, 0.0, 1 - placed),
        lost=np.where(lost, 1 - own, 0.0),
        ratio=np.sqrt(np.clip(boxes[:, 2:], 0, None).prod(axis=1)) / sides,
        border=(low <= EDGE) | (high.min(axis=1) <= EDGE),
    )


@dataclass(frozen=True)
class Case:
    """A sequence, our answer, the peer's, and where ours falls short."""

    sequence: Sequence
    folder: str  # of its frames
    ours: TrackResult
    peer: TrackResult | None
    success: float
    peer_success: float
    loss: Loss

    @property
    def known(self) -> NDArray[np.int64]:
        """Frames with a target and an answer of ours."""
        return np.flatnonzero(self.sequence.visible)[1:]

    @property
    def why(self) -> str:
        """size, centre, border, lost or jumped: where most of the overlap went."""
        shares = self.loss.shares
        first = max(shares, key=lambda name: shares[name])
        if first == "lost":
            gone = self.loss.lost > 0
            sure = self.ours.scores is not None and (
                np.median(self.ours.scores[self.known][gone]) >= SURE)  # fmt: skip
            return "jumped" if sure else "lost"
        if self.loss.border_share > 0.5:
            return "border"
        return first

    @property
    def jumps(self) -> dict[int, float]:
        """Frames at which the truth has moved by more than JUMP of its sides, and by how many."""
        truth = self.sequence.groundtruth
        known = np.flatnonzero(self.sequence.visible)
        before, after = truth[known[:-1]], truth[known[1:]]
        sides = center_error(before, after) / np.sqrt(before[:, 2:].prod(axis=1))
        far = (sides > JUMP) & (np.diff(known) == 1)
        return dict(zip(known[1:][far].tolist(), sides[far].tolist(), strict=True))

    def words(self) -> str:
        """One line, from figures alone."""
        loss, shares = self.loss, self.loss.shares
        ratio = np.median(loss.ratio[loss.lost == 0]) if (loss.lost == 0).any() else np.nan
        gone = float((loss.lost > 0).mean())
        meant = {
            "size": f"the size: its box has {ratio:.2f} times the true side (median)",
            "centre": "the centre: the box lies beside the target",
            "border": f"the border: {loss.border_share:.0%} of it while the target touches it",
            "lost": f"losing it: off the target in {gone:.0%} of the frames, and in doubt there",
            "jumped": f"something else: off the target in {gone:.0%} of the frames, and sure",
        }[self.why]
        jumps = ", ".join(f"{sides:.1f} target sides at frame {frame}"
                          for frame, sides in self.jumps.items())  # fmt: skip
        peer = "" if self.peer is None else f", CSRT {self.peer_success:.3f}"
        return (
            f"**{self.why}.** SR {self.success:.3f}{peer}. Most overlap goes to {meant}. Of what "
            f"is missing: size {shares['size']:.0%}, centre {shares['centre']:.0%}, lost "
            f"{shares['lost']:.0%}; touching the border {loss.border_share:.0%}."
            + (f" The truth jumps by {jumps}." if jumps else "")
        )


def read_cases(options: argparse.Namespace) -> tuple[dict[str, list[Case]], dict[str, int]]:
    """Per group the cases with results of ours, the worst first; and how many sequences it has."""
    with options.data.open(newline="", encoding="utf-8-sig") as file:
        folders = {row["name"]: (row["rgb"] or row["thermal"]).split("/")[0]
                   for row in csv.DictReader(file)}  # fmt: skip
    ours = ResultFolder(options.results / options.preset)
    peers = [ResultFolder(f) for f in sorted(options.results.glob(f"{options.peer}*"))]
    cases: dict[str, list[Case]] = {group: [] for group in AIMS}
    counts = dict.fromkeys(AIMS, 0)
    for sequence in read_benchmark(options.data):
        if sequence.group not in AIMS:
            continue
        counts[sequence.group] += 1
        if ours.done(sequence.name, len(sequence)):
            cases[sequence.group].append(
                read_case(sequence, folders[sequence.name], ours, peers)
            )
    return {g: sorted(c, key=lambda case: case.success) for g, c in cases.items()}, counts


def read_case(
    sequence: Sequence, folder: str, ours: ResultFolder, peers: list[ResultFolder]
) -> Case:
    def scored(results: ResultFolder) -> tuple[float, TrackResult]:
        result = results.read(sequence.truth)[0]
        return score_sequence(result, sequence.truth, PROTOCOLS["list"]).success, result

    success, result = scored(ours)
    there = [scored(p) for p in peers if p.done(sequence.name, len(sequence))]
    best = max(there, key=lambda one: one[0], default=(float("nan"), None))
    pair = sequence[0]
    image = pair.rgb if pair.rgb is not None else pair.thermal
    assert image is not None
    known = np.flatnonzero(sequence.visible)[1:]
    loss = loss_of(result.boxes[known], sequence.groundtruth[known], image.shape[1::-1])
    return Case(sequence, folder, result, best[1], success, best[0], loss)


def draw(case: Case, path: Path) -> None:
    """Frames where they may be shown, then overlap, size ratio and score over time."""
    shown = case.folder in SHOWN
    strip = strip_of(case) if shown else None
    high = 0.0 if strip is None else 11.0 * strip.shape[0] / strip.shape[1]
    figure = pyplot.figure(figsize=(11.0, high + 4.0), layout="constrained")
    ratios = ([high] if shown else []) + [1.4, 1.1, 1.1]
    axes = figure.subplots(len(ratios), 1, height_ratios=ratios, squeeze=False)[:, 0]
    if strip is not None:
        for frame in spread(len(case.sequence), FRAMES):
            axes[1].plot([frame], [1.04], "v", color="0.4", markersize=5, clip_on=False)
        axes[0].imshow(strip, aspect="auto", interpolation="nearest")
        axes[0].set_axis_off()
    curves(case, list(axes[-3:]))
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    pyplot.close(figure)
    path.write_bytes(small_png(file.getvalue()))


def strip_of(case: Case) -> NDArray[np.uint8]:
    peer = None if case.peer is None else case.peer.boxes
    data = np.frombuffer(film_strip(case.sequence, case.ours.boxes, FRAMES, peer), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def curves(case: Case, axes: list[pyplot.Axes]) -> None:
    frames, loss = case.known, case.loss
    gone = loss.lost > 0
    for axis in axes:
        axis.fill_between(frames, 0, 1, where=gone, transform=axis.get_xaxis_transform(),
                          color="0.88", linewidth=0)  # fmt: skip
        axis.set_xlim(0, len(case.sequence))
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    truth = case.sequence.groundtruth[frames]
    if case.peer is not None:
        axes[0].plot(frames, overlap(case.peer.boxes[frames], truth), color=PEER, linewidth=1,
                     label=f"CSRT {case.peer_success:.3f}")  # fmt: skip
        sides = np.sqrt(np.clip(case.peer.boxes[frames, 2:], 0, None).prod(axis=1))
        axes[1].plot(frames, sides / np.sqrt(truth[:, 2:].prod(axis=1)), color=PEER, linewidth=1)
    axes[0].plot(frames, loss.overlap, color=OURS, linewidth=1.6, label=f"nano {case.success:.3f}")
    axes[0].set_ylim(0, 1)
    axes[0].set_ylabel("overlap", fontsize=8)
    axes[0].legend(loc="lower right", fontsize=8, ncols=2, framealpha=0.8)
    axes[1].plot(frames, loss.ratio, color=OURS, linewidth=1.6)
    axes[1].axhline(1, color=TRUTH, linewidth=1, linestyle="--")
    axes[1].set_yscale("log", base=2)
    axes[1].set_ylim(0.25, 4)
    axes[1].set_yticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
    axes[1].set_ylabel("side / true side", fontsize=8)
    if case.ours.scores is not None:
        axes[2].plot(frames, case.ours.scores[frames], color=OURS, linewidth=1.6)
    axes[2].set_ylim(0, 1)
    axes[2].set_ylabel("score", fontsize=8)
    axes[2].set_xlabel("frame; grey: more than a target side off", fontsize=8)


def small_png(data: bytes) -> bytes:
    """The same picture in at most as many colours as fit MOST_BYTES.

    Raises:
        ValueError: it does not fit.
    """
    from PIL import Image  # comes with matplotlib

    picture = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in (256, 128, 64, 32):
        file = io.BytesIO()
        picture.quantize(colours).save(file, format="png", optimize=True)
        if file.tell() <= MOST_BYTES:
            return file.getvalue()
    raise ValueError(f"expected a picture of at most {MOST_BYTES} bytes, got {file.tell()}")


def page(cases: dict[str, list[Case]], counts: dict[str, int], seen: dict[str, str]) -> str:
    rows = [group_row(group, cases[group], counts[group]) for group in cases if cases[group]]
    parts = [
        "# Why three groups fall short",
        "Pictures, figures and the first line below each picture are made by "
        "`python bench/shortfalls.py`; what follows \"Seen:\" was written by somebody who looked. "
        "The shipped `nano` on the development benchmark: in each group the sequences that it "
        "does worst on, since a group's SR is the mean over its sequences.",
        "What is missing to an overlap of 1 has three parts. **Lost:** all of it where the middle "
        "of the box is more than one target side off. Elsewhere **size:** what the true size at "
        "the box's own middle would add, and **centre:** the rest.",
        table(["group", "sequences with results", "their SR", "aim for all", "lost to size",
               "to centre", "to being lost"], rows),
        *(["Where results lack, their SR is not the group's."]
          if any(0 < len(cases[g]) < counts[g] for g in cases) else []),
        "Frames (at the triangles): cyan nano, pink CSRT (one camera), amber and dashed "
        "the truth. Frames of material that may not be handed on (generic_rgb) are not shown.",
    ]  # fmt: skip
    for group in cases:
        parts.append(f"## {group}")
        for case in cases[group][: PICKED[group]]:
            name = case.sequence.name
            parts.append(f"### {name}")
            parts.append(f"![{name}: {case.why}](shortfalls_{name}.png)")
            source = SHOWN.get(case.folder)
            parts.append(case.words() + (f" Frames: {source}." if source else ""))
            parts.append(f"Seen: {seen.get(name, 'nobody has looked yet.')}")
    return "\n\n".join(parts) + "\n"


def group_row(group: str, cases: list[Case], count: int) -> list[str]:
    success = np.mean([case.success for case in cases])
    shares = [np.mean([getattr(case.loss, part).mean() for case in cases])
              for part in ("size", "centre", "lost")]  # fmt: skip
    return [group, f"{len(cases)} of {count}", f"{success:.3f}", f"{AIMS[group]:.2f}",
            *(f"{share:.3f}" for share in shares)]  # fmt: skip


def seen_before(text: str) -> dict[str, str]:
    """What somebody wrote below each picture of a page."""
    found = re.findall(r"^### (\S+)$.*?^Seen: (.*?)(?=\n\n#|\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: words.strip() for name, words in found}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="of `ainet eval run`")
    parser.add_argument("--data", type=Path, required=True, help="the list, a CSV")
    parser.add_argument("--preset", default="nano", help="our folder in the results")
    parser.add_argument("--peer", default="csrt", help="what the peer's folders begin with")
    parser.add_argument("--output", type=Path, default=Path("docs/shortfalls.md"))
    return parser.parse_args()


def main() -> None:
    options = parse()
    cases, counts = read_cases(options)
    for group, found in cases.items():
        for case in found[: PICKED[group]]:
            draw(case, options.output.with_name(f"shortfalls_{case.sequence.name}.png"))
    there = options.output.read_text(encoding="utf-8") if options.output.is_file() else ""
    options.output.write_text(page(cases, counts, seen_before(there)), encoding="utf-8")
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
