"""Which stamps of one camera are believed."""

import pytest

from ainet_core.stamps import JUMP_BACK_NS, LATE_IN_A_ROW, LEAP_NS, Stamps


def test_a_leap_is_refused_until_the_next_agrees() -> None:
    stamps = Stamps(newest=10)
    assert stamps.leaps(10 + LEAP_NS, 0)
    assert not stamps.leaps(20 + LEAP_NS, 0)


def test_a_leap_after_a_pause_as_long_is_believed() -> None:
    assert not Stamps(newest=10).leaps(10 + LEAP_NS, LEAP_NS)


@pytest.mark.parametrize("back", [JUMP_BACK_NS, 3 * JUMP_BACK_NS])
def test_far_back_is_a_jump_by_so_much(back: int) -> None:
    stamps = Stamps(newest=10 * JUMP_BACK_NS)
    assert stamps.jumps_back(10 * JUMP_BACK_NS - back) == back
    assert stamps.newest == 10 * JUMP_BACK_NS - back


def test_a_little_back_is_jitter_unless_it_goes_on() -> None:
    stamps = Stamps(newest=100)
    jumps = [stamps.jumps_back(90) for _ in range(LATE_IN_A_ROW)]
    assert jumps == [0] * (LATE_IN_A_ROW - 1) + [10]


def test_what_is_forgotten_is_no_time_to_jump_back_from() -> None:
    stamps = Stamps(newest=100, late=2, ahead=5)
    stamps.forget()
    assert stamps == Stamps()
    assert stamps.jumps_back(1) == 0
