"""The `Sequence` type."""

import pickle

import numpy as np
import pytest

from ainet_core.data.sequence import ArrayFrames, Sequence


def images(count: int, channels: int | None = None) -> ArrayFrames:
    shape = (6, 8) if channels is None else (6, 8, channels)
    return ArrayFrames([np.full(shape, index, np.uint8) for index in range(count)])


def boxes(count: int) -> np.ndarray:
    return np.tile([1.0, 2.0, 3.0, 4.0], (count, 1))


def test_no_camera_is_refused():
    with pytest.raises(ValueError, match="s: expected frames of at least one camera"):
        Sequence("s", None, None, boxes(0))


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="got 4 RGB and 5 thermal"):
        Sequence("s", images(4, 3), images(5), boxes(4))


@pytest.mark.parametrize("shape", [(3, 4), (4, 5), (4,)])
def test_boxes_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected 4 boxes .* got shape"):
        Sequence("s", images(4, 3), None, np.zeros(shape))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match="rate must be > 0"):
        Sequence("s", images(4, 3), None, boxes(4), rate)


def test_frames_outside_are_refused():
    sequence = Sequence("s", images(4, 3), None, boxes(4))
    with pytest.raises(IndexError, match="frame 4 of 4"):
        sequence[4]
    with pytest.raises(ValueError, match="part of the 4 frames"):
        sequence[3:3]
    with pytest.raises(ValueError, match="part of the 4 frames"):
        sequence[::2]
    with pytest.raises(ValueError, match='camera must be "rgb" or "thermal"'):
        sequence.only("infrared")


def test_both_cameras_in_order():
    sequence = Sequence("s", images(4, 3), images(4), boxes(4))
    assert len(sequence) == 4
    for index, (rgb, thermal) in enumerate(sequence.frames()):
        assert rgb.shape == (6, 8, 3)
        assert thermal.shape == (6, 8)
        assert rgb[0, 0, 0] == thermal[0, 0] == index
        assert sequence[index].thermal[0, 0] == index
    assert sequence[-1].rgb[0, 0, 0] == 3


def test_a_missing_camera_is_none():
    for frame in Sequence("s", None, images(3), boxes(3)).frames():
        assert frame.rgb is None
        assert frame.thermal is not None
    both = Sequence("s", images(3, 3), images(3), boxes(3))
    assert both.only("rgb")[0].thermal is None
    assert both.only("thermal")[0].rgb is None


def test_a_part_shares_frames_and_boxes():
    truth = boxes(6)
    truth[:, 0] = np.arange(6)
    part = Sequence("s", images(6, 3), images(6), truth, 9.0, "g")[2:5]
    assert (len(part), part.rate, part.group) == (3, 9.0, "g")
    assert part.groundtruth[:, 0].tolist() == [2, 3, 4]
    assert [frame.thermal[0, 0] for frame in part.frames()] == [2, 3, 4]
    again = part[1:]
    assert [frame.rgb[0, 0, 0] for frame in again.frames()] == [3, 4]
    assert again[0].thermal[0, 0] == 3


def test_visible_means_annotated_and_there():
    truth = boxes(4)
    truth[1] = np.nan
    truth[2] = 0
    assert Sequence("s", images(4, 3), None, truth).visible.tolist() == [True, False, False, True]


def test_the_boxes_cannot_be_changed():
    truth = boxes(2)
    sequence = Sequence("s", images(2, 3), None, truth)
    truth[0, 0] = 99
    assert sequence.groundtruth[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        sequence.groundtruth[0, 0] = 5


def test_loaded_and_pickled_it_is_the_same():
    part = Sequence("s", images(6, 3), None, boxes(6))[1:4]
    for same in (part.load(), pickle.loads(pickle.dumps(part))):
        assert same.thermal is None
        assert [frame.rgb[0, 0, 0] for frame in same.frames()] == [1, 2, 3]
