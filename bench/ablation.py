"""`python bench/ablation.py`: train small variants of one recipe, evaluate each, write a page.

Every variant trains on the same samples, from the same start (pre-trained stem, fresh rest). Goes
on where it stopped: a variant with weights is trained, one with boxes is evaluated.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import layer_order
import yaml
from pages import table
from tqdm import tqdm

from ainet_core.data.readers import read_benchmark
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.score import fitting_truths, result_folders, score_folder
from ainet_core.evaluation.scoring import Evaluation
from ainet_core.tracking.tracker import Tracker

CONDITIONS = ("rgb-dark", "rgb-haze", "thermal-faded")
CAMERAS = {"": "both cameras", "-rgb": "RGB alone", "-thermal": "thermal alone"}


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe."""

    name: str
    title: str
    model: dict[str, Any] = field(default_factory=dict)
    seeds: int = 1


VARIANTS = (
    Variant("baseline", "baseline: no DFM, no OFM", {"dfm": False, "ofm": False}, 3),
    Variant("dfm", "+ DFM", {"ofm": False}, 3),
    Variant("ofm", "+ OFM", {"dfm": False}, 3),
    Variant("full", "full", {}, 3),
    Variant("self", "full, compensation self", {"compensation": "self"}),
    Variant("cross", "full, compensation cross", {"compensation": "cross"}),
    Variant("silu", "full, act silu", {"act": "silu"}),
    Variant("identity", "full, act identity", {"act": "identity"}),
    Variant("static", "full, static order", {"dynamic_order": False}),
    Variant("no-prior", "full, no template prior", {"template_prior": False}),
)


def main() -> int:
    options = parse()
    jobs = [(variant, seed) for variant in chosen(options) for seed in range(1, variant.seeds + 1)]
    jobs.sort(key=lambda job: job[1])  # a first seed of everything before a second of anything
    with ThreadPoolExecutor(options.processes) as pool:
        done = pool.map(lambda job: run(*job, options), jobs)
        for _ in tqdm(done, total=len(jobs), unit="run", desc="ablation"):
            pass
    Path(options.output).write_text(page(options), encoding="utf-8")
    print(f"wrote {options.output}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="config/training/nano.yaml")
    parser.add_argument("--data", required=True, help="folder of the recipe's sources")
    parser.add_argument("--list", required=True, help="sequences to evaluate on, a CSV")
    parser.add_argument("--group", action="append", help="only these groups (repeat)")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--runs", default="runs/ablation", help="folder for weights and boxes")
    parser.add_argument("--output", default="docs/ablation.md")
    parser.add_argument("--processes", type=int, default=2, help="runs at a time")
    parser.add_argument("--variant", action="append", help="only these (repeat)")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Variant]:
    return [v for v in VARIANTS if not options.variant or v.name in options.variant]


def run(variant: Variant, seed: int, options: argparse.Namespace) -> None:
    folder = Path(options.runs) / f"{variant.name}-{seed}"
    changes = [f"steps={options.steps}", f"seed={seed}", f"model={yaml.safe_dump(variant.model)}"]
    if not finished(folder, options.steps):
        resume = ["--resume"] if (folder / "last.pt").exists() else []
        call(folder, "train", options.recipe, "--data", options.data, "--output", folder,
             *(part for change in changes for part in ("--set", change)), *resume)  # fmt: skip
    groups = [part for group in options.group or [] for part in ("--group", group)]
    cameras = ["both", "rgb", "thermal"] if variant.name == "full" else ["both"]
    call(folder, "eval", "run", "--data", options.list, "--output", folder / "boxes", *groups,
         "--checkpoint", folder / "weights.safetensors", "--name", "ours", "--modality", *cameras,
         "--condition", *CONDITIONS, "--workers", "1")  # fmt: skip


def finished(folder: Path, steps: int) -> bool:
    losses = folder / "losses.csv"
    lines = losses.read_text().splitlines() if losses.exists() else []
    return len(lines) > 1 and lines[-1].split(",")[0] == str(steps)


def call(folder: Path, *arguments: object) -> None:
    """One `ainet ...` on one thread; what it prints goes to the run's log."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (folder / "log.txt").open("a") as log:
        ended = subprocess.run(
            [sys.executable, "-m", "ainet_core.cli", *map(str, arguments)],
            stdout=log, stderr=log, env=environment, check=False,
        )  # fmt: skip
    if ended.returncode:
        raise SystemExit(f"ablation: {folder} stopped, see {folder / 'log.txt'}")


def page(options: argparse.Namespace) -> str:
    truths = [sequence.truth for sequence in read_benchmark(options.list)]
    read: dict[str, list[dict[str, Evaluation]]] = {}
    for variant in chosen(options):
        for seed in range(1, variant.seeds + 1):
            folders = result_folders(Path(options.runs) / f"{variant.name}-{seed}" / "boxes")
            parts = fitting_truths(folders, truths, "list")
            scored = {f.name: score_folder(f, t, PROTOCOLS["list"])[0] for f, t in parts.items()}
            read.setdefault(variant.name, []).append(scored)
    groups = list(next(iter(read.values()))[0]["ours"].groups())
    return "\n\n".join(
        [
            "# Ablation at nano size",
            f"Made by `python bench/ablation.py`; do not edit. {options.steps} steps of "
            f"`{options.recipe}`, on one CPU core each; success (SR) of one-pass evaluation, mean "
            "and, where there are several seeds, half the range in brackets. These are short "
            "trainings of a small network: differences below the spread say nothing.",
            variants_table(options, read, groups),
            "## One camera each (full)\n\n" + cameras_table(read["full"]),
            "## The order of the layers (full)\n\n" + order_section(options),
            "## The paper\n\nOn LasHeR, with a ViT-B (PR / NPR / SR, percent): DFM adds "
            "1.0 / 0.8 / 0.5 to the baseline, OFM 1.1 / 0.5 / 0.4.",
        ]
    ) + "\n"  # fmt: skip


def variants_table(
    options: argparse.Namespace, read: dict[str, list[dict[str, Evaluation]]], groups: list[str]
) -> str:
    header = ["variant", "seeds", *groups, "mean over groups", *(f"@{c}" for c in CONDITIONS)]
    rows = []
    for variant in chosen(options):
        runs = read[variant.name]
        by_group = [[r["ours"].groups()[g].success for r in runs] for g in groups]
        overall = [r["ours"].mean_over_groups()[2] for r in runs]
        failing = [[r[f"ours@{c}"].mean().success for r in runs] for c in CONDITIONS]
        columns = [*by_group, overall, *failing]
        rows.append([variant.title, str(len(runs)), *map(mean_and_spread, columns)])
    return table(header, rows)


def cameras_table(runs: list[dict[str, Evaluation]]) -> str:
    rows = []
    for suffix, title in CAMERAS.items():
        row = [title]
        for condition in ("", *CONDITIONS):
            name = f"ours{suffix}" + (f"@{condition}" if condition else "")
            group = next(iter(runs[0][f"ours@{CONDITIONS[0]}"].groups()))
            row.append(mean_and_spread([r[name].groups()[group].success for r in runs]))
        rows.append(row)
    return table(["cameras", "as recorded", *CONDITIONS], rows)


def order_section(options: argparse.Namespace) -> str:
    """What the OFM of each full network chose, with a plot beside the page."""
    sequences = [
        sequence
        for sequence in read_benchmark(options.list)
        if not options.group or sequence.group in options.group
    ]
    full = next(variant for variant in VARIANTS if variant.name == "full")
    chosen = {}
    for seed in range(1, full.seeds + 1):
        weights = Path(options.runs) / f"full-{seed}" / "weights.safetensors"
        chosen[f"seed {seed}"] = layer_order.watch(Tracker.from_checkpoint(weights), sequences, 40)
    picture = Path(options.output).with_name("ablation_order.png")
    layer_order.plot(chosen, picture)
    rows = [one.row(name) for name, one in chosen.items()]
    return f"{table(layer_order.HEADER, rows)}\n\n![where each layer comes]({picture.name})"


def mean_and_spread(values: list[float]) -> str:
    mean = f"{statistics.fmean(values):.3f}"
    return mean + (f" ({(max(values) - min(values)) / 2:.3f})" if len(values) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
