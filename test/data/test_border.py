"""Targets that an image border cuts."""

from __future__ import annotations

import numpy as np
import pytest

from ainet_core.data.border import Border, two_borders

BOX = np.array([40.0, 30.0, 20.0, 10.0])


@pytest.mark.parametrize(
    ("border", "visible"),
    [
        (Border(axis=0, upper=True, share=0.5), [40, 30, 10, 10]),
        (Border(axis=0, upper=False, share=0.5), [50, 30, 10, 10]),
        (Border(axis=1, upper=True, share=0.4), [40, 30, 20, 4]),
        (Border(axis=1, upper=False, share=0.4), [40, 36, 20, 4]),
    ],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_image_ends_where_the_visible_part_does(border, visible, channels) -> None:
    np.testing.assert_allclose(border.visible(BOX), visible)
    image = np.full((100, 120, *channels), 10, np.uint8)
    image[30:40, 40:60] = 250  # the target
    filled = border.fill(image, BOX)
    assert (image[30:40, 40:60] == 250).all()  # the frame that is kept stays whole
    x, y, w, h = map(int, visible)
    assert (filled[y : y + h, x : x + w] == 250).all()
    assert (filled == 250).sum() == w * h * (3 if channels else 1)
    far = (99, 119) if border.upper else (0, 0)  # a corner beyond the border
    assert np.abs(filled[far] - image[::8, ::8].mean()).max() <= 1


def test_the_search_region_is_cut_at_the_same_side_or_not_at_all() -> None:
    pairs = [two_borders(np.random.default_rng(seed)) for seed in range(60)]
    assert any(second is None for _, second in pairs)
    for first, second in pairs:
        assert 0.3 < first.share < 1
        if second is not None:
            assert (second.axis, second.upper) == (first.axis, first.upper)
