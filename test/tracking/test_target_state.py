"""Four states with hysteresis."""

import pytest

from ainet_core.tracking.target_state import StateThresholds, TargetState


def follow(state: TargetState, *confidences: float) -> list[str]:
    return [state.observe(confidence) for confidence in confidences]


def test_refuses_thresholds_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match="lost_below=0.6, found_above=0.2"):
        StateThresholds(lost_below=0.6, found_above=0.2)


@pytest.mark.parametrize(
    "name", ["lost_after", "found_after", "uncertain_after", "proved_after"]
)
def test_refuses_counts_under_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be >= 1 frame, got 0"):
        StateThresholds(**{name: 0})


def test_lost_only_after_several_doubtful_frames() -> None:
    state = TargetState(StateThresholds(0.2, lost_after=3, found_above=0.5, found_after=1))
    states = follow(state, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.3, 0.3, 0.6, 0.3)
    assert states == [
        "tracking", "tracking", "uncertain", "tracking", "tracking", "uncertain",
        "lost", "lost", "lost", "recovered", "recovered",
    ]  # fmt: skip


def test_uncertain_until_a_sure_frame() -> None:
    state = TargetState(StateThresholds(0.3, 5, 0.6))
    assert follow(state, 0.1, 0.1, 0.4, 0.5, 0.6, 0.1) == [
        "tracking", "uncertain", "uncertain", "uncertain", "tracking", "tracking",
    ]  # fmt: skip


def test_found_only_by_sure_frames_in_a_row_of_one_candidate() -> None:
    state = TargetState(StateThresholds(0.3, 1, 0.6, found_after=3))
    assert follow(state, 0.1, 0.9, 0.9, 0.5, 0.9, 0.9) == ["lost"] * 6
    state.drop()
    assert follow(state, 0.9, 0.9, 0.9) == ["lost", "lost", "recovered"]


def test_a_recovered_target_must_prove_itself() -> None:
    thresholds = StateThresholds(0.3, 5, 0.6, found_after=1, uncertain_after=2, proved_after=4)
    state = TargetState(thresholds)
    follow(state, *[0.1] * 5)
    assert follow(state, 0.9, 0.1, 0.1) == ["recovered", "recovered", "lost"]
    assert follow(state, 0.9, 0.5, 0.5, 0.5, 0.5) == ["recovered"] * 4 + ["tracking"]
