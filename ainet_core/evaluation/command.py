"""`ainet eval run | score | report`."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from ainet_core.data.benchmarks import DATASETS, open_dataset, packaged_truth, recognise
from ainet_core.data.groundtruth import GroundTruth
from ainet_core.data.sequence import Sequence
from ainet_core.evaluation.protocol import PROTOCOLS, Protocol
from ainet_core.evaluation.results import ResultFolder
from ainet_core.evaluation.score import fitting_truths, result_folders, score_folder
from ainet_core.evaluation.scoring import Evaluation
from ainet_core.evaluation.table import figures_table


def run(options: argparse.Namespace) -> int:
    """Run trackers, then print their figures."""
    # Torch is imported as late as here: `ainet eval score` needs none.
    from ainet_core.evaluation.run import Share
    from ainet_core.evaluation.run import run as run_entries

    data = Path(options.data)
    dataset = options.dataset or recognise(data)
    sequences = _chosen(open_dataset(dataset, data, options.sequence), options.group)
    share, entries = Share.from_environment(), _entries(options)
    run_entries(
        entries, sequences, Path(options.output), _setup(options),
        _about(dataset, data), options.workers or _workers(options.device), share,
    )  # fmt: skip
    if share.rank == 0 and share.world == 1:
        folders = [Path(options.output) / entry.name for entry in entries
                   if any(entry.fits(sequence) for sequence in sequences)]  # fmt: skip
        truths = [sequence.truth for sequence in sequences]
        _print_scores(folders, truths, PROTOCOLS[dataset], dataset, allow_missing=False)
    return 0


def score(options: argparse.Namespace) -> int:
    """Score folders of result files."""
    folders = result_folders(Path(options.results))
    dataset, truths, _ = _truths(options, folders)
    if options.json:
        evaluations = _score(folders, truths, PROTOCOLS[dataset], dataset, options.allow_missing)
        figures = {e.tracker: e.mean().percent() for e in evaluations}
        one = len(folders) == 1 and folders[0] == Path(options.results)
        print(json.dumps(next(iter(figures.values())) if one else figures, indent=2))
    else:
        _print_scores(folders, truths, PROTOCOLS[dataset], dataset, options.allow_missing)
    return 0


def report(options: argparse.Namespace) -> int:
    """Write the page."""
    from ainet_core.evaluation.report import write_report

    folders = [folder for path in options.results for folder in result_folders(Path(path))]
    dataset, truths, sequences = _truths(options, folders)
    protocol = PROTOCOLS[dataset]
    evaluations = _score(folders, truths, protocol, dataset, options.allow_missing)
    old = [folder for path in options.compare or [] for folder in result_folders(Path(path))]
    baseline = _score(old, truths, protocol, dataset, options.allow_missing)
    boxes = {
        e.tracker: {
            truth.name: ResultFolder(folder).read(truth, allow_missing=True)[0].boxes
            for truth in truths if truth.name in {s.name for s in e.sequences}
        }
        for e, folder in zip(evaluations, folders, strict=True)
    }  # fmt: skip
    write_report(
        evaluations, Path(options.output), sequences=sequences, boxes=boxes, baseline=baseline,
        command=shlex.join(["ainet", *sys.argv[1:]]),
    )  # fmt: skip
    print(f"wrote {options.output}")
    return 0


def _entries(options: argparse.Namespace) -> list[Any]:
    """Ours with each of the chosen cameras and conditions, then the peers with one camera."""
    from ainet_core.evaluation.conditions import CONDITIONS
    from ainet_core.evaluation.one_pass import Modality
    from ainet_core.evaluation.run import Entry

    conditions = options.condition or []
    if "all" in conditions:
        conditions = list(CONDITIONS)
    if unknown := [condition for condition in conditions if condition not in CONDITIONS]:
        raise ValueError(f"no condition {unknown[0]!r}; there are all, {', '.join(CONDITIONS)}")
    name = options.name or (Path(options.checkpoint).stem if options.checkpoint
                            else options.preset)  # fmt: skip
    entries = []
    if not options.peers_only:
        for modality in options.modality:
            gone = f"no-{modality}"
            entries.append(Entry(name, modality))
            entries += [Entry(name, modality, c) for c in conditions if c != gone]
    cameras: list[Modality] = [m for m in options.modality if m != "both"] or ["rgb", "thermal"]
    for peer in options.peer or []:
        one: list[Modality] = ["both"]
        entries += [Entry(peer, camera) for camera in (one if peer == "static" else cameras)]
    return entries


def _setup(options: argparse.Namespace) -> Any:
    from ainet_core.evaluation.run import Setup

    device = options.device
    local = os.environ.get("LOCAL_RANK")
    if device == "auto" and local is not None:
        from ainet_core.tracking.tracker import choose_device

        device = f"cuda:{local}" if choose_device("auto").type == "cuda" else "cpu"
    checkpoint = Path(options.checkpoint) if options.checkpoint else None
    nanotrack = Path(options.nanotrack) if options.nanotrack else None
    return Setup(options.preset, checkpoint, device, nanotrack, options.threads, options.seed)


def _workers(device: str) -> int:
    """One on a GPU, else one for each core that this rank has."""
    from ainet_core.tracking.tracker import choose_device

    if choose_device(device).type == "cuda":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))


def _about(dataset: str, data: Path) -> dict[str, Any]:
    import torch

    cores = os.cpu_count()
    return {
        "command": shlex.join(["ainet", *sys.argv[1:]]),
        "dataset": dataset,
        "data": str(data),
        "date": datetime.datetime.now().isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {cores} cores"
        + (f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""),
        "versions": {name: _version(package) for name, package in (
            ("ainet_ros", "ainet_ros"), ("torch", "torch"), ("numpy", "numpy"),
        )} | {"opencv": _opencv(), "python": platform.python_version()},
    }  # fmt: skip


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        return "unknown"


def _opencv() -> str:
    import cv2

    return str(cv2.__version__)


def _chosen(sequences: list[Sequence], groups: list[str] | None) -> list[Sequence]:
    if not groups:
        return sequences
    known = dict.fromkeys(sequence.group for sequence in sequences)
    if unknown := [group for group in groups if group not in known]:
        raise ValueError(f"no group {unknown[0]!r}; there are {', '.join(known)}")
    return [sequence for sequence in sequences if sequence.group in groups]


def _truths(
    options: argparse.Namespace, folders: list[Path]
) -> tuple[str, list[GroundTruth], dict[str, Sequence] | None]:  # fmt: skip
    """The data set, its truth, and its sequences by name where there are images.

    The truth is that of --data, else of the data that a run names, else packaged.
    """
    made_by = ResultFolder(folders[0]).run
    data = options.data or made_by.get("data")
    dataset = options.dataset or made_by.get("dataset") or (recognise(Path(data)) if data else "")
    if not dataset:
        raise ValueError(f"expected --dataset, one of {', '.join(DATASETS)}: {folders[0]} has no "
                         "run.json that says it")  # fmt: skip
    if data and Path(data).exists():
        sequences = open_dataset(dataset, Path(data))
        return dataset, [s.truth for s in sequences], {s.name: s for s in sequences}
    if options.data or dataset in ("folder", "list", "vtuav"):
        raise ValueError(f"expected --data with {dataset}'s boxes, got {data or 'none'}")
    return dataset, packaged_truth(dataset), None


def _score(
    folders: list[Path],
    truths: list[GroundTruth],
    protocol: Protocol,
    dataset: str,
    allow_missing: bool,
) -> list[Evaluation]:
    evaluations = []
    for folder, chosen in fitting_truths(folders, truths, dataset).items():
        evaluation, wrong = score_folder(folder, chosen, protocol, allow_missing)
        for line in wrong:
            print(f"warning: {line}", file=sys.stderr)
        evaluations.append(evaluation)
    return evaluations


def _print_scores(
    folders: list[Path],
    truths: list[GroundTruth],
    protocol: Protocol,
    dataset: str,
    allow_missing: bool,
) -> None:
    for evaluation in _score(folders, truths, protocol, dataset, allow_missing):
        print(figures_table(evaluation))
