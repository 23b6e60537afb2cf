"""What the selective scan refuses, whom it chooses, and how it does without what is missing."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from scan_cases import Case, cast, random_inputs, relative_error
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from ainet_core.model.selective_scan import (
    available_backends,
    describe,
    dispatch,
    mamba_ssm,
    native,
    selective_scan,
    triton_scan,
)

ROOT = Path(__file__).resolve().parents[2]
COMPILED = not isinstance(native.load(), str)


@pytest.fixture(autouse=True)
def _choose_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(dispatch.ENVIRONMENT_VARIABLE, raising=False)
    dispatch._choose.cache_clear()
    yield
    dispatch._choose.cache_clear()


@pytest.fixture
def inputs() -> dict[str, Any]:
    return cast(random_inputs(Case(37, groups=3)), torch.float32)


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        ("u", torch.zeros(6, 37), r"u must be \(batch, channels, time\).*got \(6, 37\)"),
        ("u", torch.zeros(2, 6, 0), r"time >= 1, got \(2, 6, 0\)"),
        ("delta", torch.zeros(2, 6, 36), r"delta must have shape \(2, 6, 37\), got \(2, 6, 36\)"),
        ("A", torch.zeros(5, 16), r"A must be \(channels, states\).*= 6, got \(5, 16\)"),
        ("A", torch.zeros(6), r"A must be \(channels, states\).*got \(6,\)"),
        ("B", torch.zeros(2, 3, 8, 37), r"B must be .*\(2, groups, 16, 37\), got \(2, 3, 8, 37\)"),
        ("B", torch.zeros(2, 16, 36), r"B must be .*\(2, 16, 37\).*got \(2, 16, 36\)"),
        ("C", torch.zeros(2, 2, 16, 37), r"same number of groups.* got 3 and 2"),
        ("C", torch.zeros(37), r"C must be .*got \(37,\)"),
        ("D", torch.zeros(5), r"D must have shape \(6,\), got \(5,\)"),
        ("z", torch.zeros(1, 6, 37), r"z must have shape \(2, 6, 37\), got \(1, 6, 37\)"),
        ("delta_bias", torch.zeros(1), r"delta_bias must have shape \(6,\), got \(1,\)"),
        ("D", torch.zeros(6, dtype=torch.int64), r"D must hold real floating.*got torch.int64"),
        ("A", torch.zeros(6, 16, dtype=torch.complex64), r"A must hold real.*got torch.complex64"),
        ("D", torch.zeros(6, device="meta"), r"D must be on cpu as u is, got meta"),
    ],
)
def test_wrong_inputs_are_refused(
    inputs: dict[str, Any], name: str, wrong: Tensor, sentence: str
) -> None:
    inputs[name] = wrong
    with pytest.raises(ValueError, match=sentence):
        selective_scan(**inputs)


def test_groups_must_divide_the_channels(inputs: dict[str, Any]) -> None:
    inputs["B"] = inputs["C"] = torch.zeros(2, 4, 16, 37)
    with pytest.raises(ValueError, match="dividing 6 channels, got 4 and 4"):
        selective_scan(**inputs)


def test_unknown_backend_is_refused(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="'fast', expected one of reference, native, mamba_ssm"):
        selective_scan(**inputs, backend="fast")
    monkeypatch.setenv(dispatch.ENVIRONMENT_VARIABLE, "quick")
    with pytest.raises(ValueError, match="'quick'"):
        describe("cpu")


def test_backend_that_cannot_compute_here_is_refused_with_the_reason(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuntimeError, match="mamba_ssm was asked for: .*CUDA only.* on cpu"):
        selective_scan(**inputs, backend="mamba_ssm")
    with pytest.raises(RuntimeError, match="native was asked for: .*float32 only"):
        selective_scan(**cast(inputs, torch.float64), backend="native")
    with pytest.raises(RuntimeError, match="native was asked for: .*on cuda"):
        describe("cuda", backend="native")
    monkeypatch.setattr(native, "load", lambda: "not compiled")
    with pytest.raises(RuntimeError, match="native was asked for: not compiled"):
        selective_scan(**inputs, backend="native")


def test_native_is_chosen_on_a_cpu() -> None:
    if not COMPILED:
        pytest.skip(f"native: {native.load()}")
    name, reason = describe("cpu")
    assert name == "native"
    assert "thread" in reason
    assert available_backends("cpu") == ["reference", "native", "chunked"]


def test_float64_on_a_cpu_goes_to_the_reference() -> None:
    assert describe("cpu", torch.float64)[0] == "reference"


def test_cuda_without_mamba_ssm_goes_to_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mamba_ssm, "load", lambda: "not installed")
    monkeypatch.setattr(triton_scan, "load", lambda: ModuleType("triton_kernels"))
    assert describe("cuda") == ("triton", "installed; mamba_ssm: not installed")
    assert describe("cuda", torch.float64)[0] == "chunked"


def test_cuda_without_either_goes_to_chunked_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mamba_ssm, "load", lambda: "not installed")
    monkeypatch.setattr(triton_scan, "load", lambda: "not there")
    for _ in range(2):
        assert describe("cuda") == ("chunked", "mamba_ssm: not installed; triton: not there")
    assert caplog.text.count("chunked computes the selective scan, slowly") == 1
    assert describe(torch.device("cuda:1"))[0] == "chunked"


def test_cuda_with_mamba_ssm_goes_there_except_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mamba_ssm, "load", lambda: lambda *_, **__: None)
    assert describe("cuda")[0] == "mamba_ssm"
    assert describe("cuda", torch.bfloat16)[0] == "mamba_ssm"
    assert describe("cuda", torch.float64)[0] == "chunked"


def test_environment_variable_forces_a_backend(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(dispatch.ENVIRONMENT_VARIABLE, "reference")
    assert describe("cpu") == ("reference", f"asked for by {dispatch.ENVIRONMENT_VARIABLE}")
    monkeypatch.setitem(dispatch.BACKENDS, "reference", lambda *_: torch.full((), 7.0))
    assert selective_scan(**inputs) == 7
    assert describe("cpu", backend="chunked") == ("chunked", "asked for")


def test_mamba_ssm_gets_the_types_that_its_kernel_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def kernel(*arguments: Tensor, **options: Any) -> Tensor:
        names = ("u", "delta", "A", "B", "C")
        seen.update(zip(names, arguments, strict=True), **options)
        return arguments[0]

    monkeypatch.setattr(mamba_ssm, "load", lambda: kernel)
    inputs = cast(random_inputs(Case(37)), torch.float32)
    inputs["u"] = inputs["u"].bfloat16()
    mamba_ssm.selective_scan_mamba_ssm(**inputs)
    half = {"u", "delta", "B", "C", "z"}
    for name in ("u", "delta", "A", "B", "C", "D", "z", "delta_bias"):
        assert seen[name].dtype == (torch.bfloat16 if name in half else torch.float32), name
    assert seen["delta_softplus"] is True


def test_without_compiled_code_it_works_and_says_so_once(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(native, "load", lambda: "not compiled (no C compiler?)")
    with caplog.at_level(logging.INFO):
        out = selective_scan(**inputs)
        selective_scan(**inputs)
        selective_scan(**cast(inputs, torch.bfloat16))
        describe("cpu")
    assert len(caplog.records) == 1
    assert "not compiled (no C compiler?)" in caplog.text
    assert "native" not in available_backends("cpu")
    right = selective_scan(**cast(inputs, torch.float64), backend="reference")
    assert relative_error(out, right) < 1e-5


def test_missing_library_is_a_reason_not_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(native, "__file__", str(tmp_path / "native.py"))
    assert "not compiled" in native.load.__wrapped__()
    broken = tmp_path / f"_native{native.EXTENSION_SUFFIXES[0]}"
    broken.write_bytes(b"no library")
    assert "cannot be loaded" in native.load.__wrapped__()


def test_installation_without_a_compiler_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    built = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "-b", tmp_path / "lib", "-t", tmp_path],
        cwd=ROOT,
        env={**os.environ, "CC": "there-is-no-compiler"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert not list(tmp_path.rglob("_native*"))


def test_b_and_c_without_groups_are_one_group(inputs: dict[str, Any]) -> None:
    inputs["B"], inputs["C"] = inputs["B"][:, :1], inputs["C"][:, :1]
    grouped = selective_scan(**inputs)
    inputs["B"], inputs["C"] = inputs["B"][:, 0], inputs["C"][:, 0]
    torch.testing.assert_close(selective_scan(**inputs), grouped)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(inputs: dict[str, Any], dtype: torch.dtype) -> None:
    half = cast(inputs, dtype)
    out = selective_scan(**half)
    assert out.dtype == dtype
    torch.testing.assert_close(out, selective_scan(**cast(half, torch.float32)).to(dtype))


def test_inputs_are_not_changed(inputs: dict[str, Any]) -> None:
    before = {k: v.clone() for k, v in inputs.items() if isinstance(v, Tensor)}
    for backend in available_backends("cpu"):
        selective_scan(**inputs, backend=backend)
    assert all(torch.equal(inputs[k], v) for k, v in before.items())


def test_fake_cuda_tensors_get_a_shape() -> None:
    """What `FakeTensorMode` checks: shapes and devices of a CUDA run, without a CUDA device."""
    with FakeTensorMode():
        u = torch.empty(2, 6, 200, device="cuda")
        mixing = torch.empty(2, 3, 16, 200, device="cuda")
        A, D = torch.empty(6, 16, device="cuda"), torch.empty(6, device="cuda")
        out = selective_scan(u, u, A, mixing, mixing, D, u, D, True)
        assert out.shape == u.shape
        assert out.device.type == "cuda"
        assert selective_scan(*(torch.empty(s) for s in _shapes())).device.type == "cpu"


def _shapes() -> list[tuple[int, ...]]:
    return [(2, 6, 20), (2, 6, 20), (6, 5), (2, 5, 20), (2, 5, 20)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_does_not_wait_for_threads_that_are_gone() -> None:
    if not COMPILED:
        pytest.skip(f"native: {native.load()}")
    # enough to be shared among threads, and few enough that torch itself takes one thread
    inputs = cast(random_inputs(Case(512, per_group=32, batch=1)), torch.float32)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        right = selective_scan(**inputs)
        context = multiprocessing.get_context("fork")
        child = context.Process(target=_scan_and_compare, args=(inputs, right))
        child.start()
        child.join(30)
        assert child.exitcode == 0
    finally:
        torch.set_num_threads(before)
        if child.is_alive():
            child.kill()


def _scan_and_compare(inputs: dict[str, Any], right: Tensor) -> None:
    os._exit(0 if torch.equal(selective_scan(**inputs), right) else 1)
