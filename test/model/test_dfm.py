"""The difference fusion of one layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from networks import SMALL
from torch import nn

from ainet_core.model.dfm import DifferenceFusion


def make_dfm(compensation: str, act: str = "tanh") -> DifferenceFusion:
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, compensation=compensation, act=act)  # type: ignore[arg-type]
    dfm = DifferenceFusion(config)
    nn.init.normal_(dfm.mamba.project_out.weight, std=0.5)
    return dfm


@pytest.mark.parametrize("compensation", ["self", "cross"])
def test_self_and_cross_scale_the_sum(compensation: str) -> None:
    """The algebra of paper.md: x_dfm = (1 + g) * (x_rgb + x_tir), no camera can be preferred."""
    dfm = make_dfm(compensation)
    x = torch.randn(2, 2, 20, SMALL.width)
    x_rgb, x_tir = x.unbind(0)
    g = torch.tanh(dfm.mamba(dfm.norm(x_rgb - x_tir)))
    torch.testing.assert_close(dfm(x)[1], (1 + g) * (x_rgb + x_tir))


def test_differential_can_prefer_a_camera() -> None:
    dfm = make_dfm("differential")
    x = torch.randn(2, 2, 20, SMALL.width)
    x_rgb, x_tir = x.unbind(0)
    g = torch.tanh(dfm.mamba(dfm.norm(x_rgb - x_tir)))
    (a, b), fused = dfm(x)
    torch.testing.assert_close(a, (1 + g) * x_rgb)
    torch.testing.assert_close(b, (1 - g) * x_tir)
    torch.testing.assert_close(fused, a + b)


@pytest.mark.parametrize(
    ("act", "function"), [("silu", nn.functional.silu), ("identity", nn.Identity())]
)
def test_other_activations(act: str, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
    dfm = make_dfm("self", act)
    x = torch.randn(2, 2, 20, SMALL.width)
    x_rgb, x_tir = x.unbind(0)
    g = function(dfm.mamba(dfm.norm(x_rgb - x_tir)))
    torch.testing.assert_close(dfm(x)[0][0], (1 + g) * x_rgb)


@pytest.mark.parametrize("act", ["tanh", "silu", "identity"])
@pytest.mark.parametrize("compensation", ["self", "cross", "differential"])
def test_no_difference_no_change(compensation: str, act: str) -> None:
    x = torch.randn(2, 20, SMALL.width)
    (a, b), fused = make_dfm(compensation, act)(torch.stack([x, x]))
    assert torch.equal(a, x)
    assert torch.equal(b, x)
    assert torch.equal(fused, 2 * x)
