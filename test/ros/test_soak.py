"""A minute of the soak test; `make soak MINUTES=60` runs an hour of it."""

from __future__ import annotations

import time

import pytest
import soak

pytestmark = [pytest.mark.dds, pytest.mark.slow]


def test_a_minute_of_random_faults(ros, tmp_path):
    seed = int(time.time())
    print("seed", seed)
    report, held = soak.run(60, seed, tmp_path)
    print(report)
    print((tmp_path / "soak.log").read_text()[-3000:])
    assert held, report
