"""The fit finds what made the data, and a calibration's error is what it should be."""

from __future__ import annotations

import numpy as np
import pytest
import score

from ainet_core.tracking.confidence import Evidence, UsualLikeness, features

SEED = 3


def drawn(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, whether a frame was right, and the chance that it was drawn with."""
    rng = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    matrix = rng.normal(size=(count, 7)) * [1, 2, 0.1, 0.1, 0.1, 0.1, 0.3]
    logits = matrix @ [1.0, -0.5, 3.0, 0, 5.0, 0, -2.0] + 0.7
    chance = 1 / (1 + np.exp(-logits))
    return matrix, rng.random(count) < chance, chance


def test_the_fit_finds_the_chances_that_it_was_drawn_with() -> None:
    matrix, right, chance = drawn(20_000)
    found = score.chances(score.calibration(score.fit(matrix, right)), matrix)
    assert np.abs(found - chance).mean() < 0.01


def test_the_error_of_true_chances_is_small_and_of_boasts_large() -> None:
    _, right, chance = drawn(20_000)
    assert score.calibration_error(chance, right) < 0.02
    assert score.calibration_error(np.full(len(right), 0.99), right) == pytest.approx(
        0.99 - right.mean()
    )


def test_a_sequence_is_judged_by_a_calibration_that_did_not_see_it() -> None:
    """Where every sequence has a rule of its own, nothing can be known of the others."""
    rng = np.random.default_rng(SEED)
    watched = []
    for number in range(16):
        one = score.Watched(f"s{number}", "g")
        for _ in range(60):
            right = bool(rng.random() < 0.5)
            sign = 1 if number % 2 else -1
            one.right.append(right)
            one.kinds.append("with the target")
            change = 0.5 + sign * (0.3 if right else -0.3)
            one.evidence.append(Evidence(0.5, 0.5, 0.5, 0.5, change))
        watched.append(one)
    held_out = score.cross_validated(watched)
    right = np.concatenate([one.right for one in watched])
    # What is learnt from the others is of no use, or misleads: half of them have the other rule.
    assert np.corrcoef(held_out, right)[0, 1] < 0.1


def test_the_matrix_follows_the_names_of_the_features() -> None:
    one = score.Watched("s", "g", evidence=[Evidence(0.5, 0.5, 0.8, 0.6, 0.1)] * 2)
    assert one.matrix().shape == (2, 7)
    assert list(features(one.evidence[0], UsualLikeness()))[2] == "coarse"
    assert one.matrix()[1].tolist() == pytest.approx([0, 0, 0.8, 0.6, 0, 0, 0.1])
