"""What the benches track: the development sequence `stairs`, or a generated world without it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

STAIRS = Path(__file__).resolve().parents[2] / "shared/data/sequences/stairs"


@cache
def _sequence() -> tuple[str, Any, list[tuple[Any, Any]]]:
    from ainet_core.data.readers import open_sequence
    from ainet_core.data.synthetic import random_world

    if STAIRS.is_dir():
        sequence = open_sequence(STAIRS)[:120]
        return "stairs", sequence.groundtruth[0], list(sequence.frames())
    world = random_world(3)
    made = [world.frame(number) for number in range(min(len(world), 120))]
    return "generated world 3", made[0][2], [(rgb, thermal) for rgb, thermal, _, _ in made]


def name() -> str:
    return _sequence()[0]


def first() -> tuple[Any, Any, Any]:
    """The first pair, and the target's box in it."""
    _, box, pairs = _sequence()
    return (*pairs[0], box)


def some(count: int) -> list[tuple[Any, Any]]:
    """So many pairs that follow; from the start again at the end."""
    pairs = _sequence()[2]
    return [pairs[1 + number % (len(pairs) - 1)] for number in range(count)]
