"""What the demo shows for it: track.mp4, track.png, boxes.txt and one table."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ainet_core.data.sequence import FramePair, Sequence
from ainet_core.evaluation.metrics import overlap, precision_rate, success_rate
from ainet_core.imaging.draw import contact_sheet, side_by_side
from ainet_core.imaging.video import VideoWriter
from ainet_ros.parameters import Box

MEMORY = 800_000_000  # bytes of frames kept, so that rendering does not compete with tracking
SHEET_FRAMES = 12


class Film:
    """A sequence whose frames are kept in memory, if they fit there."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self._kept: list[FramePair] = []

    def load(self) -> Iterator[int]:
        """Prepare frame by frame; a sequence too long for the memory is read while it plays."""
        size = 0
        for index, pair in enumerate(self.sequence.frames()):
            size += sum(image.nbytes for image in pair if image is not None)
            if size > MEMORY:
                self._kept = []
                return
            self._kept.append(pair)
            yield index

    def frames(self) -> Iterator[FramePair]:
        """All pairs in order."""
        return iter(self._kept) if self._kept else self.sequence.frames()

    def back_and_forth(self) -> Iterator[FramePair]:
        """All pairs for ever, so that nothing jumps; one too long for the memory begins anew."""
        while True:
            yield from self.frames()
            yield from reversed(self._kept[1:-1])


@dataclass
class Record:
    """What came back for what was sent."""

    sent: int = 0
    strangers: int = 0  # messages with another header than a pair's, or a second for one pair
    boxes: dict[int, Box | None] = field(default_factory=dict)  # frame -> box, None when empty
    latencies: list[float] = field(default_factory=list)  # seconds from sending to the box
    times: list[float] = field(default_factory=list)  # when each box came

    def add(self, index: int, box: Box | None, sent_at: float, now: float) -> None:
        self.boxes[index] = box
        self.latencies.append(now - sent_at)
        self.times.append(now)

    def scores(self, truth: NDArray[np.float64]) -> tuple[float, float]:
        """(SR, PR) over the frames that were processed; an empty message is a miss."""
        frames = sorted(self.boxes)
        found = [self.boxes[frame] or (np.nan,) * 4 for frame in frames]
        predicted = np.array(found, np.float64).reshape(-1, 4)
        return success_rate(predicted, truth[frames]), precision_rate(predicted, truth[frames])

    def while_absent(self, truth: NDArray[np.float64]) -> str:
        """What was told when the target first went out of sight, in words; empty: never."""
        gone = np.flatnonzero((truth[:, 2:] <= 0).any(axis=1))
        if not len(gone):
            return ""
        first, back = gone[0], gone[0] + int((np.diff(gone, append=-1) != 1).argmax()) + 1
        told = [f for f in sorted(self.boxes) if first <= f < back and self.boxes[f] is None]
        again = [
            f for f in sorted(self.boxes)
            if f >= back and (box := self.boxes[f]) is not None
            and overlap(np.array([box]), truth[f : f + 1])[0] > 0.3
        ]  # fmt: skip
        lost = f"lost told after {told[0] - first} frames" if told else "not told"
        found = f"found again after {again[0] - back} frames" if again else "not found again"
        return f"frames {first} to {back - 1}; {lost}, {found}"


def write_report(folder: Path, film: Film, record: Record, status: Mapping[str, str]) -> Path:
    """Write everything into `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_pictures(folder, film, record)
    rows = table_rows(record, film.sequence.groundtruth, status)
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    (folder / "table.txt").write_text("\n".join(lines) + "\n")
    _write_boxes(folder / "boxes.txt", record, len(film.sequence))
    return folder


def table_rows(
    record: Record, truth: NDArray[np.float64], status: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The table: what is counted where is in the name."""
    success, precision = record.scores(truth)
    absent = record.while_absent(truth)
    latency = np.percentile(record.latencies or [np.nan], [50, 95]) * 1e3
    span = record.times[-1] - record.times[0] if len(record.times) > 1 else np.nan
    return [
        ("pairs sent", str(record.sent)),
        ("pairs received", status.get("pairs_received", "?")),
        ("pairs processed", f"{len(record.boxes)} ({status.get('pairs_skipped', '?')} skipped)"),
        ("wrong headers", str(record.strangers)),
        ("SR (processed frames)", f"{success:.3f}"),
        ("PR (processed frames)", f"{precision:.3f}"),
        *([("target out of sight", absent)] if absent else []),
        ("latency, median", f"{latency[0]:.1f} ms"),
        ("latency, 95th percentile", f"{latency[1]:.1f} ms"),
        ("frames/s", f"{(len(record.times) - 1) / span:.1f}"),
        ("device", status.get("device", "?")),
        ("scan backend", status.get("backend", "?")),
    ]


def _write_pictures(folder: Path, film: Film, record: Record) -> None:
    sequence = film.sequence
    wanted = _sheet_frames(record, len(sequence))
    sheet: list[NDArray[np.uint8]] = []
    held: Box | None = None
    bar = tqdm(film.frames(), "writing", len(sequence), unit="frame", file=sys.stdout)
    with VideoWriter(folder / "track.mp4", sequence.rate) as video:
        for index, pair in enumerate(bar):
            held = record.boxes.get(index, held)
            told = "skipped" if index not in record.boxes else "tracking" if held else "lost"
            truth, caption = sequence.groundtruth[index], (told, sequence.name, f"frame {index}")
            drawn = side_by_side(pair.rgb, pair.thermal, held, truth, caption)
            video.write(drawn)
            if index in wanted:
                sheet.append(drawn)
    picture = contact_sheet(sheet)
    cv2.imwrite(str(folder / "track.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def _sheet_frames(record: Record, count: int) -> set[int]:
    """Evenly spread frames, each moved to the nearest one that was processed."""
    spread = np.linspace(0, count - 1, min(SHEET_FRAMES, count)).round().astype(int)
    processed = np.array(sorted(record.boxes), int)
    if len(processed) < SHEET_FRAMES:
        return set(spread.tolist())
    return {int(processed[np.abs(processed - frame).argmin()]) for frame in spread}


def _write_boxes(path: Path, record: Record, count: int) -> None:
    """x,y,w,h per frame; nan where the message was empty or the frame was skipped."""
    boxes = [record.boxes.get(index) or (np.nan,) * 4 for index in range(count)]
    np.savetxt(path, np.array(boxes), fmt="%.2f", delimiter=",")
