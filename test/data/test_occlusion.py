"""A hidden target is gone from both images, and nothing else is."""

import numpy as np
import pytest

from ainet_core.data.occlusion import hidden, hide
from ainet_core.data.sequence import ArrayFrames, FramePair, Sequence

BOX = np.array([60.0, 40, 20, 16])


def scene(dtype=np.uint8) -> FramePair:
    """A slope with a bright target in both cameras, thermal at half the size."""
    rgb = np.repeat(np.arange(160, dtype=np.uint8)[None, :, None], 120, 0).repeat(3, 2)
    thermal = np.ascontiguousarray(rgb[::2, ::2, 0]).astype(dtype)
    rgb[40:56, 60:80] = 250
    thermal[20:28, 30:40] = 250
    return FramePair(rgb, thermal)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_target_is_gone_and_the_rest_is_there(dtype) -> None:
    pair = scene(dtype)
    gone = hide(pair, BOX)
    assert pair.rgb.max() == 250  # the input is as it was
    assert gone.rgb.max() < 200
    assert gone.thermal.max() < 200
    assert (gone.rgb.dtype, gone.thermal.dtype) == (np.uint8, dtype)
    assert np.array_equal(gone.rgb[:30], pair.rgb[:30])
    assert np.array_equal(gone.rgb[:, :50], pair.rgb[:, :50])


def test_it_takes_what_fits_around_the_target() -> None:
    gone = hide(scene(), BOX)
    assert np.abs(gone.rgb[40:56, 60:80, 0].astype(int) - np.arange(60, 80)).max() < 3


@pytest.mark.parametrize("camera", ["rgb", "thermal"])
def test_one_camera_is_enough(camera: str) -> None:
    pair = scene()
    alone = FramePair(pair.rgb, None) if camera == "rgb" else FramePair(None, pair.thermal)
    box = BOX if camera == "rgb" else BOX / 2
    gone = getattr(hide(alone, box), camera)
    assert gone.max() < 200


@pytest.mark.parametrize("box", [(-10.0, -8, 20, 16), (150.0, 110, 30, 30), (0.0, 0, 160, 120)])
def test_works_at_the_border_and_for_targets_as_large_as_the_image(box) -> None:
    gone = hide(scene(), np.array(box))
    assert gone.rgb.shape == (120, 160, 3)


def test_a_sequence_without_its_target_for_a_while() -> None:
    pairs = [scene() for _ in range(6)]
    boxes = np.tile(BOX, (6, 1))
    cameras = (ArrayFrames([getattr(pair, name) for pair in pairs]) for name in ("rgb", "thermal"))
    sequence = hidden(Sequence("s", *cameras, boxes), range(2, 4))
    assert sequence.visible.tolist() == [True, True, False, False, True, True]
    brightest = [(pair.rgb.max(), pair.thermal.max()) for pair in sequence.frames()]
    assert [max(both) < 200 for both in brightest] == [False, False, True, True, False, False]
    assert sequence[3].rgb.max() < 200
    assert sequence.rgb is not None
