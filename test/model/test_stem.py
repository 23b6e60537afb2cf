"""The template prior's correlation is the convolution that it stands for."""

from __future__ import annotations

import pytest
import torch
from scan_cases import fresh_seed
from torch import Tensor
from torch.nn import functional as F

from ainet_core.model.stem import _correlate


def as_convolutions(search: Tensor, kernel: Tensor) -> Tensor:
    side = kernel.shape[-1]
    before = (side - 1) // 2
    maps = [
        F.conv2d(F.pad(one, (before, side - 1 - before) * 2)[None], target[None])
        for one, target in zip(search, kernel, strict=True)
    ]
    return torch.cat(maps)


SIZES = [(5, 12, 6), (3, 24, 12), (4, 7, 5), (2, 4, 1)]


@pytest.mark.parametrize(("channels", "cells", "side"), SIZES)
def test_correlation_is_a_convolution_of_its_own_for_each_sample(
    channels: int, cells: int, side: int
) -> None:
    torch.manual_seed(fresh_seed())
    search = torch.randn(3, channels, cells, cells, dtype=torch.float64, requires_grad=True)
    kernel = torch.randn(3, channels, side, side, dtype=torch.float64, requires_grad=True)
    made, right = _correlate(search, kernel), as_convolutions(search, kernel)
    torch.testing.assert_close(made, right)
    weights = torch.randn_like(right)
    inputs = (search, kernel)
    for got, wanted in zip(
        torch.autograd.grad((made * weights).sum(), inputs),
        torch.autograd.grad((right * weights).sum(), inputs), strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(got, wanted)
