"""Chooses who computes a selective scan."""

from torch import Tensor

from ainet_core.model.selective_scan.native import load, selective_scan_native
from ainet_core.model.selective_scan.reference import selective_scan_reference


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
    B, C = (x if x.ndim == 4 else x[:, None] for x in (B, C))
    if backend is None:
        import torch
        ok = u.device.type == "cpu" and u.dtype == torch.float32 and not isinstance(load(), str)
        backend = "native" if ok else "reference"
    f = {"native": selective_scan_native, "reference": selective_scan_reference}[backend]
    return f(u, delta, A, B, C, D, z, delta_bias, delta_softplus)
