"""`make benchmark`: ours and the peers over a list of sequences, and a page with what came out.

Goes on where it stopped. Peers see one camera; where a group has two, their better one counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pages import table

from ainet_core.data.groundtruth import GroundTruth
from ainet_core.data.readers import read_benchmark
from ainet_core.evaluation.conditions import CONDITIONS
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.score import fitting_truths, result_folders, score_folder
from ainet_core.evaluation.scoring import Evaluation, Figures

PEERS = {"csrt": "CSRT", "nanotrack": "NanoTrack v2", "kcf": "KCF", "mosse": "MOSSE",
         "static": "static box"}  # fmt: skip
FUSION = ("rgb-dark", "rgb-haze", "thermal-faded")
WORST = 10


class Best(NamedTuple):
    """A tracker's figures on one group, by the camera it did better with."""

    figures: Figures
    modality: str


def main() -> int:
    options = parse()
    run_all(options)
    truths = [sequence.truth for sequence in read_benchmark(options.data)]
    evaluations = read_results(Path(options.results), truths)
    Path(options.output).write_text(page(evaluations, options.preset), encoding="utf-8")
    print(f"wrote {options.output}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the list")
    parser.add_argument("--nanotrack", required=True, help="folder of NanoTrack's ONNX files")
    parser.add_argument("--results", required=True, help="folder for the boxes")
    parser.add_argument("--output", required=True, help="the page")
    parser.add_argument("--preset", default="nano")
    parser.add_argument("--workers", help="processes (default: one for each core)")
    return parser.parse_args()


def run_all(options: argparse.Namespace) -> None:
    """Everything that the page shows, each by the command that a user would type."""
    ours = ["--preset", options.preset]
    runs = [
        [*ours, "--modality", "both", "rgb", "thermal", "--condition", *FUSION],
        [*ours, "--condition", "all"],
        ["--peers-only", "--peer", *PEERS, "--nanotrack", options.nanotrack],
    ]
    if options.workers:
        runs = [[*run, "--workers", options.workers] for run in runs]
    for run in runs:
        command = [sys.executable, "-m", "ainet_core.cli", "eval", "run", "--data", options.data,
                   "--output", options.results, *run]  # fmt: skip
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise SystemExit("make benchmark: stopped, see above")


def read_results(results: Path, truths: list[GroundTruth]) -> dict[str, Evaluation]:
    protocol = PROTOCOLS["list"]
    chosen = fitting_truths(result_folders(results), truths, "list")
    return {
        folder.name: score_folder(folder, part, protocol)[0] for folder, part in chosen.items()
    }


def page(evaluations: dict[str, Evaluation], preset: str) -> str:
    ours = evaluations[preset]
    groups = list(ours.groups())
    columns = {preset: best_by_group([ours])}
    for peer, title in PEERS.items():
        parts = [e for name, e in evaluations.items() if name.split("-")[0] == peer]
        columns[title] = best_by_group(parts)
    parts = [
        "# Development benchmark",
        "Made by `make benchmark`; do not edit. " + made_by(ours),
        "One-pass evaluation: the box is given in the first frame and never again. Success (SR) "
        "is the mean of the success curve over 21 overlaps, precision (PR) the share of frames "
        "within 20 pixels; each is a mean over the sequences of a group. Peers see one camera: "
        "where a group has both, the better one is shown. These sequences were looked at while "
        "the tracker was made; none of them was trained on. Expect less on scenes of your own.",
        "## Success by group\n\n" + group_table(columns, groups, "success"),
        "## Precision by group\n\n" + group_table(columns, groups, "precision"),
        "## Where we lose\n\n" + losses(columns, groups, preset),
        "## Two cameras against one\n\n" + fusion_table(evaluations, preset),
        "## What it costs when a camera fails\n\n" + cost_table(evaluations, preset),
        "## Lost, sure, and fast\n\n" + robot_table(evaluations, preset),
        "## The worst sequences\n\n" + worst_table(ours, evaluations),
    ]
    return "\n\n".join(parts) + "\n"


def made_by(ours: Evaluation) -> str:
    run, versions = ours.run, ours.run.get("versions", {})
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{run.get('date', '')[:10]}, {run.get('machine')}, processes of {run.get('threads')} "
        f"thread; {listed}; weights {run.get('weights', '')[:12]}; {len(ours.sequences)} "
        f"sequences, {sum(s.frames for s in ours.sequences)} annotated frames."
    )


def best_by_group(evaluations: list[Evaluation]) -> dict[str, Best]:
    best: dict[str, Best] = {}
    for evaluation in evaluations:
        modality = evaluation.run.get("modality", "both")
        for group, figures in evaluation.groups().items():
            if group not in best or figures.success > best[group].figures.success:
                best[group] = Best(figures, modality)
    return best


def group_table(columns: dict[str, dict[str, Best]], groups: list[str], figure: str) -> str:
    rows = []
    for group in groups:
        count = next(iter(columns.values()))[group].figures.sequences
        values = [getattr(column[group].figures, figure) for column in columns.values()]
        rows.append([group, str(count), *bold_best(values)])
    means = [mean(column, groups, figure) for column in columns.values()]
    rows.append(["**mean over groups**", "", *bold_best(means)])
    worst = [
        min(getattr(column[g].figures, figure) for g in groups) for column in columns.values()
    ]
    rows.append(["worst group", "", *(f"{value:.3f}" for value in worst)])
    return table(["group", "sequences", *columns], rows)


def losses(columns: dict[str, dict[str, Best]], groups: list[str], preset: str) -> str:
    lines = []
    for group in groups:
        us = columns[preset][group].figures.success
        better = [
            f"{title} {column[group].figures.success:.3f}"
            for title, column in columns.items()
            if title != preset and column[group].figures.success > us
        ]
        if better:
            lines.append(f"- {group}: {preset} {us:.3f}, {', '.join(better)}")
    return "\n".join(lines) or f"No peer is better than {preset} in the mean of any group."


def fusion_table(evaluations: dict[str, Evaluation], preset: str) -> str:
    """Registered pairs only: both cameras, and each alone, as recorded and degraded."""
    rows = []
    for condition in ("", *FUSION):
        suffix = f"@{condition}" if condition else ""
        group = next(iter(two_camera_groups(evaluations, preset)))
        values = [
            evaluations[f"{preset}{camera}{suffix}"].groups()[group].success
            for camera in ("", "-rgb", "-thermal")
        ]
        title = CONDITIONS[condition].description if condition else "as recorded"
        rows.append([title, *bold_best(values)])
    return "Success.\n\n" + table(["", "both cameras", "RGB alone", "thermal alone"], rows)


def cost_table(evaluations: dict[str, Evaluation], preset: str) -> str:
    (group,) = two_camera_groups(evaluations, preset)
    recorded = evaluations[preset].groups()[group]
    rows = [["as recorded", f"{recorded.success:.3f}", f"{recorded.precision:.3f}", ""]]
    for name, condition in CONDITIONS.items():
        figures = evaluations[f"{preset}@{name}"].mean()
        cost = (figures.success - recorded.success) / recorded.success
        rows.append(
            [condition.description, f"{figures.success:.3f}", f"{figures.precision:.3f}",
             f"{cost:+.0%}"]
        )  # fmt: skip
    return (
        f"{group}, {recorded.sequences} sequences, seed {evaluations[preset].run['seed']}.\n\n"
        + (table(["condition", "SR", "PR", "SR, change"], rows))
    )


def two_camera_groups(evaluations: dict[str, Evaluation], preset: str) -> list[str]:
    return list(evaluations[f"{preset}@{FUSION[0]}"].groups())


def robot_table(evaluations: dict[str, Evaluation], preset: str) -> str:
    rows = []
    for name, evaluation in evaluations.items():
        if "@" in name or (name.startswith(f"{preset}-")):
            continue
        mean_ = evaluation.mean()
        median, slow, slowest = mean_.latency
        rows.append(
            [name, str(mean_.sequences), f"{mean_.failures:.1f}", f"{mean_.frames_to_failure:.0f}",
             f"{mean_.separation:.2f}", f"{median:.1f} / {slow:.1f} / {slowest:.1f}"]
        )  # fmt: skip
    header = ["tracker", "sequences", "lost in 1000 frames", "frames until first lost",
              "score tells on from off (AUC)", "ms a frame, median / 95th / 99th"]  # fmt: skip
    return (
        "Milliseconds with one thread while another process ran beside it: for comparing rows. "
        "AUC 0.5: the score says nothing.\n\n" + table(header, rows)
    )


def worst_table(ours: Evaluation, evaluations: dict[str, Evaluation]) -> str:
    worst = sorted(ours.sequences, key=lambda s: s.success)[:WORST]
    rows = []
    for sequence in worst:
        peers = {
            name: part.success
            for name, evaluation in evaluations.items()
            if name.split("-")[0] in PEERS
            for part in evaluation.sequences
            if part.name == sequence.name
        }
        best = max(peers, key=lambda name: peers[name])
        rows.append([sequence.name, sequence.group, f"{sequence.success:.3f}",
                     f"{best} {peers[best]:.3f}"])  # fmt: skip
    return table(["sequence", "group", "SR", "best peer"], rows)


def mean(column: dict[str, Best], groups: list[str], figure: str) -> float:
    return float(sum(getattr(column[group].figures, figure) for group in groups) / len(groups))


def bold_best(values: list[float]) -> list[str]:
    return [f"**{v:.3f}**" if v == max(values) else f"{v:.3f}" for v in values]


if __name__ == "__main__":
    sys.exit(main())
