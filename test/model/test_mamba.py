"""The parts of a Mamba block beside its scan."""

from __future__ import annotations

import pytest
import torch
from scan_cases import fresh_seed
from torch import nn

from ainet_core.model.mamba import causal_convolution


@pytest.mark.parametrize("length", [1, 3, 4, 50])
@pytest.mark.parametrize("width", [1, 4])
def test_the_causal_convolution_is_pytorchs(length: int, width: int) -> None:
    torch.manual_seed(fresh_seed())
    plain = nn.Conv1d(6, 6, width, groups=6, padding=width - 1, dtype=torch.float64)
    x = torch.randn(2, 6, length, dtype=torch.float64, requires_grad=True)
    made, right = causal_convolution(x, plain), plain(x)[..., :length]
    torch.testing.assert_close(made, right)
    weights = torch.randn_like(right)
    inputs = (x, *plain.parameters())
    for got, wanted in zip(
        torch.autograd.grad((made * weights).sum(), inputs),
        torch.autograd.grad((right * weights).sum(), inputs), strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(got, wanted)
