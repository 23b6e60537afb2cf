"""Every backend against the plain loop in float64: the output and the gradient of every input."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest
import torch
from scan_cases import Case, cast, fresh_seed, output_and_gradients, random_inputs, relative_error
from torch import Tensor

from ainet_core.model.selective_scan import native, selective_scan
from ainet_core.model.selective_scan.dispatch import obstacle
from ainet_core.model.selective_scan.native import LEVELS, selective_scan_native

# 18 channels: a block of 16 and a rest. Two would not do: delta_bias gets the sum of thousands
# of terms of either sign, and where both sums happen to be near 0 a relative error means nothing.
SIZES = [
    Case(length, states, groups, per_group=18)
    for length in (1, 37, 1080, 3840)
    for states in (5, 16)
    for groups in (1, 3)
]
OPTIONS = [
    Case(37, groups=3, D=False, z=False, delta_bias=False, delta_softplus=False),
    Case(37, groups=3, z=False),
    Case(37, groups=3, D=False),
    Case(37, groups=3, delta_bias=False),
    Case(37, groups=3, delta_softplus=False),
    # blocks of 16 channels that are full, and one more channel
    Case(37, groups=3, per_group=17),
    Case(50, groups=1, per_group=48, batch=1),
]
# float64 apart from the order of sums; float32 with its 24 bits over thousands of steps
LIMITS = {torch.float64: (1e-12, 1e-11), torch.float32: (1e-5, 3e-5)}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Thousands of tiny steps: sharing one out takes longer, on a busy machine much longer."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def right_answer(case: Case) -> tuple[dict[str, Any], Tensor, dict[str, Tensor], int]:
    seed = fresh_seed()
    inputs = random_inputs(case, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    weights = torch.randn(inputs["u"].shape, generator=generator, dtype=torch.float64)
    right = output_and_gradients(partial(selective_scan, backend="reference"), inputs, weights)
    return inputs, weights, right, seed


def assert_equal_to_reference(scan: Any, case: Case, dtype: torch.dtype) -> None:
    inputs, weights, right, seed = right_answer(case)
    print(f"seed {seed}")
    got = output_and_gradients(scan, cast(inputs, dtype), weights)
    errors = {name: relative_error(got[name], right[name]) for name in right}
    print(", ".join(f"{name} {error:.1e}" for name, error in errors.items()))
    output, gradient = LIMITS[dtype]
    over = {k: v for k, v in errors.items() if not v <= (output if k == "out" else gradient)}
    assert not over


def needs_native() -> None:
    if isinstance(reason := native.load(), str):
        pytest.skip(f"native: {reason}")


@pytest.mark.parametrize("case", SIZES + OPTIONS, ids=str)
def test_native(case: Case) -> None:
    needs_native()
    scan = partial(selective_scan, backend="native")
    assert_equal_to_reference(scan, case, torch.float32)


@pytest.mark.parametrize("case", [SIZES[5], SIZES[7], *OPTIONS], ids=str)
@pytest.mark.parametrize("level", LEVELS)
def test_native_of_every_instruction_set(case: Case, level: str) -> None:
    needs_native()
    library = native.load()
    assert isinstance(library, native.NativeScan)
    if LEVELS.index(level) > library.best_level:
        pytest.skip(f"this processor has no {level}")
    assert_equal_to_reference(partial(selective_scan_native, level=level), case, torch.float32)


@pytest.mark.parametrize("case", SIZES + OPTIONS, ids=str)
def test_chunked(case: Case) -> None:
    assert_equal_to_reference(partial(selective_scan, backend="chunked"), case, torch.float64)


@pytest.mark.parametrize("case", [SIZES[7], SIZES[-1]], ids=str)
@pytest.mark.parametrize("backend", ["chunked", "reference"])
def test_pytorch_backends_in_float32(case: Case, backend: str) -> None:
    assert_equal_to_reference(partial(selective_scan, backend=backend), case, torch.float32)


@pytest.mark.parametrize("case", [SIZES[5], SIZES[7], SIZES[-1]], ids=str)
@pytest.mark.parametrize("backend", ["mamba_ssm", "chunked"])
def test_on_cuda(case: Case, backend: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if reason := obstacle(backend, torch.device("cuda")):
        pytest.skip(f"{backend}: {reason}")

    def scan(**inputs: Any) -> Tensor:
        moved = {k: v.cuda() if isinstance(v, Tensor) else v for k, v in inputs.items()}
        return selective_scan(**moved, backend=backend).cpu()

    assert_equal_to_reference(scan, case, torch.float32)


@pytest.mark.parametrize("backend", ["native", "chunked"])
def test_without_gradients_the_output_is_the_same(backend: str) -> None:
    if backend == "native":
        needs_native()
    inputs = cast(random_inputs(Case(150, groups=3)), torch.float32)
    plain = selective_scan(**inputs, backend=backend)
    inputs["A"].requires_grad_()
    torch.testing.assert_close(selective_scan(**inputs, backend=backend).detach(), plain)
    with torch.no_grad():
        torch.testing.assert_close(selective_scan(**inputs, backend=backend), plain)


def test_native_takes_channels_last_as_well() -> None:
    """A linear layer gives (B, T, D): its transpose needs no copy, and means the same."""
    needs_native()
    inputs = cast(random_inputs(Case(150, groups=3, per_group=16)), torch.float32)
    weights = torch.randn_like(inputs["u"])
    scan = partial(selective_scan, backend="native")
    right = output_and_gradients(scan, inputs, weights)
    turned = {
        k: v.transpose(-1, -2).contiguous().transpose(-1, -2) if k in {"u", "delta", "z"} else v
        for k, v in inputs.items()
    }
    turned["B"] = inputs["B"].transpose(2, 3).contiguous().transpose(2, 3)
    assert turned["u"].stride(1) == 1
    for name, got in output_and_gradients(scan, turned, weights).items():
        torch.testing.assert_close(got, right[name], msg=name)


def test_native_gives_the_same_with_one_thread_and_with_many() -> None:
    needs_native()
    inputs = cast(random_inputs(Case(400, groups=3, per_group=40)), torch.float32)
    weights = torch.randn_like(inputs["u"])
    scan = partial(selective_scan, backend="native")
    alone = output_and_gradients(scan, inputs, weights)
    torch.set_num_threads(3)
    together = output_and_gradients(scan, inputs, weights)
    for name, got in together.items():
        assert relative_error(got, alone[name].double()) < 1e-6, name
    assert torch.equal(together["out"], alone["out"])


@pytest.mark.parametrize("backend", ["native", "chunked"])
def test_extreme_steps_neither_overflow_nor_become_nan(backend: str) -> None:
    if backend == "native":
        needs_native()
    inputs = cast(random_inputs(Case(90, z=False, delta_softplus=False)), torch.float32)
    inputs["delta_bias"] = None
    inputs["delta"][..., ::3] = 0.0  # keeps the state
    inputs["delta"][..., 1::3] = 1e4  # forgets it
    right = selective_scan(**cast(inputs, torch.float64), backend="reference")
    assert relative_error(selective_scan(**inputs, backend=backend), right) < 1e-5


@pytest.mark.parametrize("backend", ["native", "chunked"])
def test_a_growing_state_is_computed_as_well(backend: str) -> None:
    if backend == "native":
        needs_native()
    inputs = cast(random_inputs(Case(37)), torch.float32)
    inputs["A"] = inputs["A"].abs().clamp(max=1.0)
    right = selective_scan(**cast(inputs, torch.float64), backend="reference")
    assert relative_error(selective_scan(**inputs, backend=backend), right) < 1e-5


@pytest.mark.parametrize("backend", ["native", "chunked", "reference"])
@pytest.mark.parametrize("name", ["u", "delta", "B", "z"])
def test_nan_is_not_hidden(backend: str, name: str) -> None:
    if backend == "native":
        needs_native()
    inputs = cast(random_inputs(Case(20)), torch.float32)
    inputs[name][0, ..., 7] = float("nan")
    out = selective_scan(**inputs, backend=backend)
    assert out[0, :, 7].isnan().all()
    assert not out[0, :, :7].isnan().any()
    assert not out[1].isnan().any()
