"""What a selective scan accepts: checked once, before any backend sees it."""

import torch
from torch import Tensor


def check_inputs(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None,
    z: Tensor | None,
    delta_bias: Tensor | None,
) -> None:
    """Raises ValueError with what was expected and what came."""
    if u.ndim != 3 or u.shape[2] < 1:
        raise ValueError(f"u must be (batch, channels, time) with time >= 1, got {tuple(u.shape)}")
    batch, channels, length = u.shape
    if A.ndim != 2 or A.shape[0] != channels or A.shape[1] < 1:
        raise ValueError(
            f"A must be (channels, states) with channels = {channels}, got {tuple(A.shape)}"
        )
    for name, mixing in (("B", B), ("C", C)):
        _check_mixing(name, mixing, batch, A.shape[1], length)
    groups = _groups(B)
    if _groups(C) != groups or groups < 1 or channels % groups:
        raise ValueError(
            f"B and C must have the same number of groups, dividing {channels} channels, "
            f"got {groups} and {_groups(C)}"
        )
    per_step, per_channel = (batch, channels, length), (channels,)
    _check_shape("delta", delta, per_step)
    _check_shape("z", z, per_step)
    _check_shape("D", D, per_channel)
    _check_shape("delta_bias", delta_bias, per_channel)
    named = {"u": u, "delta": delta, "A": A, "B": B, "C": C, "D": D, "z": z}
    for name, tensor in {**named, "delta_bias": delta_bias}.items():
        _check_kind(name, tensor, u.device)


def _groups(mixing: Tensor) -> int:
    return mixing.shape[1] if mixing.ndim == 4 else 1


def _check_mixing(name: str, mixing: Tensor, batch: int, states: int, length: int) -> None:
    shape = tuple(mixing.shape)
    if shape not in {(batch, states, length), (batch, *shape[1:2], states, length)}:
        raise ValueError(
            f"{name} must be (batch, states, time) = {(batch, states, length)} or (batch, "
            f"groups, states, time) = ({batch}, groups, {states}, {length}), got {shape}"
        )


def _check_shape(name: str, tensor: Tensor | None, expected: tuple[int, ...]) -> None:
    if tensor is not None and tuple(tensor.shape) != expected:
        raise ValueError(f"{name} must have shape {expected}, got {tuple(tensor.shape)}")


def _check_kind(name: str, tensor: Tensor | None, device: torch.device) -> None:
    if tensor is None:
        return
    if not tensor.is_floating_point():
        raise ValueError(f"{name} must hold real floating-point numbers, got {tensor.dtype}")
    if tensor.device != device:
        raise ValueError(f"{name} must be on {device} as u is, got {tensor.device}")
