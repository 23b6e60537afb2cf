"""Small networks and inputs that the model's tests share."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig

SMALL = ModelConfig(
    width=32, depth=3, heads=2, template_size=32, search_size=64, head_width=16, state_size=4
)


def small_network(seed: int = 0, **changes: object) -> AINet:
    torch.manual_seed(seed)
    return AINet(dataclasses.replace(SMALL, **changes)).eval()  # type: ignore[arg-type]


def wake(network: AINet, seed: int = 1) -> AINet:
    """Give the projections that start at zero something to say."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if "project_out" in name:
            parameter.data.normal_(0, 0.3, generator=generator)
    return network


def images(
    config: ModelConfig, batch: int, cameras: int = 2, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Template, search and extent."""
    generator = torch.Generator().manual_seed(seed)
    template = torch.randn(
        cameras, batch, 3, config.template_size, config.template_size, generator=generator
    )
    search = torch.randn(
        cameras, batch, 3, config.search_size, config.search_size, generator=generator
    )
    return template, search, torch.full((batch, 2), 0.5)
