"""Passes over the tokens in C, for tracking on a CPU: what PyTorch does in several, here is one.

All of float32, without gradients; widths are multiples of `native.HEAD_WIDTH`.
"""

import ctypes
from typing import get_args

import torch
from torch import Tensor

from ainet_core.model.config import Compensation, GateActivation
from ainet_core.model.selective_scan import native
from ainet_core.model.selective_scan.native import HEAD_WIDTH, address, loaded, threads_for
from ainet_core.model.selective_scan.problems import CompensationOf, LayerSum, Norm

# Numbered in csrc/scan_problem.h in this order.
COMPENSATIONS: tuple[str, ...] = get_args(Compensation)
ACTIVATIONS: tuple[str, ...] = get_args(GateActivation)


def can_pack(width: int) -> bool:
    """Whether the C code is there and takes tokens of this width."""
    return width % HEAD_WIDTH == 0 and not isinstance(native.load(), str)


def normalised(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    epsilon: float,
    *,
    minus: Tensor | None = None,
    out: Tensor | None = None,
    level: str | None = None,
) -> Tensor:
    """Layer norm of x, or of x - minus, over the last dimension: (.., C) -> (.., C).

    out: contiguous memory for the result. level: as `native.selective_scan_native`.
    """
    library, number = loaded(level)
    x = x.contiguous()
    minus = None if minus is None else minus.contiguous()
    out = torch.empty_like(x) if out is None else out
    problem = Norm(
        rows=x.numel() // x.shape[-1], width=_width(x), threads=threads_for(library, x.numel()),
        level=number, x=address(x), minus=address(minus), weight=address(weight),
        bias=address(bias), out=address(out), epsilon=epsilon,
    )  # fmt: skip
    library.library.scan_norm(ctypes.byref(problem))
    return out


def compensated(
    x: Tensor, gate: Tensor, compensation: str, act: str, *, level: str | None = None
) -> tuple[Tensor, Tensor]:
    """Both cameras' features (2, .., C) by the gate's activation (.., C), see `dfm`.

    Returns:
        what they become (2, .., C), and the sum of the two (.., C).
    """
    library, number = loaded(level)
    x, gate = x.contiguous(), gate.contiguous()
    _width(x)
    out, total = torch.empty_like(x), torch.empty_like(gate)
    problem = CompensationOf(
        count=gate.numel(), compensation=COMPENSATIONS.index(compensation),
        act=ACTIVATIONS.index(act), threads=threads_for(library, x.numel()), level=number,
        gate=address(gate), x=address(x), out=address(out), sum=address(total),
    )  # fmt: skip
    library.library.scan_compensation(ctypes.byref(problem))
    return out, total


def layer_sum(
    scans: tuple[Tensor, Tensor, Tensor],
    gate: Tensor,
    order: Tensor,
    *,
    level: str | None = None,
) -> Tensor:
    """The OFM's three scans, gated and summed over the layers, see `ofm`.

    scans: of one sample's layers in order, reversed, and in the order (L,) of layers, each
    (L * N, E). gate: (L, N, E), best a part of wider rows. Returns (N, E).
    """
    library, number = loaded(level)
    layers, tokens, width = gate.shape
    if gate.stride() != (tokens * gate.stride(1), gate.stride(1), 1):
        gate = gate.contiguous()
    forward, backward, dynamic = (scan.contiguous() for scan in scans)
    place = order.argsort()  # where the dynamic scan met each layer
    out = torch.empty(tokens, width)
    problem = LayerSum(
        layers=layers, tokens=tokens, width=_width(gate), gate_stride=gate.stride(1),
        threads=threads_for(library, gate.numel()), level=number, forward=address(forward),
        backward=address(backward), dynamic=address(dynamic), gate=address(gate),
        order=address(place), out=address(out),
    )  # fmt: skip
    library.library.scan_layer_sum(ctypes.byref(problem))
    return out


def _width(x: Tensor) -> int:
    if x.shape[-1] % HEAD_WIDTH:
        raise ValueError(f"expected a multiple of {HEAD_WIDTH} columns, got {x.shape[-1]}")
    return x.shape[-1]
