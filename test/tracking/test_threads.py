"""One thread or all: driven by made-up times, so that nothing here depends on the machine."""

from __future__ import annotations

import pytest
import torch

from ainet_core.tracking.threads import EVERY, FIRST_TRIAL, ThreadChoice


def run(choice: ThreadChoice, frames: int, seconds: dict[int, float]) -> list[int]:
    """The threads of so many frames, each as long as its number of threads takes."""
    used = []
    for _ in range(frames):
        before = choice.threads
        count = choice._other if choice._trial else before  # what `frame` sets
        used.append(count)
        choice.learn(seconds[count])
    return used


def test_refuses_less_than_one_thread() -> None:
    with pytest.raises(ValueError, match="at least one thread, got 0"):
        ThreadChoice(0)


def test_on_an_idle_machine_it_stays_with_all() -> None:
    choice = ThreadChoice(2)
    used = run(choice, 1000, {2: 0.027, 1: 0.042})
    assert choice.threads == 2
    assert used.count(1) <= 1000 / EVERY + 1  # a slow trial ends after one frame


def test_beside_a_busy_process_it_takes_one_and_comes_back() -> None:
    choice = ThreadChoice(2)
    run(choice, 50, {2: 0.027, 1: 0.042})
    used = run(choice, 1000, {2: 0.131, 1: 0.042})
    assert used[:3] == [2, 2, 1]  # two slow frames are enough
    assert choice.threads == 1
    assert used.count(2) < 0.03 * 1000
    run(choice, 2 * EVERY, {2: 0.027, 1: 0.042})
    assert choice.threads == 2


@pytest.mark.parametrize("slow_one_in", [3, 5, 7])
def test_a_few_frames_that_take_ten_times_as_long_are_seen(slow_one_in: int) -> None:
    choice = ThreadChoice(2)
    run(choice, 50, {2: 0.015, 1: 0.022})
    used = []
    for number in range(400):
        two = 0.147 if number % slow_one_in == 0 else 0.020
        used += run(choice, 1, {2: two, 1: 0.022})
    assert used.count(2) < 0.08 * len(used)


def test_one_frame_that_was_held_up_costs_no_more_than_a_while_alone() -> None:
    choice = ThreadChoice(2)
    run(choice, 50, {2: 0.015, 1: 0.022})
    used = run(choice, 1, {2: 0.150, 1: 0.022}) + run(choice, 400, {2: 0.015, 1: 0.022})
    assert used.count(1) <= EVERY + 5
    assert choice.threads == 2


def test_a_machine_that_was_busy_from_the_start_is_noticed() -> None:
    choice = ThreadChoice(2)
    used = run(choice, 100, {2: 0.131, 1: 0.042})
    assert used.index(1) == FIRST_TRIAL
    assert choice.threads == 1


def test_a_difference_that_is_noise_changes_nothing() -> None:
    choice = ThreadChoice(2)
    run(choice, 500, {2: 0.030, 1: 0.029})
    assert choice.threads == 2


def test_torchs_own_number_comes_back_after_each_frame() -> None:
    before = torch.get_num_threads()
    choice = ThreadChoice(before + 1)
    with choice.frame():
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with pytest.raises(RuntimeError, match="within"), choice.frame():
        raise RuntimeError("within")
    assert torch.get_num_threads() == before


def test_with_one_thread_there_is_nothing_to_choose() -> None:
    choice = ThreadChoice(1)
    for _ in range(3 * EVERY):
        with choice.frame():
            pass
    assert choice.threads == 1
