"""The network as it tracks on a CPU gives what the network gives as it was trained."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import torch
from scan_cases import fresh_seed
from torch import nn

from ainet_core.model import ainet, packed_layers
from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig, preset_config
from ainet_core.model.packed_layers import PackedConvolution, PackedLinear
from ainet_core.model.packed_stem import PackedStem
from ainet_core.model.stem import ConvolutionStem

WHY_NOT = packed_layers.obstacle()
can_pack = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_a_pytorch_without_onednn_keeps_the_network_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ainet, "obstacle", lambda: "this PyTorch has no oneDNN")
    model = AINet(preset_config("nano"))
    with caplog.at_level(logging.INFO):
        model.pack()
    assert isinstance(model.stem, ConvolutionStem)
    assert "no oneDNN" in caplog.text


@can_pack
def test_without_the_compiled_code_the_stem_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ainet, "can_pack", lambda width: False)
    model = AINet(preset_config("nano"))
    model.pack()
    assert isinstance(model.stem, ConvolutionStem)


@pytest.mark.parametrize("operation", packed_layers.OPERATIONS)
def test_an_operation_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    class Without:
        def __getattr__(self, name: str) -> object:
            if name == operation:
                raise AttributeError(name)
            return object()

    monkeypatch.setattr(torch.ops, "mkldnn", Without())
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert operation in str(packed_layers.obstacle())


@can_pack
@pytest.mark.parametrize("layer", ["PackedLinear", "PackedConvolution"])
def test_an_operation_that_fails_on_this_platform_is_told(
    monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("could not create a primitive")

    monkeypatch.setattr(getattr(packed_layers, layer), "forward", fails)
    assert "could not create a primitive" in str(packed_layers.obstacle())


@can_pack
def test_nothing_is_left_that_could_be_packed() -> None:
    model = AINet(preset_config("nano"))
    model.pack()
    assert not [module for module in model.modules() if isinstance(module, nn.Linear)]
    left = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert not left, left


@can_pack
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_a_linear_layer_gives_what_it_gave(threads: int, gelu: bool, bias: bool) -> None:
    torch.manual_seed(fresh_seed())
    layer = nn.Linear(24, 40, bias=bias)
    packed = PackedLinear(layer.weight, layer.bias, gelu)
    with torch.inference_mode():
        for x in (
            torch.randn(1, 24),
            torch.randn(2, 5, 24),
            torch.randn(2, 24, 7).transpose(1, 2),  # tokens are not rows in memory
            torch.randn(3, 6, 30)[..., 4:28],  # rows of something wider
        ):
            wanted = nn.functional.gelu(layer(x)) if gelu else layer(x)
            torch.testing.assert_close(packed(x), wanted, rtol=1e-5, atol=1e-5)


@can_pack
def test_a_convolution_gives_what_it_gave(threads: int) -> None:
    torch.manual_seed(fresh_seed())
    layer = nn.Conv2d(8, 12, 3, padding=1, stride=2)
    packed = PackedConvolution(layer, (1, 8, 10, 10))
    with torch.inference_mode():
        for x in (torch.randn(1, 8, 10, 10), torch.randn(2, 8, 7, 9)):
            torch.testing.assert_close(packed(x), layer(x), rtol=1e-5, atol=1e-5)


def _small(**changes: object) -> ModelConfig:
    sizes = {"width": 32, "depth": 3, "heads": 2, "template_size": 32, "search_size": 64}
    return ModelConfig(**{**sizes, "head_width": 32, **changes})  # type: ignore[arg-type]


@can_pack
@pytest.mark.parametrize(
    "config",
    [
        preset_config("nano"),
        _small(),
        _small(dynamic_order=False, compensation="cross", act="silu"),
        _small(ofm=False),
        _small(dfm=False),
        _small(expansion=1, state_size=5),
    ],
    ids=["nano", "patches", "static cross", "no OFM", "no DFM", "odd sizes"],
)
@pytest.mark.parametrize("cameras", [1, 2])
def test_maps_are_those_of_the_network(threads: int, config: ModelConfig, cameras: int) -> None:
    torch.manual_seed(fresh_seed())
    model = AINet(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "project_out" in name:  # they start at zero, and then no scan is seen
                parameter.normal_(std=0.05)
    template = torch.randn(cameras, 1, 3, config.template_size, config.template_size)
    search = torch.randn(cameras, 1, 3, config.search_size, config.search_size)
    extent = torch.tensor([[0.4, 0.6]])
    with torch.inference_mode():
        wanted = model(template, search, extent)
        model.pack()
        got = model(template, search, extent)
    assert torch.equal(got.order, wanted.order)
    for name in ("score_logits", "offset", "size"):
        torch.testing.assert_close(getattr(got, name), getattr(wanted, name), rtol=1e-4, atol=1e-4)


@can_pack
def test_packing_twice_is_packing_once() -> None:
    model = AINet(preset_config("nano"))
    model.pack()
    stem = model.stem
    model.pack()
    assert isinstance(stem, PackedStem)
    assert model.stem is stem
