"""The state-space part of a Mamba block (Gu and Dao 2023), for one or several scan directions.

The paper's DFM uses one direction, its OFM three. The directions are stacked along the channels
and run as *one* scan with grouped B and C, so three directions cost one call.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ainet_core.model.config import ModelConfig
from ainet_core.model.selective_scan import selective_scan


class DirectionalScan(nn.Module):
    """1-D convolution -> SiLU -> selective scan, with own parameters for each direction.

    Input and output: (B, G, E, T) with G directions, inner width E and T tokens; direction g is
    scanned along T in the order in which its tokens are given.
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

    def forward(self, x: Tensor) -> Tensor:
        batch, _, _, length = x.shape
        x = F.silu(causal_convolution(x.flatten(1, 2), self.convolution))  # (B, G*E, T)
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
            delta_bias=self.delta_bias.float(),
            delta_softplus=True,
        )
        return y.view(batch, self.directions, self.inner, length)


def causal_convolution(x: Tensor, convolution: nn.Conv1d) -> Tensor:
    """Each channel of (B, D, T) with its own few taps, none of which looks ahead: (B, D, T).

    As so many shifted sums: PyTorch's own took seven times longer on a CPU for T = 1,080.
    """
    taps = convolution.weight.squeeze(1).unbind(1)  # (D,) each, the last for the present
    assert convolution.bias is not None
    out = torch.addcmul(convolution.bias[:, None], x, taps[-1][:, None])
    for lag, tap in enumerate(reversed(taps[:-1]), start=1):
        out[..., lag:].addcmul_(x[..., :-lag], tap[:, None])
    return out


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
        y = self.scan(x.transpose(1, 2).unsqueeze(1)).squeeze(1).transpose(1, 2)
        return self.project_out(y * F.silu(gate))


def _initial_delta_bias(channels: int, low: float = 1e-3, high: float = 0.1) -> Tensor:
    """The inverse softplus of steps drawn log-uniformly from [low, high], as Mamba starts."""
    delta = torch.exp(torch.rand(channels) * math.log(high / low) + math.log(low))
    return delta + torch.log(-torch.expm1(-delta))
