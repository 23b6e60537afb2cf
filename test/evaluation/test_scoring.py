"""Means over sequences, groups and attributes."""

from __future__ import annotations

import numpy as np
import pytest

from ainet_core.data.groundtruth import GroundTruth
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.scoring import Evaluation, TrackResult, mean_figures, score_sequence

PROTOCOL = PROTOCOLS["list"]


def scored(name: str, miss: int = 0, group: str = "", attributes: tuple[str, ...] = ()):
    """A sequence of 40 frames of which the last `miss` are missed, with a score that knows it."""
    boxes = np.tile([10.0, 10, 20, 20], (40, 1))
    predicted, scores = boxes.copy(), np.full(40, 0.9)
    if miss:
        predicted[-miss:, 0] += 500
        scores[-miss:] = 0.1
    result = TrackResult(predicted, scores, np.linspace(0, 0.039, 40))
    truth = GroundTruth(name, boxes, attributes=attributes, group=group)
    return score_sequence(result, truth, PROTOCOL)


def test_refuses_a_mean_of_nothing() -> None:
    with pytest.raises(ValueError, match="no sequences"):
        mean_figures([], PROTOCOL)


def test_figures_of_one_sequence() -> None:
    figures = scored("man", miss=10)
    assert figures.precision == pytest.approx(30 / 40)
    assert figures.success == pytest.approx(30 / 40 * 20 / 21)
    assert (figures.failures, figures.frames_to_failure) == (1, 30)
    assert len(figures.scores) == 39  # without the given one
    assert scored("man").frames_to_failure == 40


def test_means_by_group_and_attribute() -> None:
    parts = (
        scored("a", 0, "day", ("PO",)),
        scored("b", 20, "day", ("PO", "LI")),
        scored("c", 39, "night"),
    )
    evaluation = Evaluation("ours", PROTOCOL, parts)
    assert list(evaluation.groups()) == ["day", "night"]
    assert evaluation.groups()["day"].precision == pytest.approx(0.75)
    assert evaluation.mean().precision == pytest.approx((1 + 0.5 + 1 / 40) / 3)
    assert evaluation.mean_over_groups()[0] == pytest.approx((0.75 + 1 / 40) / 2)
    assert evaluation.attributes()["LI"].sequences == 1
    assert evaluation.attributes()["PO"].sequences == 2


def test_what_robots_need() -> None:
    mean = Evaluation("ours", PROTOCOL, (scored("a"), scored("b", 20))).mean()
    assert mean.failures == pytest.approx(1000 / 80)
    assert mean.frames_to_failure == pytest.approx((40 + 20) / 2)
    assert mean.separation == 1
    assert mean.latency[0] == pytest.approx(20, abs=0.5)  # milliseconds
    assert mean.latency[0] < mean.latency[1] < mean.latency[2]


def test_frames_without_the_target_count_against_a_sure_score() -> None:
    boxes = np.tile([10.0, 10, 20, 20], (4, 1))
    boxes[2:] = 0  # absent
    result = TrackResult(np.tile([10.0, 10, 20, 20], (4, 1)), np.array([1, 0.8, 0.3, 0.3]))
    figures = score_sequence(result, GroundTruth("man", boxes), PROTOCOL)
    assert figures.on_target.tolist() == [True, False, False]
    assert mean_figures([figures], PROTOCOL).separation == 1


def test_percent_is_what_papers_print() -> None:
    percent = Evaluation("ours", PROTOCOL, (scored("a"), scored("b", 20))).mean().percent()
    assert percent == {"PR": 75.0, "NPR": 75.0, "SR": round(75 * 20 / 21, 4), "sequences": 2}
