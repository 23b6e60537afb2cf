"""What a timeline is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from lost_and_found import Timeline, row


def told(there: str, states: str, overlaps: list[float]) -> Timeline:
    """`there`: + or -; `states`: t, u, l, r."""
    names = {"t": "tracking", "u": "uncertain", "l": "lost", "r": "recovered"}
    return Timeline("k", "n", [c == "+" for c in there], [names[c] for c in states], overlaps)


def test_time_to_be_found_counts_from_the_return() -> None:
    one = told("++--++++", "ttllllrr", [1, 1, 0, 0, 0.8, 0.8, 0.8, 0.8])
    assert one.found_after() == 2
    assert one.false_recoveries() == 0


def test_found_on_something_else_is_no_return() -> None:
    one = told("++--++++", "ttllrrrr", [1, 1, 0, 0, 0, 0, 0, 0])
    assert one.found_after() == np.inf
    assert one.false_recoveries() == 1


@pytest.mark.parametrize("there", ["++++", "++--"])
def test_what_never_left_or_never_came_back_has_no_time(there: str) -> None:
    assert np.isnan(told(there, "tttt", [1, 1, 1, 1]).found_after())


def test_precision_and_recall_are_of_frames() -> None:
    one = told("+++---++", "tultlltt", [1, 1, 1, 0, 0, 0, 1, 1])
    cells = row("k", "with", [one])
    assert cells[3:5] == ["0.67", "0.67"]  # 2 of 3 told without it, 2 of 3 without it told
