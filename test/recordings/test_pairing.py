"""Pairs by themselves; that they are the node's is tested beside the node (test/ros)."""

from __future__ import annotations

import pytest

from ainet_core.recordings.pairing import Pairer, Rules

MS = 1_000_000


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"pairing": "nearest"}, "one of approximate, exact, rgb_leads, got 'nearest'"),
        ({"slop": -0.1}, "slop must be >= 0 seconds, got -0.1"),
        ({"max_offset": float("nan")}, "max_offset must be >= 0 seconds, got nan"),
    ],
)
def test_wrong_rules_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Rules(**values)


def test_stamps_of_zero_and_repeated_moments_are_counted():
    pairer: Pairer[str] = Pairer(Rules(), cameras=(0,))
    assert pairer.put(0, 0, 1, "zero") is None
    assert pairer.put(0, 5 * MS, 2, "first") == ("first", None, 5 * MS, 2, False)
    assert pairer.put(0, 5 * MS, 3, "again") is None
    assert (pairer.refused, pairer.dropped) == (1, 1)


def test_the_nearest_within_slop_belongs_together():
    pairer: Pairer[str] = Pairer(Rules(slop=0.02))
    for at in (100, 110, 125):
        assert pairer.put(1, at * MS, at * MS, f"t{at}") is None
    assert pairer.put(0, 118 * MS, 130 * MS, "r118") == ("r118", "t125", 118 * MS, 130 * MS, False)
    assert pairer.put(0, 145 * MS, 146 * MS, "r145") is None


def test_rgb_leads_takes_the_newest_thermal_image_again_and_again():
    pairer: Pairer[str] = Pairer(Rules("rgb_leads", max_offset=0.1))
    pairer.put(1, 100 * MS, 100 * MS, "t100")
    found = [pairer.put(0, at * MS, at * MS, f"r{at}") for at in (110, 143, 176, 209)]
    assert [pair and (pair.rgb, pair.thermal) for pair in found] == [
        ("r110", "t100"), ("r143", "t100"), ("r176", "t100"), None,
    ]  # fmt: skip


def test_the_pair_after_a_jump_says_so():
    pairer: Pairer[str] = Pairer(Rules(), cameras=(1,))
    stamps = [9000, 9033, 1000, 1033]
    found = [pairer.put(1, at * MS, i * MS, "t") for i, at in enumerate(stamps)]
    assert [pair and pair.jumped for pair in found] == [False, False, True, False]
    assert pairer.jumps == 1
