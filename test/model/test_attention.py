"""Attention in C beside PyTorch's."""

from __future__ import annotations

import pytest
import torch
from scan_cases import fresh_seed
from torch import Tensor
from torch.nn import functional as F

from ainet_core.model.config import ModelConfig
from ainet_core.model.selective_scan import native
from ainet_core.model.selective_scan.native import HEAD_WIDTH, LEVELS, attention_native
from ainet_core.model.vit import Attention

LIBRARY = native.load()
compiled = pytest.mark.skipif(isinstance(LIBRARY, str), reason=str(LIBRARY))


def right(qkv: Tensor, heads: int) -> Tensor:
    batch, tokens, columns = qkv.shape
    parts = qkv.double().view(batch, tokens, 3, heads, columns // (3 * heads))
    q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


@compiled
@pytest.mark.parametrize(("heads", "columns"), [(2, 3 * 2 * 8), (3, 3 * 2 * 16), (1, 3 * 24)])
def test_heads_of_another_width_are_refused(heads: int, columns: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of {HEAD_WIDTH} columns, got {columns}"):
        attention_native(torch.randn(1, 5, columns), heads)


@compiled
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("batch", "tokens", "heads", "width"),
    [(2, 180, 4, 32), (1, 320, 3, 64), (2, 1, 2, 16), (1, 7, 1, 48), (3, 65, 5, 16),
     (1, 49, 2, 80), (2, 129, 4, 32)],
)  # fmt: skip
def test_it_is_pytorchs(
    level: str, threads: int, batch: int, tokens: int, heads: int, width: int
) -> None:
    assert not isinstance(LIBRARY, str)
    if LEVELS.index(level) > LIBRARY.best_level:
        pytest.skip(f"this processor has no {level}")
    torch.manual_seed(fresh_seed())
    qkv, before = torch.randn(batch, tokens, 3 * heads * width), torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        got = attention_native(qkv, heads, level=level)
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(got.double(), right(qkv, heads), rtol=1e-5, atol=1e-5)


@compiled
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [30.0, 1e4])
def test_large_scores_neither_overflow_nor_vanish(level: str, size: float) -> None:
    assert not isinstance(LIBRARY, str)
    if LEVELS.index(level) > LIBRARY.best_level:
        pytest.skip(f"this processor has no {level}")
    torch.manual_seed(fresh_seed())
    qkv = torch.randn(1, 100, 3 * 2 * 32)
    qkv[..., : 2 * 2 * 32] *= size**0.5
    got = attention_native(qkv, 2, level=level)
    # Scores of 1e4 differ by 1e-3 in float32, and so do the exponentials.
    torch.testing.assert_close(got.double(), right(qkv, 2), rtol=1e-3, atol=2e-2)


@compiled
def test_rows_with_gaps_and_columns_apart_are_read() -> None:
    torch.manual_seed(fresh_seed())
    wide = torch.randn(2, 40, 3 * 64 + 20)[..., 7 : 7 + 3 * 64]
    columns = torch.randn(2, 3 * 64, 40).transpose(1, 2)
    for qkv in (wide, columns):
        torch.testing.assert_close(
            attention_native(qkv, 2).double(), right(qkv, 2), rtol=1e-5, atol=1e-5
        )


@compiled
def test_what_is_not_a_number_stays_so() -> None:
    qkv = torch.randn(1, 20, 3 * 32)
    qkv[0, 4, 40] = torch.nan  # of a key
    assert attention_native(qkv, 1).isnan().all()


def test_without_the_compiled_part_pytorch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "load", lambda: "not compiled")
    attention = Attention(ModelConfig(width=32, heads=2))
    x = torch.randn(2, 10, 32)
    before = attention(x)
    attention.pack()
    assert torch.equal(attention(x), before)


def test_heads_that_do_not_fit_stay_with_pytorch() -> None:
    attention = Attention(ModelConfig(width=32, heads=4))
    x = torch.randn(2, 10, 32)
    before = attention(x)
    attention.pack()
    assert torch.equal(attention(x), before)
