"""Chooses who computes a selective scan, once for each kind of device and number.

| backend | who | where |
|---|---|---|
| `native` | our C, forward and backward | CPU, float32 |
| `mamba_ssm` | mamba-ssm's kernel, when installed | CUDA, float32, float16, bfloat16 |
| `triton` | our kernel; chosen on CUDA without mamba-ssm | CUDA, float32 and narrower |
| `chunked` | PyTorch, about sqrt(T) large steps | everywhere; chosen without either of the two |
| `reference` | PyTorch, T steps; defines what is right | everywhere; chosen on a CPU for float64 |

Without the compiled extension a CPU gets `reference`, and the log says so once.

A choice of one's own: the argument `backend=` or the environment variable AINET_SCAN_BACKEND.
"""

import logging
import os
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from ainet_core.model.selective_scan import mamba_ssm, native, triton_scan
from ainet_core.model.selective_scan.chunked import selective_scan_chunked
from ainet_core.model.selective_scan.inputs import check_inputs
from ainet_core.model.selective_scan.reference import selective_scan_reference

logger = logging.getLogger(__name__)

ENVIRONMENT_VARIABLE = "AINET_SCAN_BACKEND"
BACKENDS: dict[str, Callable[..., Tensor]] = {
    "reference": selective_scan_reference,
    "native": native.selective_scan_native,
    "mamba_ssm": mamba_ssm.selective_scan_mamba_ssm,
    "triton": triton_scan.selective_scan_triton,
    "chunked": selective_scan_chunked,
}


def obstacle(backend: str, device: torch.device, dtype: torch.dtype = torch.float32) -> str | None:
    """Why a backend cannot compute with such tensors; None if it can."""
    if backend == "native":
        if device.type != "cpu":
            return f"it computes on the CPU only, the tensors are on {device.type}"
        if dtype == torch.float64:
            return "it computes in float32 only"
        library = native.load()
        return library if isinstance(library, str) else None
    if backend == "mamba_ssm":
        if device.type != "cuda":
            return f"it computes on CUDA only, the tensors are on {device.type}"
        if dtype == torch.float64:
            return "it does not compute in float64"
        kernel = mamba_ssm.load()
        return kernel if isinstance(kernel, str) else None
    if backend == "triton":
        if device.type != "cuda" and not triton_scan.interpreted():
            return f"it computes on CUDA only, the tensors are on {device.type}"
        if dtype == torch.float64:
            return "it computes in float32 only"
        kernels = triton_scan.load()
        return kernels if isinstance(kernels, str) else None
    return None


def available_backends(device: torch.device | str) -> list[str]:
    """The backends that can compute in float32 on a device."""
    return [name for name in BACKENDS if obstacle(name, torch.device(device)) is None]


@cache
def _choose(device_type: str, double: bool) -> tuple[str, str]:
    """(backend, reason) for a device; `double`: float64, else float32 and narrower."""
    device = torch.device(device_type)
    if device_type == "cpu":
        if double:
            return "reference", "float64 on a CPU"
        why_not = obstacle("native", device)
        if why_not is None:
            return "native", _describe_native()
        # on a CPU the loop is as quick as chunked forward, and twice as quick backward
        logger.warning("native selective scan: %s; the slow reference is used", why_not)
        return "reference", f"native: {why_not}"
    reasons: list[str] = []
    for backend in ("mamba_ssm", "triton"):
        why_not = obstacle(backend, device, torch.float64 if double else torch.float32)
        if why_not is None:
            return backend, "; ".join(["installed", *reasons])
        reasons.append(f"{backend}: {why_not}")
    if device_type == "cuda" and not double:
        logger.warning("%s; chunked computes the selective scan, slowly", "; ".join(reasons))
    return "chunked", "; ".join(reasons)


def _describe_native() -> str:
    library = native.load()
    assert isinstance(library, native.NativeScan)
    threads = f"{torch.get_num_threads()} threads" if library.openmp else "no OpenMP, 1 thread"
    return f"compiled, {native.LEVELS[library.best_level]}, {threads}"


def _forced(backend: str | None) -> str | None:
    name = backend or os.environ.get(ENVIRONMENT_VARIABLE) or None
    if name is not None and name not in BACKENDS:
        raise ValueError(
            f"unknown selective-scan backend {name!r}, expected one of {', '.join(BACKENDS)}"
        )
    return name


def describe(
    device: torch.device | str, dtype: torch.dtype = torch.float32, backend: str | None = None
) -> tuple[str, str]:
    """(backend, reason): who would compute a scan on such a device, and why."""
    device = torch.device(device)
    name = _forced(backend)
    if name is None:
        return _choose(device.type, dtype == torch.float64)
    if (why_not := obstacle(name, device, dtype)) is not None:
        raise RuntimeError(f"selective-scan backend {name} was asked for: {why_not}")
    return name, "asked for" if backend else f"asked for by {ENVIRONMENT_VARIABLE}"


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    *,
    backend: str | None = None,
) -> Tensor:
    """The recurrence of a selective state space model (Mamba), differentiable in every input.

        delta_t = softplus(delta_t + delta_bias)     bias and softplus if asked for
        h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t,   h_0 = 0, N states for every channel
        y_t = C_t h_t + D u_t                        times silu(z_t) if there is a z

    u, delta, z: (B, D, T), any strides. A: (D, N), real. B, C: (B, N, T), or (B, G, N, T) where
    each of G groups serves D / G neighbouring channels. D, delta_bias: (D). Returns (B, D, T) in
    the type of u; computed in float32 at least.

    backend: one of BACKENDS; None lets the device and the type decide. ValueError for an unknown
    one and for wrong shapes, RuntimeError for one that cannot compute here.
    Source: Gu and Dao, "Mamba" (2023); the arguments mean what they mean in mamba-ssm.
    """
    check_inputs(u, delta, A, B, C, D, z, delta_bias)
    wide = torch.float64 if u.dtype == torch.float64 else torch.float32
    if backend is None and isinstance(u, FakeTensor):
        name = "chunked"  # needs no addresses, and launches least
    else:
        name = describe(u.device, u.dtype, backend)[0]
    B, C = (x if x.ndim == 4 else x.unsqueeze(1) for x in (B, C))
    if name == "mamba_ssm":
        return BACKENDS[name](u, delta, A, B, C, D, z, delta_bias, delta_softplus)
    tensors = (None if x is None else x.to(wide) for x in (u, delta, A, B, C, D, z, delta_bias))
    return BACKENDS[name](*tensors, delta_softplus).to(u.dtype)
