"""Our Triton kernel: that it compiles, and what it computes in Triton's interpreter on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from scan_cases import Case, cast, fresh_seed, output_and_gradients, random_inputs, relative_error

from ainet_core.model.selective_scan import describe, selective_scan
from ainet_core.model.selective_scan.dispatch import obstacle
from ainet_core.model.selective_scan.triton_scan import BLOCK, load

COMPILE = """
import sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from ainet_core.model.selective_scan import triton_kernels
constants = {"N": 16, "PADDED": 16, "BLOCK": 64}
for kernel in (triton_kernels.forward, triton_kernels.backward):
    types = {name: "constexpr" if name in constants else "*fp32" for name in kernel.arg_names}
    types |= dict.fromkeys(("channels", "per_group", "T"), "i32")
    source = ASTSource(fn=kernel, signature=types, constexprs=constants)
    made = triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32))
    print(len(made.asm["cubin"]))
"""
INSTALLED = Path(sys.prefix) / "triton"  # by `make triton`


@pytest.fixture(scope="module")
def interpreter() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if INSTALLED.is_dir():
            patch.syspath_prepend(str(INSTALLED))
        patch.setenv("TRITON_INTERPRET", "1")
        load.cache_clear()
        if isinstance(reason := load(), str):
            pytest.skip(f"triton: {reason}")
        yield


def test_a_cpu_is_refused() -> None:
    assert obstacle("triton", torch.device("cpu")) == (
        "it computes on CUDA only, the tensors are on cpu"
    )
    with pytest.raises(RuntimeError, match="backend triton was asked for: it computes on CUDA"):
        describe("cpu", backend="triton")


def test_float64_is_refused(interpreter: None) -> None:
    assert obstacle("triton", torch.device("cpu"), torch.float64) == "it computes in float32 only"


@pytest.mark.parametrize(
    "case",
    [
        Case(1),
        Case(BLOCK),
        Case(BLOCK + 1, states=5, groups=3),
        Case(3 * BLOCK - 7, groups=3, per_group=3),
        Case(37, groups=3, D=False, z=False, delta_bias=False, delta_softplus=False),
    ],
    ids=str,
)
def test_equals_the_plain_loop(case: Case, interpreter: None) -> None:
    seed = fresh_seed()
    inputs = random_inputs(case, seed)
    weights = torch.randn(inputs["u"].shape, generator=torch.Generator().manual_seed(seed + 1))
    right = output_and_gradients(
        partial(selective_scan, backend="reference"), inputs, weights.double()
    )
    scan = partial(selective_scan, backend="triton")
    got = output_and_gradients(scan, cast(inputs, torch.float32), weights)
    errors = {name: relative_error(got[name], right[name]) for name in right}
    print(", ".join(f"{name} {error:.1e}" for name, error in errors.items()))
    assert max(errors.values()) < 3e-5
    assert errors["out"] < 1e-5


def test_extreme_steps_neither_overflow_nor_become_nan(interpreter: None) -> None:
    inputs = cast(random_inputs(Case(90, z=False, delta_softplus=False)), torch.float32)
    inputs["delta_bias"] = None
    inputs["delta"][..., ::3] = 0.0  # keeps the state
    inputs["delta"][..., 1::3] = 1e4  # forgets it
    right = selective_scan(**cast(inputs, torch.float64), backend="reference")
    assert relative_error(selective_scan(**inputs, backend="triton"), right) < 1e-5


@pytest.mark.parametrize("capability", ["80", "87", "90"])
def test_it_compiles_to_machine_code(capability: str, interpreter: None, tmp_path: Path) -> None:
    """For an A100, a Jetson Orin and an H100; no GPU is needed to compile."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    environment["TRITON_CACHE_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, capability],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "ptxas" in done.stderr and done.returncode:
        pytest.skip(f"no assembler in this build of Triton: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(int(size) > 1000 for size in done.stdout.split())
