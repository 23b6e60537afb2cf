"""The selective scan written down plainly: this loop defines what every other backend computes.

Source: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023),
section 3.2 and algorithm 2; argument meaning as in mamba-ssm's `selective_scan_fn`, real A only.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def step_sizes(delta: Tensor, delta_bias: Tensor | None, delta_softplus: bool) -> Tensor:
    """The delta that the recurrence uses: softplus(delta + bias), (B, D, T)."""
    if delta_bias is not None:
        delta = delta + delta_bias.unsqueeze(1)
    return F.softplus(delta) if delta_softplus else delta


def skip_and_gate(y: Tensor, u: Tensor, D: Tensor | None, z: Tensor | None) -> Tensor:
    """(y + D u) silu(z), (B, D, T)."""
    if D is not None:
        y = y + D.unsqueeze(1) * u
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
    groups = B.shape[1]
    rates = A.unflatten(0, (groups, -1))  # (G, P, N), P channels per group
    steps = delta.unflatten(1, (groups, -1)).unsqueeze(-1)  # (B, G, P, T, 1)
    inputs = (delta * u).unflatten(1, (groups, -1)).unsqueeze(-1)
    h = u.new_zeros(u.shape[0], *rates.shape)  # (B, G, P, N)
    ys = []
    # unbind, not x[..., t]: the gradient of an index is as large as all of x, at every step
    series = (steps.unbind(3), inputs.unbind(3), B.unbind(3), C.unbind(3))
    for step, term, b, c in zip(*series, strict=True):
        h = torch.exp(step * rates) * h + term * b.unsqueeze(2)
        ys.append((h * c.unsqueeze(2)).sum(-1))  # (B, G, P)
    return skip_and_gate(torch.stack(ys, dim=3).flatten(1, 2), u, D, z)
