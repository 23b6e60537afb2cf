"""The convolution before a scan: PyTorch's own, and the same in C."""

from __future__ import annotations

import pytest
import torch
from scan_cases import fresh_seed
from torch import Tensor, nn
from torch.nn import functional as F

from ainet_core.model.selective_scan import causal_convolution, convolved, dispatch, native
from ainet_core.model.selective_scan.native import LEVELS, convolved_native

LIBRARY = native.load()
compiled = pytest.mark.skipif(isinstance(LIBRARY, str), reason=str(LIBRARY))


def some(channels: int, length: int, taps: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(fresh_seed())
    return torch.randn(2, channels, length), torch.randn(channels, taps), torch.randn(channels)


@compiled
def test_more_taps_than_fit_are_refused() -> None:
    inputs = some(4, 20, native.MOST_TAPS + 1)
    with pytest.raises(ValueError, match=r"at most \d+ taps, got"):
        convolved_native(*inputs)
    assert convolved(*inputs).shape == (2, 4, 20)  # PyTorch does it


@pytest.mark.parametrize("length", [1, 3, 4, 50])
@pytest.mark.parametrize("width", [1, 4])
def test_the_causal_convolution_is_pytorchs(length: int, width: int) -> None:
    torch.manual_seed(fresh_seed())
    plain = nn.Conv1d(6, 6, width, groups=6, padding=width - 1, dtype=torch.float64)
    x = torch.randn(2, 6, length, dtype=torch.float64, requires_grad=True)
    assert plain.bias is not None
    made = causal_convolution(x, plain.weight.squeeze(1), plain.bias)
    right = plain(x)[..., :length]
    torch.testing.assert_close(made, right)
    weights = torch.randn_like(right)
    inputs = (x, *plain.parameters())
    for got, wanted in zip(
        torch.autograd.grad((made * weights).sum(), inputs),
        torch.autograd.grad((right * weights).sum(), inputs), strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(got, wanted)


@compiled
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("time_first", [False, True])
@pytest.mark.parametrize(("channels", "length", "taps"), [
    (18, 1, 4), (18, 3, 4), (7, 64, 1), (48, 65, 4), (384, 1080, 4), (33, 200, 8),
])  # fmt: skip
def test_the_one_in_c_is_silu_of_the_causal_convolution(
    level: str, time_first: bool, channels: int, length: int, taps: int
) -> None:
    assert not isinstance(LIBRARY, str)
    if LEVELS.index(level) > LIBRARY.best_level:
        pytest.skip(f"this processor has no {level}")
    x, weight, bias = some(channels, length, taps)
    if time_first:  # as a part of something larger, the way a projection is split in two
        x = torch.cat([x, x], dim=1).transpose(1, 2).contiguous().transpose(1, 2)[:, :channels]
    doubles = (tensor.double() for tensor in (x, weight, bias))
    right = F.silu(causal_convolution(*doubles))
    made = convolved_native(x, weight, bias, level=level)
    assert made.shape == x.shape
    torch.testing.assert_close(made.double(), right, rtol=2e-5, atol=2e-6)


@compiled
def test_several_threads_share_the_work() -> None:
    before = torch.get_num_threads()
    inputs = some(384, 1080, 4)
    try:
        torch.set_num_threads(1)
        alone = convolved_native(*inputs)
        torch.set_num_threads(2)
        torch.testing.assert_close(convolved_native(*inputs), alone, rtol=0, atol=0)
    finally:
        torch.set_num_threads(before)


def test_with_gradients_it_is_pytorch_and_without_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, weight, bias = some(18, 30, 4)
    weight.requires_grad_()
    learning = convolved(x, weight, bias)
    learning.sum().backward()
    assert weight.grad is not None
    with torch.no_grad():
        torch.testing.assert_close(convolved(x, weight, bias), learning.detach())
        monkeypatch.setenv(dispatch.ENVIRONMENT_VARIABLE, "reference")
        torch.testing.assert_close(convolved(x, weight, bias), learning.detach())
        assert convolved(x.double(), weight.double(), bias.double()).dtype == torch.float64
