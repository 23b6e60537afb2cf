"""Does a process keep what it frees, where that pays?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from ainet_core.tracking.allocator import give_back_freed_memory, keep_freed_memory

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

USERS_LOOP = """
import resource
import numpy as np
import torch
from ainet_core import Tracker
torch.set_num_threads(1)
tracker = Tracker.from_preset("nano", device="cpu")
noise = np.random.default_rng(0)
rgb = noise.integers(0, 256, (1024, 1280, 3), dtype=np.uint8)
thermal = noise.integers(7000, 9000, (1024, 1280), dtype=np.uint16)
tracker.init(rgb, thermal, (200.0, 150.0, 80.0, 90.0))
counts = []
for _ in range(20):
    images = rgb.copy(), thermal.copy()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tracker.update(*images)
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    del images
print(int(np.median(counts[5:])))
"""
GIVEN_BACK = """
from pathlib import Path
import torch
from ainet_core.tracking.allocator import give_back_freed_memory, keep_freed_memory
def megabytes():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1024
assert keep_freed_memory()
blocks = [torch.ones(5 << 18) for _ in range(12)]  # 5 MB each
del blocks
kept = megabytes()
assert give_back_freed_memory()
print(int(kept - megabytes()))
"""


def _printed_by(script: str) -> list[int]:
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    return [int(number) for number in run.stdout.split()]


def test_another_platform_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_freed_memory.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        assert not keep_freed_memory()
        assert not give_back_freed_memory()
    keep_freed_memory.cache_clear()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_pages_are_not_handed_back_and_forth() -> None:
    before, after = _printed_by(FAULTS)
    assert after < 100 < before, (before, after)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_an_update_takes_no_pages_though_its_user_frees_images() -> None:
    [faults] = _printed_by(USERS_LOOP)
    assert faults < 100


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_what_is_free_is_given_back_when_asked() -> None:
    [megabytes] = _printed_by(GIVEN_BACK)
    assert megabytes >= 50  # of 60
