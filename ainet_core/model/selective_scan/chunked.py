"""The selective scan in plain PyTorch without thousands of tiny kernels, for GPUs.

Time is cut into about sqrt(T) chunks of about sqrt(T) steps. All chunks advance side by side,
so a step is a few kernels over every chunk at once:

1. each chunk starts from h = 0 and finds its last state;
2. the chunks are chained: start[c + 1] = exp(A sum(delta over c)) start[c] + last[c];
3. each chunk runs again from its true start and gives y.

Only exp of delta A itself and of its sums is taken, never a quotient of cumulative products, so
nothing overflows that does not overflow in the plain loop. Live at a time: a few tensors of
(B, D, N, sqrt(T)). With gradients, long sequences are cut into segments that are computed again
in the backward pass (gradient checkpointing), which bounds what autograd keeps.
"""

import math

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ainet_core.model.selective_scan.reference import skip_and_gate, step_sizes

SEGMENTS = 16  # of a long sequence, when gradients are needed
SHORTEST_SEGMENT = 64


def _chunks_side_by_side(x: Tensor, steps: int) -> Tensor:
    """(..., T) -> (steps, ..., chunks), padded with zeros: a step of length 0 changes nothing."""
    x = torch.nn.functional.pad(x, (0, -x.shape[-1] % steps))
    # a copy, so that all that a step reads lies together
    return x.unflatten(-1, (-1, steps)).movedim(-1, 0).clone(memory_format=torch.contiguous_format)


def _scan_segment(
    start: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor
) -> tuple[Tensor, Tensor]:
    """Scans T steps from one state to the next.

    start (B, G, P, N), P channels per group; delta, u (B, G, P, T);
    A (G, P, N); B, C (B, G, N, T). Returns y without D (B, G, P, T) and the last state.
    """
    length = delta.shape[-1]
    steps = math.isqrt(length - 1) + 1
    delta = _chunks_side_by_side(delta, steps).unsqueeze(-1)  # (K, B, G, P, chunks, 1)
    terms = (delta * _chunks_side_by_side(u, steps).unsqueeze(-1)).unbind(0)
    deltas = delta.unbind(0)
    Bs, Cs = (  # K times (B, G, 1, chunks, N)
        _chunks_side_by_side(x, steps).transpose(-1, -2).unsqueeze(3).unbind(0) for x in (B, C)
    )
    A = A.unsqueeze(2)  # (G, P, 1, N)

    last = terms[0] * Bs[0]  # (B, G, P, chunks, N)
    for step, term, b in zip(deltas[1:], terms[1:], Bs[1:], strict=True):
        last = torch.addcmul(last * torch.exp(step * A), term, b)

    decay = torch.exp(delta.sum(0) * A)
    starts = [start]
    for end, kept in zip(last.unbind(3), decay.unbind(3), strict=True):
        starts.append(torch.addcmul(end, kept, starts[-1]))
    h = torch.stack(starts[:-1], dim=3)

    ys = []
    for step, term, b, c in zip(deltas, terms, Bs, Cs, strict=True):
        h = torch.addcmul(h * torch.exp(step * A), term, b)
        ys.append((h * c).sum(-1))  # (B, G, P, chunks)
    y = torch.stack(ys, dim=-1).flatten(-2)
    return y.narrow(-1, 0, length), starts[-1]


def selective_scan_chunked(
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
    """Arguments as `selective_scan`, B and C (B, G, N, T)."""
    groups, length = B.shape[1], u.shape[2]
    delta = step_sizes(delta, delta_bias, delta_softplus)
    steps = delta.unflatten(1, (groups, -1))  # (B, G, P, T)
    inputs = u.unflatten(1, (groups, -1))
    rates = A.unflatten(0, (groups, -1))  # (G, P, N)
    state = u.new_zeros(u.shape[0], *rates.shape)

    needs_grad = torch.is_grad_enabled() and any(x.requires_grad for x in (delta, u, A, B, C))
    size = max(SHORTEST_SEGMENT, -(-length // SEGMENTS)) if needs_grad else length
    ys = []
    for first in range(0, length, size):
        count = min(size, length - first)
        delta, u_part, B_part, C_part = (x.narrow(-1, first, count) for x in (steps, inputs, B, C))
        arguments = (state, delta, u_part, rates, B_part, C_part)
        if needs_grad and length > size:
            y, state = checkpoint(
                _scan_segment, *arguments, use_reentrant=False, preserve_rng_state=False
            )
        else:
            y, state = _scan_segment(*arguments)
        ys.append(y)
    y = ys[0] if len(ys) == 1 else torch.cat(ys, dim=-1)
    return skip_and_gate(y.flatten(1, 2), u, D, z)
