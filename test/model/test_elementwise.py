"""The C passes over tokens: what they refuse, and that they are what PyTorch computes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ainet_core.model.dfm import ACTIVATIONS
from ainet_core.model.selective_scan import native
from ainet_core.model.selective_scan.elementwise import (
    COMPENSATIONS,
    can_pack,
    compensated,
    layer_sum,
    normalised,
)

LIBRARY = native.load()
pytestmark = pytest.mark.skipif(isinstance(LIBRARY, str), reason=f"native: {LIBRARY}")
levels = pytest.mark.parametrize(
    "level", native.LEVELS[: 1 + getattr(LIBRARY, "best_level", 0)]
)


def test_widths_that_do_not_fit_are_refused() -> None:
    assert can_pack(16)
    assert not can_pack(24)
    x = torch.randn(2, 5, 24)
    with pytest.raises(ValueError, match="multiple of 16 columns, got 24"):
        normalised(x, torch.ones(24), None, 1e-5)
    with pytest.raises(ValueError, match="multiple of 16 columns, got 24"):
        compensated(x, x[0], "self", "tanh")
    with pytest.raises(ValueError, match="multiple of 16 columns, got 24"):
        layer_sum((x[0], x[0], x[0]), x, torch.arange(2))


@levels
@pytest.mark.parametrize("width", [16, 48, 768])
def test_norm(level: str, width: int) -> None:
    torch.manual_seed(width)
    x, minus = torch.randn(2, 3, 7, width) * 5 + 2
    weight, bias = torch.randn(2, width)
    for other, shift in ((None, bias), (minus, None), (minus, bias)):
        got = normalised(x, weight, shift, 1e-6, minus=other, level=level)
        difference = x if other is None else x - other
        right = F.layer_norm(
            difference.double(), (width,), weight.double(),
            None if shift is None else shift.double(), 1e-6,
        )  # fmt: skip
        torch.testing.assert_close(got.double(), right, rtol=1e-5, atol=1e-5)


def test_norm_is_written_where_it_is_wanted() -> None:
    x, place = torch.randn(3, 32), torch.zeros(2, 3, 32)
    got = normalised(x, torch.ones(32), None, 1e-6, out=place[1])
    assert got.data_ptr() == place[1].data_ptr()
    torch.testing.assert_close(place[1], F.layer_norm(x, (32,), eps=1e-6))
    assert not place[0].any()


@levels
@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("compensation", COMPENSATIONS)
def test_compensation(level: str, compensation: str, act: str) -> None:
    torch.manual_seed(1)
    x, gate = torch.randn(2, 1, 9, 48), torch.randn(1, 9, 48) * 3
    got, total = compensated(x, gate, compensation, act, level=level)
    rgb, tir = x.double()
    g = ACTIVATIONS[act](gate.double())  # type: ignore[index]
    by_rgb, by_tir = (tir, rgb) if compensation == "cross" else (rgb, tir)
    sign = -1 if compensation == "differential" else 1
    right = torch.stack([rgb + g * by_rgb, tir + sign * g * by_tir])
    torch.testing.assert_close(got.double(), right, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(total.double(), right.sum(dim=0), rtol=1e-6, atol=1e-6)


@levels
@pytest.mark.parametrize("act", ACTIVATIONS)
def test_a_closed_gate_changes_nothing(level: str, act: str) -> None:
    x = torch.randn(2, 1, 9, 48)
    got, total = compensated(x, torch.zeros(1, 9, 48), "self", act, level=level)
    assert torch.equal(got, x)
    assert torch.equal(total, x[0] + x[1])


@levels
@pytest.mark.parametrize("tokens", [1, 13])
def test_layer_sum(level: str, tokens: int) -> None:
    torch.manual_seed(tokens)
    layers, width = 5, 48
    gate = torch.randn(layers, tokens, 2 * width)[..., width:]  # half of a projection
    order = torch.randperm(layers)
    forward, backward, dynamic = torch.randn(3, layers * tokens, width)
    got = layer_sum((forward, backward, dynamic), gate, order, level=level)

    def per_layer(scan: Tensor) -> Tensor:
        return scan.double().view(layers, tokens, width)

    y = per_layer(forward) + per_layer(backward.flip(0)) + per_layer(dynamic)[order.argsort()]
    right = (y * F.silu(gate.double())).sum(dim=0)
    torch.testing.assert_close(got.double(), right, rtol=1e-5, atol=1e-5)


def test_a_gate_in_any_layout() -> None:
    scans = torch.randn(3, 6, 16)
    gate = torch.randn(3, 16, 2).transpose(1, 2)
    order = torch.tensor([0, 2, 1])
    first, second, third = scans
    got = layer_sum((first, second, third), gate, order)
    assert torch.equal(got, layer_sum((first, second, third), gate.contiguous(), order))


@levels
def test_threads_share_the_work(level: str) -> None:
    """Enough rows that more than one thread is asked for, and a count that no two share evenly."""
    x, minus = torch.randn(2, 1, 1001, 144)
    weight = torch.randn(144)
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            gate = torch.randn(3, 1001, 144, generator=torch.Generator().manual_seed(0))
            scans = (gate.flatten(0, 1), gate.flatten(0, 1) * 2, gate.flatten(0, 1) * 3)
            results.append(
                (
                    normalised(x, weight, None, 1e-6, minus=minus, level=level),
                    *compensated(torch.stack([x, minus]), x * 3, "cross", "tanh", level=level),
                    layer_sum(scans, gate, torch.tensor([2, 0, 1]), level=level),
                )
            )
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
