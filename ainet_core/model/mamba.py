"""The state-space part of a Mamba block (Gu and Dao 2023), for one or several scan directions.

The paper's DFM uses one direction, its OFM three. The directions are stacked along the channels
and run as *one* scan with grouped B and C, so three directions cost one call.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ainet_core.model.config import ModelConfig
from ainet_core.model.selective_scan import convolved, selective_scan


class DirectionalScan(nn.Module):
    """1-D convolution -> SiLU -> selective scan, with own parameters for each direction.

    Input and output: (B, G, E, T) with G directions, inner width E and T tokens; direction g is
    scanned along T in the order in which its tokens are given. A gate (B, G*E, T) multiplies the
    output by its SiLU.
    """

    def __init__(self, config: ModelConfig, directions: int) -> None:
        super().__init__()
        inner, state, rank = config.inner_width, config.state_size, config.delta_rank
        self.directions, self.inner, self.state, self.rank = directions, inner, state, rank
        channels = directions * inner
        self.convolution = nn.Conv1d(
            channels,
            channels,
            config.convolution_width,
            groups=channels,
            padding=config.convolution_width - 1,
        )
        bound = 1 / math.sqrt(inner)
        self.to_delta_b_c = nn.Parameter(
            torch.empty(directions, rank + 2 * state, inner).uniform_(-bound, bound)
        )
        self.to_delta = nn.Parameter(
            torch.empty(directions, inner, rank).uniform_(-(rank**-0.5), rank**-0.5)
        )
        self.delta_bias = nn.Parameter(_initial_delta_bias(channels))
        # A = -1, -2, ... -N for every channel: Mamba's S4D-real start.
        self.log_a = nn.Parameter(torch.arange(1.0, state + 1).log().repeat(channels, 1))
        self.skip = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor, gate: Tensor | None = None) -> Tensor:
        batch, _, _, length = x.shape
        assert self.convolution.bias is not None
        weight = self.convolution.weight.squeeze(1)  # (G*E, K)
        x = convolved(x.flatten(1, 2), weight, self.convolution.bias)  # (B, G*E, T)
        grouped = x.view(batch, self.directions, self.inner, length)
        delta_b_c = self.to_delta_b_c @ grouped  # (B, G, R+2N, T)
        low_rank, b, c = delta_b_c.split([self.rank, self.state, self.state], dim=2)
        delta = (self.to_delta @ low_rank).flatten(1, 2)  # (B, G*E, T)
        y = selective_scan(
            x,
            delta,
            -torch.exp(self.log_a.float()),
            b,
            c,
            self.skip.float(),
            gate,
            delta_bias=self.delta_bias.float(),
            delta_softplus=True,
        )
        return y.view(batch, self.directions, self.inner, length)


class MambaBlock(nn.Module):
    """A Mamba block over one sequence: (B, T, C) -> (B, T, C).

    No projection has a bias, so that an input of zeros gives exactly zeros: the gate is closed.
    The output projection starts at zero (ours): a fresh block adds nothing.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inner = config.inner_width
        self.project_in = nn.Linear(config.width, 2 * inner, bias=False)
        self.scan = DirectionalScan(config, directions=1)
        self.project_out = nn.Linear(inner, config.width, bias=False)
        nn.init.zeros_(self.project_out.weight)

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.project_in(x).chunk(2, dim=-1)  # (B, T, E) each
        y = self.scan(x.transpose(1, 2).unsqueeze(1), gate.transpose(1, 2))  # (B, 1, E, T)
        return self.project_out(y.squeeze(1).transpose(1, 2))


def _initial_delta_bias(channels: int, low: float = 1e-3, high: float = 0.1) -> Tensor:
    """The inverse softplus of steps drawn log-uniformly from [low, high], as Mamba starts."""
    delta = torch.exp(torch.rand(channels) * math.log(high / low) + math.log(low))
    return delta + torch.log(-torch.expm1(-delta))
