"""Two thresholds with hysteresis."""

import pytest

from ainet_core.tracking.target_state import StateThresholds, TargetState


def test_refuses_thresholds_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match="lost_below=0.6, found_above=0.2"):
        StateThresholds(lost_below=0.6, found_above=0.2)
    with pytest.raises(ValueError, match="lost_after must be >= 1"):
        StateThresholds(lost_after=0)


def test_lost_only_after_several_doubtful_frames() -> None:
    state = TargetState(StateThresholds(lost_below=0.2, lost_after=3, found_above=0.5))
    scores = [0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.3, 0.3, 0.6, 0.3]
    states = [state.observe(score) for score in scores]
    assert states == ["tracking"] * 6 + ["lost"] * 3 + ["tracking"] * 2
