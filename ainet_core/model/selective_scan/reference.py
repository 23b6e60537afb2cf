"""The selective scan written down plainly: this loop defines what every other backend computes.

Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023),
section 3.2 and algorithm 2; argument meaning as in mamba-ssm's `selective_scan_fn`, real A only.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def per_channel(grouped: Tensor, channels: int) -> Tensor:
    """Repeats each group's values for the group's channels: (B, G, N, T) -> (B, D, N, T)."""
    return grouped.repeat_interleave(channels // grouped.shape[1], dim=1)


def step_sizes(delta: Tensor, delta_bias: Tensor | None, delta_softplus: bool) -> Tensor:
    """The delta that the recurrence uses: softplus(delta + bias), (B, D, T)."""
    if delta_bias is not None:
        delta = delta + delta_bias[:, None]
    return F.softplus(delta) if delta_softplus else delta


def skip_and_gate(y: Tensor, u: Tensor, D: Tensor | None, z: Tensor | None) -> Tensor:
    """(y + D u) silu(z), (B, D, T)."""
    if D is not None:
        y = y + D[:, None] * u
    return y if z is None else y * F.silu(z)


def selective_scan_reference(
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
    """One step after the other; arguments as `selective_scan`, B and C (B, G, N, T)."""
    delta = step_sizes(delta, delta_bias, delta_softplus)
    B, C = per_channel(B, u.shape[1]), per_channel(C, u.shape[1])
    h = u.new_zeros(u.shape[0], u.shape[1], A.shape[1])  # (B, D, N)
    ys = []
    for t in range(u.shape[2]):
        step = delta[:, :, t, None]  # (B, D, 1)
        h = torch.exp(step * A) * h + step * B[..., t] * u[:, :, t, None]
        ys.append((h * C[..., t]).sum(-1))  # (B, D)
    return skip_and_gate(torch.stack(ys, dim=2), u, D, z)
