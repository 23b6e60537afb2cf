"""`python bench/alignment.py --data FOLDER`: is the alignment found from the scene the true one?

Registered pairs are taken apart: the RGB camera sees the middle 80 % of the image, the thermal
one a part that is shifted, scaled and turned by known amounts. Writes its tables into
docs/alignment.md; about half an hour on one core.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pages import table
from tqdm import tqdm

from ainet_core.data.aligned import aligned
from ainet_core.data.folder import ImageFolder
from ainet_core.data.readers import open_videos, read_benchmark
from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.evaluation.metrics import success_rate
from ainet_core.evaluation.one_pass import run_sequence
from ainet_core.imaging.registration import mapped
from ainet_core.imaging.remaining_shift import RemainingShift
from ainet_core.imaging.scene_alignment import align_scene
from ainet_core.tracking.tracker import Tracker

SEED = 1
SEEN = 0.8  # of the image's sides that the RGB camera sees
WRONG = 5.0  # pixels: an answer further off than this helps nobody
SHIFTS = (0, 4, 8, 16, 32)
BEGIN, END = ("<!-- made by bench/alignment.py -->", "<!-- end of bench/alignment.py -->")

Pair = tuple[NDArray[np.uint8], NDArray[Any]]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rig:
    """Registered pairs that one warp is put on; `scene` is where they were taken."""

    kind: str
    scene: str
    pairs: list[Pair]


@dataclass(frozen=True)
class Outcome:
    """Pixels from the data set's registration, and from what is found in the pairs unmoved; nan
    where the one or the other was refused."""

    kind: str
    error: float
    beyond: float


def rigs(data: Path) -> Iterator[Rig]:
    """Twenty frames of each video, all stills of one size as one rig, and stills alone."""
    videos = data / "sequences"
    for name, ends in {"stairs": [(0, 150)], "forecourt": [(0, 204)],
                       "pier": [(0, 279), (280, 559)]}.items():  # fmt: skip
        whole = open_videos(videos / name / "visible.mp4", videos / name / "infrared.mp4")
        for first, last in ends:
            numbers = np.linspace(first, last, 20).astype(int)
            yield Rig("video, 20 frames", name, some(whole, numbers))
    for clip in sorted((videos / "clips").iterdir()):
        frames = some(open_videos(clip / "rgb", clip / "tir"), range(20))
        yield Rig("video, 20 frames", clip.name, frames)
    for name, part in (("msrs", 17), ("m3fd", 10)):
        stills = read_stills(data / "pairs" / name)
        for first in range(0, len(stills), part):
            together = stills[first : first + part]
            yield Rig(f"{name}, {part} stills together", f"{name} {first}", together)
    for name, step in (("roadscene", 9), ("tno", 3), ("msrs", 5), ("m3fd", 2)):
        for number, pair in enumerate(read_stills(data / "pairs" / name)[::step]):
            yield Rig(f"{name}, each still alone", f"{name} {number}", [pair])


def some(sequence: Sequence, numbers: Any) -> list[Pair]:
    pairs = (sequence[int(number)] for number in numbers)
    return [(pair.rgb, pair.thermal) for pair in pairs]  # type: ignore[misc]


def read_stills(folder: Path) -> list[Pair]:
    return list(zip(ImageFolder(folder / "rgb"), ImageFolder(folder / "tir", True), strict=True))


def draw_warp(rng: np.random.Generator, size: tuple[int, int]) -> Matrix:
    """From the moved thermal image to the RGB camera's, both of `size`."""
    height, width = size
    scale, turn = math.exp(rng.uniform(math.log(0.8), math.log(1.25))), rng.uniform(-5, 5)
    middle = (width - 1) / 2, (height - 1) / 2
    warp = np.vstack([cv2.getRotationMatrix2D(middle, turn, scale), [0, 0, 1]])
    warp[:2, 2] += rng.uniform(-0.06, 0.06, 2) * width
    return np.asarray(warp)


def taken_apart(pair: Pair, warp: Matrix | None) -> Pair:
    """What the two cameras see; what the registered thermal image lacks is mirrored."""
    rgb, thermal = pair
    if warp is None:
        return pair
    height, width = seen_size(pair)
    y, x = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    to_whole = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]) @ warp
    moved = cv2.warpPerspective(
        thermal, to_whole, (width, height), borderMode=cv2.BORDER_REFLECT_101,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )  # fmt: skip
    return rgb[y : y + height, x : x + width], moved


def seen_size(pair: Pair) -> tuple[int, int]:
    return round(pair[0].shape[0] * SEEN), round(pair[0].shape[1] * SEEN)


def grid(size: tuple[int, int]) -> Matrix:
    x, y = np.linspace(0, size[1] - 1, 9), np.linspace(0, size[0] - 1, 7)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def between(one: Matrix, other: Matrix, size: tuple[int, int]) -> float:
    """Median over a grid of points of the pixels between two homographies."""
    points = grid(size)
    return float(np.median(np.linalg.norm(mapped(one, points) - mapped(other, points), axis=1)))


def find(pairs: list[Pair]) -> Matrix | None:
    try:
        return align_scene(pairs).alignment.homography
    except ValueError:
        return None


def measure(rig: Rig, warp: Matrix) -> Outcome:
    size = seen_size(rig.pairs[0])
    found = find([taken_apart(pair, warp) for pair in rig.pairs])
    if found is None:
        return Outcome(rig.kind, math.nan, math.nan)
    own = find(rig.pairs)  # whole images: their pixels begin elsewhere
    beyond = math.nan
    if own is not None:
        height, width = rig.pairs[0][1].shape
        y, x = (height - size[0]) // 2, (width - size[1]) // 2
        begin = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
        beyond = between(found, np.linalg.inv(begin) @ own @ begin @ warp, size)
    return Outcome(rig.kind, between(found, warp, size), beyond)


def strangers(made: list[Rig]) -> list[Rig]:
    """RGB of one rig with thermal of another of the same kind."""
    mixed = []
    for rig in made:
        others = [
            other for other in made if other.kind == rig.kind and other.scene != rig.scene
        ]
        if not others:
            continue
        other = others[(made.index(rig) * 5 + 3) % len(others)]
        size = rig.pairs[0][1].shape[::-1]
        both = zip(rig.pairs, other.pairs, strict=False)
        pairs = [(rgb, cv2.resize(thermal, size)) for (rgb, _), (_, thermal) in both]
        mixed.append(Rig(rig.kind, "", pairs))
    return mixed


def scene_table(outcomes: list[Outcome], refused: dict[str, list[bool]]) -> str:
    rows = []
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.kind == kind]
        errors, beyond = (np.array([getattr(outcome, name) for outcome in mine])
                          for name in ("error", "beyond"))  # fmt: skip
        known, fair = errors[np.isfinite(errors)], beyond[np.isfinite(beyond)]
        least = np.fmin(errors, beyond)
        rows.append([
            kind, str(len(mine)), pixels(known, 50), pixels(known, 90), pixels(fair, 50),
            pixels(fair, 90), f"{np.isnan(errors).sum()}", f"{(errors > WRONG).sum()}",
            f"{(least > WRONG).sum()}",
            f"{sum(refused[kind])} of {len(refused[kind])}" if refused.get(kind) else "-",
        ])  # fmt: skip
    return table(["rig", "rigs", "error, median", "90 %", "beyond the data's own, median", "90 %",
                  "refused", f"not refused, > {WRONG:g} px", "of these from both",
                  "refused where the cameras see different scenes"], rows)  # fmt: skip


def pixels(values: NDArray[np.float64], percentile: float) -> str:
    return f"{np.percentile(values, percentile):.1f}" if len(values) else "-"


def tracker_rows(sequence: Sequence, tracker: Tracker) -> list[list[str]]:
    """SR with thermal beside RGB, without and with the alignment found from the scene."""
    rows = []
    angle = np.random.default_rng(SEED).uniform(0, 2 * np.pi)
    truth = sequence.groundtruth
    for length in SHIFTS:
        moved = beside(sequence, length * np.cos(angle), length * np.sin(angle))
        row = [f"{length} px", percent(run_sequence(tracker, moved).boxes, truth)]
        try:
            found = align_scene(some(moved, np.linspace(0, len(moved) - 1, 20).astype(int)))
            brought = aligned(moved, found.alignment)
            row += [percent(run_sequence(tracker, brought).boxes, truth)]
        except ValueError:
            row += ["refused"]
        rows.append(row)
    return rows


def beside(sequence: Sequence, x: float, y: float) -> Sequence:
    move = np.array([[1, 0, x], [0, 1, y]], np.float64)
    assert sequence.thermal is not None
    thermal = [cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
               for image in sequence.thermal.between(0, len(sequence))]  # fmt: skip
    return replace(sequence, thermal=ArrayFrames(thermal))


def percent(boxes: Matrix, truth: Matrix) -> str:
    return f"{100 * success_rate(boxes, truth):.1f}"


def tracker_table(data: Path) -> str:
    tracker = Tracker.from_preset("nano", device="cpu")
    chosen = {"stairs": 120, "pier_1": 120, "forecourt": 55}
    parts = {sequence.name: sequence for sequence in read_benchmark(data / "benchmark.csv")}
    columns = []
    for name, count in tqdm(chosen.items(), desc="tracker"):
        columns.append(tracker_rows(parts[name][:count].load(), tracker))
    rows = [[columns[0][i][0], *(value for column in columns for value in column[i][1:])]
            for i in range(len(SHIFTS))]  # fmt: skip
    return table(["thermal beside RGB by", *(f"{name}, {how}" for name in chosen
                  for how in ("as it is", "aligned"))], rows)  # fmt: skip


def remaining_table(made: list[Rig], mixed: list[Rig], rng: np.random.Generator) -> str:
    """The running estimate on rigs shifted by up to 40 pixels."""
    rows = []
    for kind in dict.fromkeys(rig.kind for rig in made):
        errors = []
        for rig in (rig for rig in made if rig.kind == kind):
            x, y = rng.uniform(-30, 30, 2)
            told = watched(rig.pairs, x, y)
            errors.append(math.nan if told is None else math.hypot(told.x - x, told.y - y))
        strange = [watched(rig.pairs, 0, 0) for rig in mixed if rig.kind == kind]
        known = np.array(errors)[np.isfinite(errors)]
        rows.append([kind, str(len(errors)), pixels(known, 50), pixels(known, 90),
                     str(len(errors) - len(known)), str(int((known > 2 * WRONG).sum())),
                     f"{sum(told is None for told in strange)} of {len(strange)}" if strange
                     else "-"])  # fmt: skip
    header = ["pairs", "rigs", "error, median", "90 %", "does not know",
              f"wrong (> {2 * WRONG:g} px)", "does not know where scenes differ"]  # fmt: skip
    return table(header, rows)


def watched(pairs: list[Pair], x: float, y: float) -> Any:
    watch = RemainingShift()
    move = np.array([[1, 0, x], [0, 1, y]], np.float64)
    for rgb, thermal in pairs if len(pairs) > 2 else pairs * 3:
        watch.add(rgb, cv2.warpAffine(thermal, move, thermal.shape[1::-1],
                                      borderMode=cv2.BORDER_REPLICATE))  # fmt: skip
    return watch.shift


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="with pairs/ and sequences/")
    parser.add_argument("--output", type=Path, default=Path("docs/alignment.md"))
    options = parser.parse_args()
    made = list(rigs(options.data))
    mixed = strangers(made)
    rng = np.random.default_rng(SEED)
    outcomes = [measure(rig, draw_warp(rng, seen_size(rig.pairs[0])))
                for rig in tqdm(made, desc="rigs", unit="rig")]  # fmt: skip
    refused: dict[str, list[bool]] = {}
    for rig in tqdm(mixed[::2], desc="strangers", unit="rig"):
        warp = draw_warp(rng, seen_size(rig.pairs[0]))
        apart = [taken_apart(pair, warp) for pair in rig.pairs]
        refused.setdefault(rig.kind, []).append(find(apart) is None)
    parts = [
        BEGIN,
        "### From the scene\n\n" + scene_table(outcomes, refused),
        "### What the tracker loses\n\nSuccess (SR, percent) of `nano` over the first frames.\n\n"
        + tracker_table(options.data),
        "### The shift that remains\n\n" + remaining_table(made, mixed, rng),
        END,
    ]
    page = options.output.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[-1]
    options.output.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
