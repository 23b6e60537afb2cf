"""One-pass evaluation, and the shipped weights on real sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ainet_core.data.readers import read_benchmark
from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.evaluation.one_pass import StaticBox, by_group, run_sequence
from ainet_core.tracking.tracker import Tracker, shipped_weights

DEVELOPMENT = Path(__file__).parents[3] / "shared" / "data" / "benchmark.csv"


def still_sequence(boxes: np.ndarray, group: str = "") -> Sequence:
    frames = ArrayFrames([np.zeros((40, 60, 3), np.uint8)] * len(boxes))
    return Sequence("still", frames, None, boxes, group=group)


def test_refuses_a_sequence_without_a_first_box() -> None:
    boxes = np.array([[np.nan] * 4, [1, 1, 5, 5]])
    with pytest.raises(ValueError, match="first frame has no box"):
        run_sequence(StaticBox(), still_sequence(boxes))


def test_a_static_box_scores_what_it_covers() -> None:
    boxes = np.array([[10, 10, 10, 10], [10, 10, 10, 10], [40, 20, 10, 10.0]])
    result = run_sequence(StaticBox(), still_sequence(boxes))
    assert result.boxes.shape == (3, 4)
    assert result.success == pytest.approx(2 / 3 * 20 / 21)
    assert result.precision == pytest.approx(2 / 3)


def test_groups_are_means_over_sequences() -> None:
    good = run_sequence(StaticBox(), still_sequence(np.array([[1, 1, 5, 5.0]] * 4), "a"))
    bad_boxes = np.array([[1, 1, 5, 5], [40, 30, 5, 5.0]])
    bad = run_sequence(StaticBox(), still_sequence(bad_boxes, "b"))
    a, b, mean = by_group([good, good, bad])
    assert (a.group, a.sequences, b.group) == ("a", 2, "b")
    assert mean.success == pytest.approx((a.success + b.success) / 2)


@pytest.mark.slow
@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="development data is not beside the project")
@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
def test_shipped_weights_follow_the_man_on_the_stairs() -> None:
    """CSRT reaches 0.74 there, a static box 0.25."""
    (stairs,) = [s for s in read_benchmark(DEVELOPMENT) if s.name == "stairs"]
    result = run_sequence(Tracker.from_preset("nano", "cpu"), stairs)
    assert result.success >= 0.65
