"""One-pass evaluation, and the shipped weights on a real sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ainet_core.data.readers import read_benchmark
from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.evaluation.metrics import success_rate
from ainet_core.evaluation.one_pass import StaticBox, run_sequence
from ainet_core.tracking.tracker import Tracker, shipped_weights

DEVELOPMENT = Path(__file__).parents[3] / "shared" / "data" / "benchmark.csv"


def still_sequence(boxes: np.ndarray) -> Sequence:
    frames = ArrayFrames([np.zeros((40, 60, 3), np.uint8)] * len(boxes))
    return Sequence("still", frames, None, boxes)


def test_refuses_a_sequence_without_a_first_box() -> None:
    boxes = np.array([[np.nan] * 4, [1, 1, 5, 5]])
    with pytest.raises(ValueError, match="still: the first frame has no box"):
        run_sequence(StaticBox(), still_sequence(boxes))


def test_refuses_a_camera_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="still: expected a thermal camera, got none"):
        run_sequence(StaticBox(), still_sequence(np.ones((2, 4))), "thermal")


def test_a_static_box_stays_and_every_frame_is_counted() -> None:
    boxes = np.array([[10, 10, 10, 10], [10, 10, 10, 10], [40, 20, 10, 10.0]])
    steps: list[int] = []
    result = run_sequence(StaticBox(), still_sequence(boxes), step=lambda: steps.append(1))
    assert result.boxes.tolist() == [[10, 10, 10, 10]] * 3
    assert len(steps) == 3
    assert result.scores is not None
    assert result.seconds is not None
    assert len(result.scores) == len(result.seconds) == 3


@pytest.mark.slow
@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="development data is not beside the project")
@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
def test_shipped_weights_follow_the_man_on_the_stairs() -> None:
    """CSRT reaches 0.74 there, a static box 0.25."""
    (stairs,) = [s for s in read_benchmark(DEVELOPMENT) if s.name == "stairs"]
    result = run_sequence(Tracker.from_preset("nano", "cpu"), stairs)
    assert success_rate(result.boxes, stairs.groundtruth) >= 0.65
