"""Sizes, presets, and what is refused."""

import pytest

from ainet_core.model.config import PRESETS, ModelConfig, preset_config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 100, "heads": 12}, "multiple of heads=12, got 100"),
        ({"search_size": 250}, "multiple of patch_size=16, got 250"),
        ({"compensation": "sum"}, "got 'sum'"),
        ({"act": "relu"}, "act must be tanh, silu or identity, got 'relu'"),
        ({"template_prior": True}, "needs convolution_stem"),
    ],
)
def test_refuses_sizes_that_do_not_fit(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig(**values)


def test_refuses_an_unknown_preset() -> None:
    with pytest.raises(ValueError, match="base, small, tiny, nano, got 'huge'"):
        preset_config("huge")


def test_refuses_an_unknown_key() -> None:
    with pytest.raises(ValueError, match="unknown model config keys .'depths'"):
        ModelConfig.from_dict({"depths": 3})


def test_base_has_the_papers_sizes() -> None:
    base = preset_config("base")
    assert (base.depth, base.width, base.heads) == (12, 768, 12)
    assert base.template_tokens == 64
    assert base.search_tokens == 256
    assert base.all_layer_tokens == 12 * 320 == 3840


@pytest.mark.parametrize("name", PRESETS)
def test_survives_a_round_trip_through_a_dictionary(name: str) -> None:
    config = preset_config(name)
    assert ModelConfig.from_dict(config.to_dict()) == config
