"""The stem as it tracks gives the maps of the stem as it was trained."""

from __future__ import annotations

import logging

import pytest
import torch
from scan_cases import fresh_seed

from ainet_core.model import packed_stem
from ainet_core.model.ainet import AINet
from ainet_core.model.config import preset_config
from ainet_core.model.packed_stem import PackedStem
from ainet_core.model.stem import ConvolutionStem

WHY_NOT = packed_stem.obstacle()
can_pack = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


def test_a_pytorch_without_onednn_keeps_the_stem_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(packed_stem, "obstacle", lambda: "this PyTorch has no oneDNN")
    with pytest.raises(RuntimeError, match="no oneDNN"):
        PackedStem(ConvolutionStem(), 96)
    model = AINet(preset_config("nano"))
    with caplog.at_level(logging.INFO):
        model.pack()
    assert isinstance(model.stem, ConvolutionStem)
    assert "no oneDNN" in caplog.text


def test_a_network_without_a_stem_has_nothing_to_pack() -> None:
    with torch.device("meta"):
        model = AINet(preset_config("tiny"))
    model.pack()
    assert not hasattr(model, "stem")


@can_pack
@pytest.mark.parametrize("threads", [1, 2])
def test_maps_are_those_of_the_stem_for_every_size(threads: int) -> None:
    torch.manual_seed(fresh_seed())
    stem, before = ConvolutionStem().eval(), torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            packed = PackedStem(stem, 192)
            for cameras, side in ((2, 192), (1, 192), (2, 96), (2, 64), (1, 256)):
                image = torch.randn(cameras, 3, side, side)
                for got, wanted in zip(packed(image), stem(image), strict=True):
                    assert got.shape == wanted.shape
                    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)
    finally:
        torch.set_num_threads(before)


@can_pack
def test_packing_twice_is_packing_once() -> None:
    model = AINet(preset_config("nano"))
    model.pack()
    stem = model.stem
    model.pack()
    assert isinstance(stem, PackedStem)
    assert model.stem is stem
