"""Load a recipe's sources into memory once, and hand batches to the trainer from a worker."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ainet_core.data import sources as read
from ainet_core.data.clip import Clip
from ainet_core.data.pairs import PairSampler
from ainet_core.data.readers import open_sequence
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.training.recipe import Source

logger = logging.getLogger(__name__)

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
VIDEOS = (".mp4", ".avi", ".mkv", ".webm")

Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
Job = Callable[[], list[Clip]]


class BatchDataset(Dataset[Batch]):
    """Item n is step n's whole batch: templates, searches (M, B, S, S, 3) uint8, extent, box,
    present; see `Sample`."""

    def __init__(self, sampler: PairSampler, first_step: int, steps: int) -> None:
        self.sampler, self.first_step, self.steps = sampler, first_step, steps

    def __len__(self) -> int:
        return self.steps - self.first_step

    def __getitem__(self, item: int) -> Batch:
        start = (self.first_step + item) * self.sampler.batch
        samples = [self.sampler.sample(start + i) for i in range(self.sampler.batch)]
        return (
            torch.from_numpy(np.stack([s.template for s in samples], axis=1)),
            torch.from_numpy(np.stack([s.search for s in samples], axis=1)),
            torch.from_numpy(np.stack([s.extent for s in samples])),
            torch.from_numpy(np.stack([s.box for s in samples])),
            torch.tensor([s.present for s in samples]),
        )


def batches(dataset: BatchDataset) -> Iterator[Batch]:
    """Batches in order, made by one worker process ahead of time."""
    # Forked: the clips are shared with the worker, not copied.
    return iter(
        DataLoader(
            dataset, batch_size=None, num_workers=1, prefetch_factor=4,
            multiprocessing_context="fork", worker_init_fn=_start_worker,
        )
    )  # fmt: skip


def load_groups(recipe_sources: tuple[Source, ...], data: Path | None, seed: int) -> list[
    tuple[list[Clip], float]
]:  # fmt: skip
    """Read every source into memory, with progress; a source whose folder is absent is named.

    Raises:
        FileNotFoundError: a source needs a data folder that is not there.
    """
    groups = []
    for number, source in enumerate(recipe_sources):
        rng_seed = (seed, 2, number)
        jobs = list(_jobs(source, data, rng_seed))
        if not jobs:
            raise FileNotFoundError(f"source {source.kind} {source.path!r}: no files found")
        clips: list[Clip] = []
        label = f"{source.kind} {source.path}".strip()
        with ThreadPoolExecutor(2) as pool:
            for made in tqdm(pool.map(_run, jobs), total=len(jobs), desc=label, unit="file"):
                clips.extend(made)
        size = sum(_bytes(clip) for clip in clips) / 2**20
        logger.info("%s: %d clips, %.0f MiB", label, len(clips), size)
        groups.append((clips, source.share))
    return groups


def _jobs(source: Source, data: Path | None, seed: tuple[int, int, int]) -> Iterator[Job]:
    if source.kind == "world":
        for number in range(source.count):
            yield lambda n=number: [_world_clip((*seed, n))]  # type: ignore[misc]
        return
    if data is None:
        raise FileNotFoundError(f"source {source.kind} {source.path!r} needs --data FOLDER")
    folder = data / source.path
    if not folder.exists():
        raise FileNotFoundError(f"source {source.kind}: no folder {folder}")
    if source.kind == "stills":
        yield lambda: list(read.boxed_stills(folder, source.camera))
        return
    if source.kind == "sequences":
        folders = sorted(p for p in folder.iterdir() if p.is_dir() and not _skipped(p, source))
        for number, path in enumerate(folders):
            yield lambda p=path, n=number: _sequence_clips(p, source, (*seed, n))  # type: ignore[misc]
        return
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if not _skipped(path, source) and path.suffix.lower() in (*VIDEOS, *IMAGES):
            yield lambda p=path, n=number: _file_clips(p, source, data, (*seed, n))  # type: ignore[misc]


def _file_clips(path: Path, source: Source, data: Path, seed: tuple[int, ...]) -> list[Clip]:
    rng = np.random.default_rng(seed)
    is_video = path.suffix.lower() in VIDEOS
    if source.kind == "videos":
        return list(read.boxed_video(path, path.with_suffix(".txt"), source.camera))
    if source.kind == "tracks":
        table = path.with_name(f"{path.stem}_auto_boxes.csv")
        return list(read.boxed_tracks(path, table, source.camera)) if table.exists() else []
    if source.kind == "moving":
        return list(read.moving_targets(read.read_video(path, step=4), source.camera))
    images = read.read_video(path)[:40] if is_video else [read.read_image(path)]
    rgb: list[read.Image] | None = images
    thermal: list[read.Image] | None = None
    if source.thermal:
        other = data / source.thermal / path.name
        partner = read.read_video(other)[:40] if is_video else [read.read_image(other)]
        thermal = [image[..., 0] for image in partner]
    if source.camera == "thermal":
        rgb, thermal = None, [image[..., 0] for image in images]
    if is_video:
        return list(read.textured_tracks(rgb, thermal, source.count, rng))
    return list(
        read.textured_regions(
            None if rgb is None else rgb[0],
            None if thermal is None else thermal[0],
            source.count,
            rng,
        )
    )


def _sequence_clips(path: Path, source: Source, seed: tuple[int, ...]) -> list[Clip]:
    """Clips of a folder of our own layout: its boxes, or textured regions where it has none."""
    sequence = open_sequence(path)
    boxes = sequence.groundtruth
    known = np.asarray(np.nan_to_num(boxes[:, 2:]).min(axis=1) >= 4)
    step = max(1, len(sequence) // 40)
    frames = [
        (number, *pair)
        for number, pair in enumerate(sequence.frames())
        if number % step == 0 and (known[number] or not known.any())
    ]
    if not frames:
        return []
    rgb = [image for _, image, _ in frames if image is not None] or None
    thermal = [to_eight_bit(image) for _, _, image in frames if image is not None] or None
    if not known.any():
        rng = np.random.default_rng(seed)
        return list(read.textured_tracks(rgb, thermal, source.count, rng))
    return [read.make_pair_clip(rgb, thermal, boxes[[number for number, _, _ in frames]])]


def _world_clip(seed: tuple[int, ...], frames: int = 10) -> Clip:
    from ainet_core.data.synthetic import random_world

    world = random_world(int(np.random.default_rng(seed).integers(2**31)))
    numbers = np.linspace(0, len(world) - 1, frames).astype(int)
    rgb, thermal, boxes = [], [], []
    for number in numbers:
        image, heat, box, visible = world.frame(int(number))
        if visible < 0.5 or not np.isfinite(box).all() or box[2:].min() < 6:
            continue
        rgb.append(image)
        thermal.append(heat)
        boxes.append(box)
    if len(boxes) < 2:
        return _world_clip((*seed, 1), frames)
    return read.make_pair_clip(rgb, thermal, np.array(boxes))


def _skipped(path: Path, source: Source) -> bool:
    return bool(source.skip) and re.search(source.skip, path.stem) is not None


def _run(job: Job) -> list[Clip]:
    try:
        return job()
    except ValueError as error:  # one unreadable file must not end a training
        logger.warning("skipped: %s", error)
        return []


def _bytes(clip: Clip) -> int:
    return sum(image.nbytes for images in (clip.rgb, clip.thermal) for image in images or [])


def _start_worker(_: int) -> None:
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
