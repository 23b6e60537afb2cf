"""Where a lost target is looked for."""

from itertools import islice

import numpy as np
import pytest

from ainet_core.tracking.search import SearchPlan, regions, tiles

BOX = np.array([300.0, 200, 30, 40])


@pytest.mark.parametrize(
    "wrong",
    [{"widen_step": 1.0}, {"widen_limit": 0.9}, {"near_every": 0}, {"most_tiles": 0},
     {"looks": 0}, {"follow_above": 1.1}, {"follow_within": -0.1}],
)
def test_refuses_a_plan_that_does_not_go_on(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SearchPlan(**wrong)


def test_widens_first_and_then_goes_everywhere_and_comes_back() -> None:
    looks = list(islice(regions(BOX, (480, 640), 4.0, SearchPlan()), 400))
    widenings = [widening for _, widening in looks[:10]]
    assert widenings == pytest.approx([1.1**power for power in range(10)])
    assert all(box is None for box, _ in looks[:10])
    sweep = looks[10:70]
    assert sum(box is None for box, _ in sweep) >= len(sweep) // 4
    # And again without end, wide looks too.
    assert sum(widening > 2 for _, widening in looks) >= 4


def test_without_a_sweep_it_stays_near() -> None:
    looks = islice(regions(BOX, (480, 640), 4.0, SearchPlan(sweep=False)), 100)
    assert all(box is None for box, _ in looks)


@pytest.mark.parametrize("size", [(8.0, 8.0), (30.0, 40.0), (100.0, 20.0), (100.0, 110.0)])
@pytest.mark.parametrize("image", [(480, 640), (120, 160), (1024, 1280)])
def test_a_target_anywhere_lies_wholly_in_some_tile(size, image) -> None:
    box, plan = np.array([3.0, 4.0, *size]), SearchPlan()
    places, widening = tiles(box, image, 4.0, plan)
    assert 1 <= len(places) <= plan.most_tiles
    side = 4.0 * widening * np.sqrt(size[0] * size[1])
    centers = np.array([place[:2] + place[2:] / 2 for place in places])
    seed = 5
    print(f"seed {seed}")
    for _ in range(200):
        corner = np.random.default_rng(seed).uniform(0, 1, 2) * (
            np.array(image[::-1]) - np.array(size)
        )
        seed += 1
        inside = (np.abs(centers - corner - np.array(size) / 2) + np.array(size) / 2) <= side / 2
        # A target longer than its region never fits; its middle must.
        if max(size) < 0.5 * side:
            assert inside.all(axis=1).any()
        else:
            assert (np.abs(centers - corner - np.array(size) / 2) <= side / 2).all(axis=1).any()


def test_the_nearest_tile_comes_first() -> None:
    places, _ = tiles(np.array([600.0, 440, 20, 20]), (480, 640), 4.0, SearchPlan())
    far = [np.hypot(*(place[:2] + 10 - (610, 450))) for place in places]
    assert far == sorted(far)
