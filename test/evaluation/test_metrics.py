"""Precision and success by hand."""

import numpy as np
import pytest

from ainet_core.evaluation.metrics import center_error, overlap, precision_rate, success_rate

TRUTH = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4, [0, 0, 0, 0.0]])


def test_refuses_other_shapes_and_counts() -> None:
    with pytest.raises(ValueError, match="predicted must be .n, 4."):
        success_rate(np.zeros(4), TRUTH)
    with pytest.raises(ValueError, match="1 predicted boxes for 4 true ones"):
        success_rate(np.zeros((1, 4)), TRUTH)


def test_overlap_and_distance() -> None:
    a, b = np.array([[0, 0, 10, 10.0]]), np.array([[5, 0, 10, 10.0]])
    assert overlap(a, b) == pytest.approx(1 / 3)
    assert center_error(a, b) == pytest.approx(5)


def test_only_frames_with_a_box_count_and_nothing_is_changed() -> None:
    predicted = np.array([[0, 0, 10, 10], [100, 0, 10, 10], [0, 0, 1, 1], [0, 0, 1, 1.0]])
    before = predicted.copy()
    assert success_rate(predicted, TRUTH) == pytest.approx((20 / 21 + 0) / 2)
    assert precision_rate(predicted, TRUTH) == pytest.approx(0.5)
    assert np.array_equal(before, predicted)


def test_no_true_box_at_all_is_not_a_number() -> None:
    assert np.isnan(success_rate(TRUTH[2:], TRUTH[2:]))
