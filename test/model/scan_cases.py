"""Random selective scans for the tests beside this file, and how far two results differ."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Case:
    """Sizes, and which of the optional arguments are given."""

    length: int
    states: int = 16
    groups: int = 1
    per_group: int = 2
    batch: int = 2
    D: bool = True
    z: bool = True
    delta_bias: bool = True
    delta_softplus: bool = True


def fresh_seed() -> int:
    """A new seed for every run; pytest shows the line when the test fails."""
    seed = random.SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    return seed


def random_inputs(case: Case, seed: int | None = None) -> dict[str, Any]:
    """Keyword arguments of `selective_scan`, float64."""
    generator = torch.Generator().manual_seed(fresh_seed() if seed is None else seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    batch, channels, length = case.batch, case.groups * case.per_group, case.length
    delta = normal(batch, channels, length) - 1
    return {
        "u": normal(batch, channels, length),
        "delta": delta if case.delta_softplus else 0.2 * delta.abs(),
        "A": -torch.exp(1.5 * normal(channels, case.states)),
        "B": normal(batch, case.groups, case.states, length),
        "C": normal(batch, case.groups, case.states, length),
        "D": normal(channels) if case.D else None,
        "z": normal(batch, channels, length) if case.z else None,
        "delta_bias": 0.1 * normal(channels).abs() if case.delta_bias else None,
        "delta_softplus": case.delta_softplus,
    }


def cast(inputs: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    return {k: v.to(dtype) if isinstance(v, Tensor) else v for k, v in inputs.items()}


def output_and_gradients(
    scan: Callable[..., Tensor], inputs: dict[str, Any], weights: Tensor
) -> dict[str, Tensor]:
    """The output and the gradient of sum(output * weights) by every input, by name."""
    leaves = {
        k: v.detach().clone().requires_grad_() if isinstance(v, Tensor) else v
        for k, v in inputs.items()
    }
    out = scan(**leaves)
    (out * weights.to(out.dtype)).sum().backward()
    gradients = {f"d{k}": v.grad for k, v in leaves.items() if isinstance(v, Tensor)}
    return {"out": out.detach(), **gradients}


def relative_error(got: Tensor, right: Tensor) -> float:
    """max |difference| / max |value|; the first alone where all values are 0."""
    assert got.shape == right.shape
    largest = right.abs().max().item()
    return (got.double() - right).abs().max().item() / (largest or 1.0)
