"""A network that cleanup forgot would add 9 MB a cycle; `python test/ros/cycles.py` goes on."""

from __future__ import annotations

import cycles
import pytest

pytestmark = [pytest.mark.dds, pytest.mark.slow]


def test_memory_does_not_grow_over_lifecycle_cycles(ros, tmp_path):
    memory = cycles.run(6, tmp_path)
    print("MB:", memory)
    assert memory[1] < memory[0] - 10  # a cleanup gives back what an active node held
    assert cycles.growth(memory) <= cycles.GROWTH_MB
