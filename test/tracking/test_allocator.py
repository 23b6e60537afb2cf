"""Does a process keep what it frees, where that pays?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from ainet_core.model.config import PRESETS
from ainet_core.tracking.allocator import keep_freed_memory, needs_large_blocks

FAULTS = """
import ctypes
import resource
import torch
from ainet_core.tracking.allocator import keep_freed_memory
torch.set_num_threads(1)
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        blocks = [torch.ones(5 << 18) for _ in range(6)]  # 5 MB each
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
ctypes.CDLL(None).mallopt(-3, 1 << 17)  # every large block from the system, as at the start
faults()
before = faults()
assert keep_freed_memory()
faults()
print(before, faults())
"""


def test_only_networks_with_large_tensors_ask_for_it() -> None:
    asked = {name for name, preset in PRESETS.items() if needs_large_blocks(preset.config)}
    assert asked == {"tiny", "small", "base"}


def test_another_platform_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_freed_memory.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        assert not keep_freed_memory()
    keep_freed_memory.cache_clear()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_pages_are_not_handed_back_and_forth() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, timeout=120, check=True
    )
    before, after = (int(number) for number in run.stdout.split())
    assert after < 100 < before, run.stdout
