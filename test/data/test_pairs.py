"""Training samples: reproducible, and the box is where the picture says."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ainet_core.data.clip import Clip, around_target
from ainet_core.data.pairs import PairSampler
from ainet_core.data.view import View
from ainet_core.model.config import ModelConfig

CONFIG = ModelConfig(width=32, depth=2, heads=2, template_size=64, search_size=128)


def clip(thermal: bool, frames: int = 4) -> Clip:
    """A white square with a dark core walks over grey ground."""
    images, boxes = [], []
    for number in range(frames):
        image = np.full((200, 240, 3), 90, np.uint8)
        x, y = 80 + 8 * number, 70 + 5 * number
        cv2.rectangle(image, (x, y), (x + 39, y + 29), (255, 255, 255), -1)
        images.append(image)
        boxes.append([x, y, 40, 30])
    grey = [image[..., 0] for image in images]
    return Clip(images, grey if thermal else None, np.array(boxes, dtype=np.float64))


def test_refuses_to_sample_from_nothing() -> None:
    with pytest.raises(ValueError, match="no clips"):
        PairSampler([([], 1.0)], CONFIG, seed=1, batch=2)


def test_a_sample_depends_on_seed_and_number_alone() -> None:
    first = PairSampler([([clip(True)], 1.0)], CONFIG, seed=1, batch=4)
    second = PairSampler([([clip(True)], 1.0)], CONFIG, seed=1, batch=4)
    other = PairSampler([([clip(True)], 1.0)], CONFIG, seed=2, batch=4)
    second.sample(3)
    a, b, c = first.sample(9), second.sample(9), other.sample(9)
    assert np.array_equal(a.search, b.search)
    assert np.array_equal(a.box, b.box)
    assert not np.array_equal(a.box, c.box)


@pytest.mark.parametrize("thermal", [False, True])
def test_samples_of_one_batch_have_equally_many_cameras(thermal: bool) -> None:
    sampler = PairSampler([([clip(thermal)], 1.0)], CONFIG, seed=1, batch=4, both_cameras=0.5)
    cameras = [len(sampler.sample(number).search) for number in range(80)]
    batches = np.array(cameras).reshape(-1, 4)
    assert (batches == batches[:, :1]).all()
    assert set(cameras) == {1, 2}


def test_shapes_and_ranges() -> None:
    sampler = PairSampler([([clip(False), clip(True)], 1.0)], CONFIG, seed=1, batch=4)
    present = []
    for number in range(200):
        sample = sampler.sample(number)
        assert sample.template.shape[1:] == (64, 64, 3)
        assert sample.search.shape[1:] == (128, 128, 3)
        assert sample.search.dtype == np.uint8
        assert (sample.box[:2] > 0).all()
        assert (sample.box[:2] < 1).all()
        assert (sample.extent > 0).all()
        present.append(sample.present)
    assert 0.8 < np.mean(present) < 1


def test_a_guessed_size_counts_within_one_frame_alone() -> None:
    """Or where something with an exact size was pasted over the target."""
    guessed = replace(clip(False, frames=40), sized=False)
    known = PairSampler([([clip(False)], 1.0)], CONFIG, seed=1, batch=4)
    sampler = PairSampler([([guessed], 1.0)], CONFIG, seed=1, batch=4)
    assert all(known.sample(number).sized for number in range(50))
    share = np.mean([sampler.sample(number).sized for number in range(300)])
    assert 0.4 < share < 0.65  # 40 % twice the same frame, and 20 % pasted over


def test_a_view_puts_the_box_where_it_puts_the_picture() -> None:
    source = clip(False)
    box = source.boxes[0]
    view = View(np.array([95.0, 90.0]), np.array([150.0, 160.0]), 0.15)
    assert source.rgb is not None
    seen = view.cut(source.rgb[0], 128)[..., 0] > 180
    rows, columns = np.nonzero(seen)
    center = np.array([columns.mean(), rows.mean()]) + 0.5
    np.testing.assert_allclose(center / 128, view.box(box)[:2], atol=0.01)


def test_kept_frames_show_the_target_where_its_box_is() -> None:
    source = clip(True)
    assert source.rgb is not None
    assert source.thermal is not None
    (rgb, thermal), box = around_target([source.rgb[0], source.thermal[0]], source.boxes[0])
    assert rgb is not None
    assert thermal is not None
    assert rgb.shape[:2] == thermal.shape
    x, y, w, h = np.round(box).astype(int)
    assert rgb[y + 2 : y + h - 2, x + 2 : x + w - 2].min() > 200
    assert rgb[y + h + 3, x] [0] < 120
