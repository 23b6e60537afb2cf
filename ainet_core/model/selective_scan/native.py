"""The selective scan in C for CPUs, forward and backward, float32; the convolution before it.

The C code (csrc/) is compiled by setup.py as an optional extension. It needs neither Python's nor
torch's headers: tensors are handed over as addresses and strides through ctypes, which also
releases the interpreter lock while it runs.
"""

import ctypes
import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ainet_core.model.selective_scan.problems import (
    Attention,
    CompensationOf,
    Convolution,
    LayerSum,
    Mixing,
    Norm,
    Problem,
    Rows,
    Stem,
    StemBlock,
)

LAYOUT_VERSION = 6  # SCAN_LAYOUT_VERSION in csrc/scan_problem.h
MOST_TAPS = 8  # CONVOLUTION_TAPS there
HEAD_WIDTH = 16  # ATTENTION_WIDTH there
STEM_VECTORS = 2  # there, too
HUGE = 2 << 20  # bytes from which page faults are worth avoiding
SMALL = 1 << 17  # state updates (about 30 us) below which waking a second thread costs more
LEVELS = ("portable", "avx2", "avx512")


class NativeScan:
    """The loaded library and what it said about itself."""

    def __init__(self, library: ctypes.CDLL) -> None:
        numbers = ("layout_version", "chunk", "best_level", "has_openmp")
        kinds = {
            "problem": Problem, "convolution": Convolution, "attention": Attention,
            "norm": Norm, "compensation": CompensationOf, "layer_sum": LayerSum,
            "stem": Stem, "stem_block": StemBlock,
        }  # fmt: skip
        limits = {"convolution_taps": MOST_TAPS, "stem_vectors": STEM_VECTORS}
        for name in (*numbers, *limits, *(f"{kind}_size" for kind in kinds)):
            getattr(library, f"scan_{name}").restype = ctypes.c_int64
        library.scan_lanes.argtypes, library.scan_lanes.restype = [ctypes.c_int64], ctypes.c_int64
        for function in (library.scan_forward, library.scan_backward):
            function.argtypes, function.restype = [ctypes.POINTER(Problem)], ctypes.c_int64
        library.scan_convolution.argtypes = [ctypes.POINTER(Convolution)]
        library.scan_convolution.restype = None
        for name in ("attention", "stem"):
            function = getattr(library, f"scan_{name}")
            function.argtypes, function.restype = [ctypes.POINTER(kinds[name])], ctypes.c_int64
        for name in ("norm", "compensation", "layer_sum"):
            function = getattr(library, f"scan_{name}")
            function.argtypes, function.restype = [ctypes.POINTER(kinds[name])], None
        library.scan_prefer_huge_pages.argtypes = [ctypes.c_void_p, ctypes.c_int64]
        library.scan_prefer_huge_pages.restype = None
        if library.scan_layout_version() != LAYOUT_VERSION:
            raise OSError("the compiled scan is of another version: build it again")
        sizes = [getattr(library, f"scan_{kind}_size")() for kind in kinds]
        expected = [ctypes.sizeof(kind) for kind in kinds.values()]
        said = [getattr(library, f"scan_{name}")() for name in limits]
        if [*sizes, *said] != [*expected, *limits.values()]:
            raise OSError("the compiled scan disagrees about its arguments: build it again")
        self.library = library
        self.chunk: int = library.scan_chunk()
        self.best_level: int = library.scan_best_level()
        self.openmp = bool(library.scan_has_openmp())
        self.lanes: list[int] = [library.scan_lanes(level) for level in range(len(LEVELS))]

    def fresh_like(self, tensor: Tensor) -> Tensor:
        """Uninitialised memory with the tensor's shape and strides."""
        return self._large(torch.empty_like(tensor))

    def fresh(self, *shape: int) -> Tensor:
        """Uninitialised float32 memory of this shape."""
        return self._large(torch.empty(shape, dtype=torch.float32, device="cpu"))

    def _large(self, fresh: Tensor) -> Tensor:
        if (size := fresh.numel() * fresh.element_size()) >= HUGE:
            self.library.scan_prefer_huge_pages(fresh.data_ptr(), size)
        return fresh


@cache
def load() -> NativeScan | str:
    """The compiled scan, or the reason why there is none. Asked once."""
    found = [
        path
        for suffix in EXTENSION_SUFFIXES
        if (path := Path(__file__).with_name(f"_native{suffix}")).is_file()
    ]
    if not found:
        return "not compiled (no C compiler at installation?)"
    try:
        return NativeScan(ctypes.CDLL(str(found[0])))
    except (OSError, AttributeError) as error:
        return f"{found[0].name} cannot be loaded: {error}"


_forked = False


def _after_fork() -> None:
    # OpenMP's threads are gone in a forked process and waiting for them would hang.
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def threads_for(native: NativeScan, updates: int) -> int:
    alone = _forked or updates < SMALL or not native.openmp
    return 1 if alone else torch.get_num_threads()


def address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _rows(tensor: Tensor | None) -> Rows:
    return Rows() if tensor is None else Rows(tensor.data_ptr(), *tensor.stride())


def _mixing(tensor: Tensor) -> Mixing:
    return Mixing(tensor.data_ptr(), *tensor.stride())


def _readable(tensor: Tensor) -> Tensor:
    """A copy only if neither channels nor time are contiguous, which would be slow to gather."""
    return tensor if 1 in tensor.stride()[1:] else tensor.contiguous()


def _blocks(channels: int, groups: int, lanes: int) -> int:
    """Of how many vectors of channels a group consists."""
    return -(-channels // groups // lanes)


def _segments(tasks: int, blocks: int, threads: int) -> int:
    """Into how many parts each group's blocks of channels are split so that no thread idles.

    In the backward pass every part has a sum of its own for dB and dC, so no more than needed.
    """
    if threads == 1 or tasks >= 8 * threads:
        return 1
    wanted = next(n for n in range(1, threads + 1) if tasks * n % threads == 0)
    return max(1, min(wanted, blocks))


def _describe(
    native: NativeScan,
    level: int,
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    z: Tensor | None,
    delta_bias: Tensor | None,
    delta_softplus: bool,
    checkpoints: Tensor | None,
) -> Problem:
    batch, channels, length = u.shape
    blocks = _blocks(channels, B.shape[1], native.lanes[level])
    threads = threads_for(native, u.numel() * A.shape[1])
    return Problem(
        batch=batch,
        channels=channels,
        groups=B.shape[1],
        states=A.shape[1],
        length=length,
        threads=threads,
        level=level,
        segments=_segments(batch * B.shape[1], blocks, threads),
        softplus=delta_softplus,
        u=_rows(u),
        delta=_rows(delta),
        z=_rows(z),
        B=_mixing(B),
        C=_mixing(C),
        A=address(A),
        D=address(D),
        delta_bias=address(delta_bias),
        checkpoints=address(checkpoints),
    )


def _call(function: Any, problem: Problem) -> None:
    if function(ctypes.byref(problem)):
        raise MemoryError("the native selective scan could not get its working memory")


def _forward(
    native: NativeScan,
    level: int,
    keep: bool,
    delta_softplus: bool,
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    z: Tensor | None,
    delta_bias: Tensor | None,
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """The output, and what the backward pass needs; `keep`: its checkpoints, too."""
    u, delta, A = _readable(u), _readable(delta), A.contiguous()
    z = None if z is None else _readable(z)
    D = None if D is None else D.contiguous()
    delta_bias = None if delta_bias is None else delta_bias.contiguous()
    B, C = B.transpose(2, 3), C.transpose(2, 3)  # (B, G, T, N), as scan_mixing has it
    blocks = _blocks(u.shape[1], B.shape[1], native.lanes[level])  # of a group
    checkpoints = None
    if keep:
        # a vector of states for every block of channels, also where the last one is not full
        chunks = u.shape[0] * B.shape[1] * blocks * -(-u.shape[2] // native.chunk)
        checkpoints = native.fresh(chunks * A.shape[1] * native.lanes[level])
    tensors = (u, delta, A, B, C, D, z, delta_bias)
    problem = _describe(native, level, *tensors, delta_softplus, checkpoints)
    out = native.fresh_like(u)
    problem.out = _rows(out)
    if problem.threads > 1:  # more and smaller parts: a thread that is held up delays less
        problem.segments = min(4 * problem.segments, blocks)
    _call(native.library.scan_forward, problem)
    return out, (*tensors, checkpoints)


class _SelectiveScan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, native: NativeScan, level: int, delta_softplus: bool, *inputs: Any
    ) -> Tensor:
        out, kept = _forward(native, level, True, delta_softplus, *inputs)
        ctx.save_for_backward(*kept)
        ctx.native, ctx.level, ctx.delta_softplus = native, level, delta_softplus
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        u, delta, A, B, C, D, z, delta_bias, checkpoints = ctx.saved_tensors
        tensors = (u, delta, A, B, C, D, z, delta_bias)
        problem = _describe(ctx.native, ctx.level, *tensors, ctx.delta_softplus, checkpoints)
        batch, channels, _ = u.shape
        grad_out = _readable(grad_out)
        native = ctx.native
        grad_u, grad_delta = native.fresh_like(u), native.fresh_like(delta)
        grad_z = None if z is None else native.fresh_like(z)
        grad_A = A.new_empty(batch, *A.shape)
        grad_D = None if D is None else D.new_empty(batch, channels)
        grad_bias = None if delta_bias is None else delta_bias.new_empty(batch, channels)
        grad_B = native.fresh(problem.segments, *B.shape)
        grad_C = native.fresh(problem.segments, *C.shape)

        problem.grad_out, problem.grad_z = _rows(grad_out), _rows(grad_z)
        problem.grad_u, problem.grad_delta = _rows(grad_u), _rows(grad_delta)
        problem.grad_B, problem.grad_C = _mixing(grad_B[0]), _mixing(grad_C[0])
        problem.grad_segment_stride = grad_B.stride(0)
        problem.grad_A, problem.grad_D = address(grad_A), address(grad_D)
        problem.grad_delta_bias = address(grad_bias)
        _call(native.library.scan_backward, problem)
        return (
            *(None, None, None),
            grad_u,
            grad_delta,
            grad_A.sum(0),
            grad_B.sum(0).transpose(2, 3),
            grad_C.sum(0).transpose(2, 3),
            None if grad_D is None else grad_D.sum(0),
            grad_z,
            None if grad_bias is None else grad_bias.sum(0),
        )


def selective_scan_native(
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
    level: str | None = None,
) -> Tensor:
    """Arguments as `selective_scan`, all float32 on the CPU, B and C (B, G, N, T).

    level: one of LEVELS; None takes the best that this processor has.
    """
    native, number = loaded(level)
    inputs = (u, delta, A, B, C, D, z, delta_bias)
    keep = torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs)
    if not keep:
        return _forward(native, number, False, delta_softplus, *inputs)[0]
    return _SelectiveScan.apply(native, number, delta_softplus, *inputs)


def convolved_native(
    x: Tensor, weight: Tensor, bias: Tensor, *, level: str | None = None
) -> Tensor:
    """SiLU of the causal convolution of each channel, float32 on the CPU, without gradients.

    x: (B, D, T), any strides; weight: (D, K), the last tap for the present; bias: (D,).
    level: as `selective_scan_native`.
    """
    native, number = loaded(level)
    weight, bias = weight.contiguous(), bias.contiguous()
    batch, channels, length = x.shape
    taps = weight.shape[1]
    if taps > MOST_TAPS:
        raise ValueError(f"expected at most {MOST_TAPS} taps, got {taps}")
    x = _readable(x)
    # Channels or time contiguous, as in x; no gaps as a part of something larger may have.
    shape = (batch, length, channels) if x.stride(1) == 1 else (batch, channels, length)
    out = native.fresh(*shape)
    out = out.transpose(1, 2) if x.stride(1) == 1 else out
    problem = Convolution(
        batch=batch, channels=channels, taps=taps, length=length,
        threads=threads_for(native, x.numel()), level=number,
        x=_rows(x), out=_rows(out), weight=address(weight), bias=address(bias),
    )  # fmt: skip
    native.library.scan_convolution(ctypes.byref(problem))
    return out


def attention_native(qkv: Tensor, heads: int, *, level: str | None = None) -> Tensor:
    """Multi-head self-attention, float32 on the CPU, without gradients.

    qkv: (B, N, 3 C), queries, keys and values of all heads side by side, of a token contiguous.
    heads: their width C / heads must be a multiple of HEAD_WIDTH.
    level: as `selective_scan_native`. Returns (B, N, C), contiguous.
    """
    native, number = loaded(level)
    batch, tokens, columns = qkv.shape
    width, rest = divmod(columns, 3 * heads)
    if rest or width % HEAD_WIDTH:
        raise ValueError(
            f"expected 3 x {heads} heads of a multiple of {HEAD_WIDTH} columns, got {columns}"
        )
    qkv = qkv if qkv.stride(2) == 1 else qkv.contiguous()
    out = native.fresh(batch, tokens, heads * width)
    problem = Attention(
        batch=batch, heads=heads, tokens=tokens, width=width,
        threads=threads_for(native, batch * heads * tokens * tokens), level=number,
        batch_stride=qkv.stride(0), token_stride=qkv.stride(1),
        qkv=address(qkv), out=address(out), scale=width**-0.5,
    )  # fmt: skip
    if native.library.scan_attention(ctypes.byref(problem)):
        raise MemoryError("the native attention could not get its working memory")
    return out


def loaded(level: str | None) -> tuple[NativeScan, int]:
    """The library and the number of a level; RuntimeError without it."""
    native = load()
    if isinstance(native, str):
        raise RuntimeError(f"native selective scan: {native}")
    number = native.best_level if level is None else LEVELS.index(level)
    if number > native.best_level:
        raise RuntimeError(
            f"this processor has no {level}, its best is {LEVELS[native.best_level]}"
        )
    return native, number
