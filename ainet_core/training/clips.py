"""From a recipe's sources to groups of clips: most are read into memory, once."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ainet_core.data import sources as read
from ainet_core.data.clip import Clip
from ainet_core.data.folder import ENDINGS
from ainet_core.data.readers import open_sequence
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.training.recipe import Source
from ainet_core.training.streams import Index, StreamedClips, build_index, training_sequences

logger = logging.getLogger(__name__)

VIDEOS = (".mp4", ".avi", ".mkv", ".webm")
UNREADABLE_SHARE = 0.01  # above this share of unreadable files a run does not begin

Job = Callable[[], list[Clip]]


@dataclass(frozen=True)
class Group:
    """What was found for one source.

    Attributes:
        source: of the recipe.
        clips: in memory, or read when asked for.
        files: files, folders or worlds that there are.
        read: how many of them were read; fewer in a dry run.
        frames: of the clips.
        size: of the clips in memory, in bytes.
        unreadable: a line for each file that was skipped.
    """

    source: Source
    clips: Sequence[Clip]
    files: int
    read: int
    frames: int
    size: int
    unreadable: list[str]

    def describe(self) -> str:
        """One line for people."""
        share = self.files / max(self.read, 1)
        about = "about " if self.read < self.files else ""
        unit = {"world": "worlds", "sequences": "folders", "benchmark": "sequences"}
        line = f"{self.source.label}: {self.files:,} {unit.get(self.source.kind, 'files')}"
        if self.source.kind == "benchmark":
            return f"{line}, {self.frames:,} frames, read while training"
        return (
            f"{line}, {about}{share * len(self.clips):,.0f} clips, "
            f"{share * self.frames:,.0f} frames, {share * self.size / 2**20:,.0f} MiB in memory"
        )


def usable_sources(sources: Sequence[Source], data: Path | None) -> list[tuple[int, Source]]:
    """The sources to train on, with their number in the recipe.

    Without a data folder those that need one are left out, each with a line that says so.

    Raises:
        FileNotFoundError: no source is left, or the data folder lacks what some of them need.
    """
    chosen = [(number, source) for number, source in enumerate(sources) if source.share > 0]
    if data is None:
        for _, source in chosen:
            if source.kind != "world":
                logger.warning("left out, no --data FOLDER given: %s", source.label)
        generated = [(number, source) for number, source in chosen if source.kind == "world"]
        if not generated:
            raise FileNotFoundError("every source of the recipe needs --data FOLDER")
        return generated
    if not data.is_dir():
        raise FileNotFoundError(f"no data folder at {data}")
    missing = sorted(
        {
            path
            for _, source in chosen
            if source.kind != "world"
            for path in (source.path, source.thermal)
            if not (data / path).is_dir()
        }
    )
    if missing:
        raise FileNotFoundError(
            f"{data}: no folder {', '.join(missing)}; to train without a source, set its share "
            "to 0 (--set sources.0.share=0 for the first)"
        )
    return chosen


def load_group(
    number: int,
    source: Source,
    data: Path | None,
    seed: int,
    keep: Path | None = None,
    limit: int | None = None,
) -> Group:
    """Read one source, with progress.

    Args:
        number: of the source in its recipe.
        source: of `usable_sources`.
        data: the data folder; the generated world needs none.
        seed: the recipe's.
        keep: folder for the index of a benchmark, so that it is built once; None: not kept.
        limit: stop after so many files with targets, to see what there is.

    Raises:
        FileNotFoundError: no files.
        ValueError: more than 1 % of the files are unreadable.
    """
    if source.kind == "benchmark":
        assert data is not None
        return _streamed(number, source, data, keep)
    jobs = list(_jobs(source, data, (seed, 2, number)))
    if not jobs:
        raise FileNotFoundError(f"source {source.label}: no files in {data}/{source.path}")
    clips: list[Clip] = []
    unreadable: list[str] = []
    read = fruitful = 0
    # Without a limit ahead of time, in threads; with one no more than is looked at.
    made = _readers().map(_run, jobs) if limit is None else map(_run, jobs)
    for some in tqdm(made, source.label, len(jobs), leave=False, unit="file", disable=bool(limit)):
        read += 1
        if isinstance(some, str):
            unreadable.append(some)
        elif some:
            clips.extend(some)
            fruitful += 1
        if fruitful == limit:
            break
    _check_share(source, unreadable, len(jobs))
    if not clips:
        raise ValueError(f"source {source.label}: {len(jobs)} files, but no target in them")
    frames = sum(len(clip) for clip in clips)
    size = sum(_bytes(clip) for clip in clips)
    return Group(source, clips, len(jobs), read, frames, size, unreadable)


def _streamed(number: int, source: Source, data: Path, keep: Path | None) -> Group:
    kept = None if keep is None else keep / f"index_{number}.npz"
    broken: list[str] = []
    if kept is not None and kept.is_file():
        index = Index.load(kept)
    else:
        sequences = training_sequences(source.dataset, data / source.path)
        sequences = [files for files in sequences if not _skipped(files.folder, source)]
        progress = tqdm(sequences, source.label, unit="sequence", leave=False)
        index, broken = build_index(source.dataset, progress)
        _check_share(source, broken, len(sequences))
        if kept is not None:
            index.save(kept)
    found = len(index.folders)
    clips = StreamedClips(index, source.gap)
    return Group(source, clips, found, found, len(index.numbers), 0, broken)


def _check_share(source: Source, unreadable: list[str], count: int) -> None:
    if len(unreadable) > UNREADABLE_SHARE * count:
        raise ValueError(
            f"source {source.label}: {len(unreadable)} of {count} files cannot be used, "
            f"more than {UNREADABLE_SHARE:.0%}; the first: {unreadable[0]}"
        )


def _jobs(source: Source, data: Path | None, seed: tuple[int, int, int]) -> Iterator[Job]:
    if source.kind == "world":
        for number in range(source.count):
            yield lambda n=number: [_world_clip((*seed, n))]  # type: ignore[misc]
        return
    assert data is not None
    folder = data / source.path
    if source.kind == "stills":
        yield lambda: list(read.boxed_stills(folder, source.camera))
        return
    if source.kind == "sequences":
        folders = sorted(p for p in folder.iterdir() if p.is_dir() and not _skipped(p, source))
        for number, path in enumerate(folders):
            yield lambda p=path, n=number: _sequence_clips(p, source, (*seed, n))  # type: ignore[misc]
        return
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if not _skipped(path, source) and path.suffix.lower() in (*VIDEOS, *ENDINGS):
            yield lambda p=path, n=number: _file_clips(p, source, data, (*seed, n))  # type: ignore[misc]

def _file_clips(path: Path, source: Source, data: Path, seed: tuple[int, ...]) -> list[Clip]:
    rng = np.random.default_rng(seed)
    is_video = path.suffix.lower() in VIDEOS
    if source.kind == "videos":
        boxes = path.with_suffix(".txt")
        return list(read.boxed_video(path, boxes, source.camera, source.frames))
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


@functools.cache
def _readers() -> ThreadPoolExecutor:
    # They live as long as the process. A thread that used OpenCV takes one of its locks when it
    # ends; a worker that is forked in that moment would wait for that lock for ever.
    return ThreadPoolExecutor(2)


def _run(job: Job) -> list[Clip] | str:
    """The clips, or why there are none: one unreadable file must not end a training."""
    try:
        return job()
    except (ValueError, OSError) as error:
        return " ".join(str(error).split())


def _bytes(clip: Clip) -> int:
    return sum(image.nbytes for images in (clip.rgb, clip.thermal) for image in images or [])
