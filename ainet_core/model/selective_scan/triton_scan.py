"""The selective scan in Triton, forward and backward, float32: one launch each, linear memory.

PyTorch for CUDA brings Triton with it. Tests run it in Triton's interpreter, on the CPU.
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ainet_core.model.selective_scan.reference import skip_and_gate, step_sizes

BLOCK = 32  # time steps that are scanned at once; 64 takes the backward pass twice as long


def interpreted() -> bool:
    """Triton runs in Python, on the CPU: for tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@cache
def load() -> ModuleType | str:
    """The module of the kernels, or the reason why there is none. Asked once."""
    try:
        from ainet_core.model.selective_scan import triton_kernels
    except ModuleNotFoundError as error:
        return "not installed" if error.name == "triton" else f"its module {error.name} is missing"
    except Exception as error:  # a build for another driver or PyTorch fails in many ways
        return f"cannot be imported: {error}"
    return triton_kernels


def _sizes(u: Tensor, A: Tensor, B: Tensor) -> tuple[tuple[int, int, int], dict[str, int]]:
    channels, states = u.shape[1], A.shape[1]
    padded = 1 << (states - 1).bit_length()
    numbers = (channels, channels // B.shape[1], u.shape[2])
    return numbers, {"N": states, "PADDED": padded, "BLOCK": BLOCK}


class _SelectiveScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        u, delta, A, B, C = (x.contiguous() for x in inputs)
        kernels = load()
        assert not isinstance(kernels, str)
        numbers, constants = _sizes(u, A, B)
        y = torch.empty_like(u)
        blocks = -(-u.shape[2] // BLOCK)
        kept = u.new_empty(u.shape[0], u.shape[1], blocks, A.shape[1])
        rows = u.shape[0] * u.shape[1]
        kernels.forward[(rows,)](u, delta, A, B, C, y, kept, *numbers, **constants)
        ctx.save_for_backward(u, delta, A, B, C, kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, ...]:
        u, delta, A, B, C, kept = ctx.saved_tensors
        kernels = load()
        assert not isinstance(kernels, str)
        numbers, constants = _sizes(u, A, B)
        grad_u, grad_delta = torch.empty_like(u), torch.empty_like(delta)
        grad_A = A.new_empty(u.shape[0], *A.shape)
        grad_B, grad_C = torch.zeros_like(B), torch.zeros_like(C)
        rows = u.shape[0] * u.shape[1]
        kernels.backward[(rows,)](
            u, delta, A, B, C, kept, grad_y.contiguous(),
            grad_u, grad_delta, grad_A, grad_B, grad_C, *numbers, **constants,
        )  # fmt: skip
        return grad_u, grad_delta, grad_A.sum(0), grad_B, grad_C


def selective_scan_triton(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """Arguments as `selective_scan`, all float32, B and C (B, G, N, T); on CUDA.

    Raises:
        RuntimeError: Triton cannot be loaded; says why.
    """
    kernels = load()
    if isinstance(kernels, str):
        raise RuntimeError(f"triton: {kernels}")
    y = _SelectiveScan.apply(u, step_sizes(delta, delta_bias, delta_softplus), A, B, C)
    return skip_and_gate(y, u, D, z)
