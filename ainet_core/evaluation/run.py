"""Run trackers over a data set, in several processes, so that it can be stopped and go on.

A job is one sequence for one entry (a tracker, its cameras, a condition). Jobs whose boxes lie in
the output folder are done. Under torchrun every rank takes its fixed share of the jobs and writes
to the same folder, so nothing has to be agreed on; what a killed rank left the next run does.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

import cv2
import torch
from tqdm import tqdm

from ainet_core.data.sequence import Sequence
from ainet_core.evaluation.conditions import CONDITIONS
from ainet_core.evaluation.one_pass import Modality, SingleObjectTracker, StaticBox, run_sequence
from ainet_core.evaluation.peers import PEERS, OpenCvTracker, peer_maker
from ainet_core.evaluation.results import ResultFolder
from ainet_core.tracking.tracker import Tracker, shipped_weights

logger = logging.getLogger(__name__)

# What must not differ between the run that began a folder and the one that goes on.
IDENTITY = ("dataset", "tracker", "weights", "modality", "condition", "seed", "threads")


@dataclass(frozen=True)
class Entry:
    """One folder of results.

    Attributes:
        tracker: a peer's name, or how ours is to be called.
        modality: the cameras that it sees.
        condition: what befalls them, "" for nothing.
    """

    tracker: str
    modality: Modality = "both"
    condition: str = ""

    @property
    def name(self) -> str:
        camera = "" if self.modality == "both" else f"-{self.modality}"
        return f"{self.tracker}{camera}" + (f"@{self.condition}" if self.condition else "")

    def fits(self, sequence: Sequence) -> bool:
        """Whether the sequence has the cameras; conditions need two, or there is no other."""
        both = sequence.rgb is not None and sequence.thermal is not None
        if self.condition and not both:
            return False
        return self.modality == "both" or getattr(sequence, self.modality) is not None


@dataclass(frozen=True)
class Setup:
    """How trackers are made; goes to the worker processes.

    Attributes:
        preset, checkpoint, device: of our tracker, as `Tracker.from_preset` takes them.
        nanotrack: folder of NanoTrack's ONNX files.
        threads: for each process. Results may depend on it in the last digits, never on the
            number of processes.
        seed: of the conditions.
    """

    preset: str = "nano"
    checkpoint: Path | None = None
    device: str = "auto"
    nanotrack: Path | None = None
    threads: int = 1
    seed: int = 0

    def make(self, entry: Entry) -> SingleObjectTracker:
        """A tracker; ValueError or FileNotFoundError if it cannot be made here."""
        if entry.tracker == "static":
            return StaticBox()
        if entry.tracker in PEERS:
            return OpenCvTracker(peer_maker(entry.tracker, self.nanotrack))
        if self.checkpoint:
            return Tracker.from_checkpoint(self.checkpoint, self.device)
        return Tracker.from_preset(self.preset, self.device)

    def weights(self, entry: Entry) -> str:
        """SHA-256 of what our tracker loads; "" for a peer."""
        if entry.tracker in PEERS:
            return ""
        file = self.checkpoint or shipped_weights(self.preset)
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


@dataclass(frozen=True)
class Share:
    """Which of the jobs are ours: every `world`-th, from the `rank`-th. torchrun sets both."""

    rank: int = 0
    world: int = 1

    @classmethod
    def from_environment(cls) -> Share:
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


def run(
    entries: Iterable[Entry],
    sequences: list[Sequence],
    output: Path,
    setup: Setup,
    about: dict[str, Any],
    workers: int = 1,
    share: Share | None = None,
) -> None:
    """Run every entry over every sequence that fits, results below `output`.

    Args:
        about: what `run.json` says besides the entry, see `_about` in `command`.

    Raises:
        ValueError: a folder holds another run's results, or sequences failed (all are named).
    """
    share = share or Share.from_environment()
    jobs = [(entry, s) for entry in entries for s in sequences if entry.fits(s)]
    for entry in dict.fromkeys(entry for entry, _ in jobs):
        setup.make(entry)  # mistakes are seen before hours of work
        names = [sequence.name for job, sequence in jobs if job == entry]
        _claim(ResultFolder(output / entry.name), entry, names, setup, about, share)
    ours = jobs[share.rank :: share.world]
    left = [
        (entry, s) for entry, s in ours
        if not ResultFolder(output / entry.name).done(s.name, len(s))
    ]  # fmt: skip
    if len(left) < len(ours):
        logger.info("%d of %d sequences are done already", len(ours) - len(left), len(ours))
    if left:
        _run_jobs(left, output, setup, workers)


def _claim(
    folder: ResultFolder,
    entry: Entry,
    names: list[str],
    setup: Setup,
    about: dict[str, Any],
    share: Share,
) -> None:
    """Say in `run.json` what the folder holds; refuse a folder that holds something else."""
    this = {
        **about, "tracker": entry.tracker, "modality": entry.modality,
        "condition": entry.condition, "weights": setup.weights(entry), "seed": setup.seed,
        "threads": setup.threads,
    }  # fmt: skip
    there = folder.run
    other = [key for key in IDENTITY if there and there.get(key) != this.get(key)]
    if other:
        raise ValueError(
            f"{folder.path} holds another run: {other[0]} is {there.get(other[0])!r} there and "
            f"{this.get(other[0])!r} now; choose another --output, or remove the folder"
        )
    known = there.get("sequences", [])
    if share.rank == 0 and not set(names) <= set(known):
        folder.write_run({**(there or this), "sequences": list(dict.fromkeys([*known, *names]))})


def _run_jobs(
    jobs: list[tuple[Entry, Sequence]], output: Path, setup: Setup, workers: int
) -> None:
    # Spawned: a forked process can't use CUDA, and OpenMP's threads don't survive a fork.
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    frames = sum(len(sequence) for _, sequence in jobs)
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)), context, initializer=_start, initargs=(setup, counter)
    )
    try:
        futures = {pool.submit(_run_job, *job, output): job for job in jobs}
        with tqdm(total=frames, unit="frame", desc=f"{len(jobs)} sequences") as progress:
            _follow(futures, counter, progress)
        _raise_failures(futures)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _follow(
    futures: dict[Future[None], tuple[Entry, Sequence]], counter: Any, progress: tqdm
) -> None:
    left = set(futures)
    while left:
        finished, left = wait(left, timeout=1.0)
        progress.update(counter.value - progress.n)
        for future in finished:
            entry, sequence = futures[future]
            progress.set_postfix_str(f"{entry.name} {sequence.name}")


def _raise_failures(futures: dict[Future[None], tuple[Entry, Sequence]]) -> None:
    failed = []
    for future, (entry, sequence) in futures.items():
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            raise ValueError(
                "a worker process was killed (out of memory?); what is done stays, run the same "
                "command again with fewer --workers"
            ) from error
        if isinstance(error, ValueError):
            failed.append(f"{entry.name}, {sequence.name}: {error}")
        elif error is not None:
            raise error
    if failed:
        raise ValueError(f"{len(failed)} sequences failed, the others are done:\n  "
                         + "\n  ".join(failed))  # fmt: skip


class _Worker:
    """What a worker process keeps between its jobs."""

    setup: Setup
    counter: Any
    trackers: dict[Entry, SingleObjectTracker] = {}


def _start(setup: Setup, counter: Any) -> None:
    # A process pool's workers outlive a killed parent, and would wait for ever.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(setup.threads)
    cv2.setNumThreads(setup.threads)
    _Worker.setup, _Worker.counter = setup, counter


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _run_job(entry: Entry, sequence: Sequence, output: Path) -> None:
    if entry not in _Worker.trackers:
        _Worker.trackers = {entry: _Worker.setup.make(entry)}  # one at a time: memory
    cv2.setRNGSeed(0)  # MOSSE draws at random: a sequence must not depend on the one before
    condition = CONDITIONS[entry.condition] if entry.condition else None
    result = run_sequence(
        _Worker.trackers[entry],
        sequence,
        entry.modality,
        Sequence.frames
        if condition is None
        else lambda s: condition.frames(s, _Worker.setup.seed),
        _count,
    )
    ResultFolder(output / entry.name).write(sequence.name, result)


def _count() -> None:
    with _Worker.counter.get_lock():
        _Worker.counter.value += 1
