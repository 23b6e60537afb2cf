"""Precision, success and what robots need, by hand."""

import numpy as np
import pytest

from ainet_core.evaluation.metrics import (
    OVERLAPS,
    center_error,
    failures,
    normalized_center_error,
    overlap,
    precision_rate,
    separation,
    share_above,
    share_within,
    success_rate,
)

TRUTH = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4, [0, 0, 0, 0.0]])


def test_refuses_other_shapes_and_counts() -> None:
    with pytest.raises(ValueError, match="predicted must be .n, 4."):
        success_rate(np.zeros(4), TRUTH)
    with pytest.raises(ValueError, match="1 predicted boxes for 4 true ones"):
        success_rate(np.zeros((1, 4)), TRUTH)


def test_overlap_and_distance() -> None:
    a, b = np.array([[0, 0, 10, 10.0]]), np.array([[5, 0, 10, 20.0]])
    assert overlap(a, a + [5, 0, 0, 0]) == pytest.approx(1 / 3)
    assert center_error(a, b) == pytest.approx(np.hypot(5, 5))
    assert normalized_center_error(a, b) == pytest.approx(np.hypot(5 / 10, 5 / 20))


def test_boxes_without_area_overlap_nothing() -> None:
    empty = np.array([[5, 5, 0, 0.0]])
    assert overlap(empty, empty) == 0
    assert overlap(empty, np.array([[0, 0, 10, 10.0]])) == 0


def test_curves_at_their_thresholds() -> None:
    overlaps = np.array([0, 0.5, 1.0, np.nan])
    curve = share_above(overlaps, OVERLAPS)
    assert (curve[0], curve[10], curve[20]) == (0.5, 0.25, 0)  # above, not at
    errors = np.array([5.0, 20, 21])
    assert share_within(errors, np.array([5.0, 20])).tolist() == [1 / 3, 2 / 3]
    assert share_within(errors, np.array([5.0, 20]), strict=True).tolist() == [0, 1 / 3]


def test_only_frames_with_a_box_count_and_nothing_is_changed() -> None:
    predicted = np.array([[0, 0, 10, 10], [100, 0, 10, 10], [0, 0, 1, 1], [0, 0, 1, 1.0]])
    before = predicted.copy()
    assert success_rate(predicted, TRUTH) == pytest.approx((20 / 21 + 0) / 2)
    assert precision_rate(predicted, TRUTH) == pytest.approx(0.5)
    assert np.array_equal(before, predicted)


def test_no_true_box_at_all_is_not_a_number() -> None:
    assert np.isnan(success_rate(TRUTH[2:], TRUTH[2:]))


def test_a_failure_is_ten_frames_in_a_row() -> None:
    overlaps = np.full(60, 0.8)
    overlaps[5:14] = 0  # nine: covered for a moment
    overlaps[20:30] = 0.1
    overlaps[40:] = 0
    assert failures(overlaps).tolist() == [20, 40]
    assert failures(np.full(5, 0.0)).tolist() == []


def test_separation_counts_pairs_and_halves_ties() -> None:
    there = np.array([True, True, False, False])
    assert separation(np.array([0.9, 0.8, 0.2, 0.1]), there) == 1
    assert separation(np.array([0.1, 0.2, 0.8, 0.9]), there) == 0
    assert separation(np.full(4, 0.5), there) == 0.5
    assert separation(np.array([0.9, 0.4, 0.4, 0.1]), there) == pytest.approx(3.5 / 4)
    assert np.isnan(separation(np.array([0.9, 0.8]), np.array([True, True])))
