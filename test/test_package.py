"""What `import ainet_core` does to the process, each time in a fresh one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def said_by(code: str, **environment: str) -> str:
    ours = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    inherited = {key: value for key, value in os.environ.items() if key not in ours}
    return subprocess.check_output(
        [sys.executable, "-c", code], text=True, env=inherited | environment
    ).strip()


def test_an_unknown_name_is_refused() -> None:
    import ainet_core

    with pytest.raises(AttributeError, match="'ainet_core' has no attribute 'Traker'"):
        ainet_core.Traker  # noqa: B018


def test_torch_comes_only_when_used() -> None:
    code = "import sys, ainet_core; before = 'torch' in sys.modules; ainet_core.Tracker; "
    assert said_by(code + "print(before, 'torch' in sys.modules)") == "False True"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "10000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "PASSIVE"}, "None"),
    ],
)
def test_openmp_spins_shortly_unless_told_otherwise(given: dict[str, str], expected: str) -> None:
    code = "import os, ainet_core; print(os.environ.get('GOMP_SPINCOUNT'))"
    assert said_by(code, **given) == expected
