"""A constant velocity bridges what cannot be seen."""

import numpy as np
import pytest

from ainet_core.tracking.motion import Coasting, Motion


@pytest.mark.parametrize(
    ("name", "value"), [("smoothing", 0.0), ("smoothing", 1.1), ("frames", -1)]
)
def test_refuses_impossible_coasting(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Coasting(**{name: value})


def seen(frames: int) -> Motion:
    """A target that moves 3 right and 1 down a frame."""
    motion = Motion(np.array([10.0, 20, 8, 8]), Coasting(smoothing=1.0, frames=4))
    for frame in range(1, frames):
        motion.see(np.array([10.0 + 3 * frame, 20 + frame, 8, 8]))
    return motion


def test_stays_where_nothing_moved() -> None:
    assert np.array_equal(seen(1).expected(), [10, 20, 8, 8])


def test_goes_on_and_then_waits() -> None:
    motion = seen(5)
    places = []
    for _ in range(6):
        places.append(motion.expected()[:2].tolist())
        motion.miss()
    assert places == [[25, 25], [28, 26], [31, 27], [34, 28], [34, 28], [34, 28]]


def test_a_gap_does_not_count_as_speed() -> None:
    motion = seen(5)
    motion.miss()
    motion.see(np.array([28.0, 26, 8, 8]))  # two steps in two frames
    assert motion.expected()[:2] == pytest.approx([31, 27])


def test_follows_the_image_size() -> None:
    motion = seen(5)
    motion.rescale(np.array([2.0, 0.5]))
    assert motion.expected() == pytest.approx([50, 12.5, 16, 4])
