"""The state-space part of a Mamba block (Gu and Dao 2023), for one or several scan directions.

The paper's DFM uses one direction, its OFM three. The directions are stacked along the channels
and run as *one* scan with grouped B and C, so three directions cost one call.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ainet_core.model.config import ModelConfig
from ainet_core.model.packed_layers import PackedLinear
from ainet_core.model.selective_scan import convolved, describe, selective_scan
from ainet_core.model.selective_scan.dispatch import BACKENDS


class DirectionalScan(nn.Module):
    """1-D convolution -> SiLU -> selective scan, with own parameters for each direction.

    Input and output: for each of G directions a sequence (B, T, E) with T tokens and inner width
    E, scanned along T in the order in which its tokens are given. A gate multiplies the output
    by its SiLU.
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
        self._packed: list[_PackedDirection] = []

    def forward(self, sequences: list[Tensor], gate: Tensor | None = None) -> list[Tensor]:
        """G sequences (B, T, E) -> as many; gate (B, T, E) for one direction alone."""
        if self._packed:
            return [scan(x, gate) for scan, x in zip(self._packed, sequences, strict=True)]
        assert self.convolution.bias is not None
        batch, length, _ = sequences[0].shape
        x = torch.stack(sequences, dim=2).flatten(2).transpose(1, 2)  # (B, G*E, T)
        x = convolved(x, self.convolution.weight.squeeze(1), self.convolution.bias)
        grouped = x.view(batch, self.directions, self.inner, length)
        delta_b_c = self.to_delta_b_c @ grouped  # (B, G, R+2N, T)
        low_rank, b, c = delta_b_c.split([self.rank, self.state, self.state], dim=2)
        delta = (self.to_delta @ low_rank).flatten(1, 2)  # (B, G*E, T)
        y = selective_scan(
            x,
            delta,
            self.transition(),
            b,
            c,
            self.skip.float(),
            None if gate is None else gate.transpose(1, 2),
            delta_bias=self.delta_bias.float(),
            delta_softplus=True,
        )
        y = y.view(batch, self.directions, self.inner, length)
        return [one.transpose(1, 2) for one in y.unbind(1)]

    def transition(self) -> Tensor:
        """A (G*E, N) of the recurrence, negative."""
        return -torch.exp(self.log_a.float())

    def pack(self) -> None:
        """For tracking on a CPU: one direction after the other, each in the cache."""
        self._packed = [_PackedDirection(self, number) for number in range(self.directions)]


class _PackedDirection:
    """One direction of a `DirectionalScan`, (B, T, E) -> (B, T, E); tokens stay rows."""

    def __init__(self, scan: DirectionalScan, number: int) -> None:
        own = slice(number * scan.inner, (number + 1) * scan.inner)
        assert scan.convolution.bias is not None
        self.sizes = [scan.rank, scan.state, scan.state]
        self.convolution = scan.convolution.weight.detach()[own].squeeze(1).contiguous()
        self.bias = scan.convolution.bias.detach()[own].contiguous()
        self.to_delta_b_c = PackedLinear(scan.to_delta_b_c[number])
        self.to_delta = PackedLinear(scan.to_delta[number])
        self.transition = scan.transition().detach()[own].contiguous()
        self.skip = scan.skip.detach()[own].contiguous()
        self.delta_bias = scan.delta_bias.detach()[own].contiguous()
        # Without the checks of what comes from outside: they take half as long as a small scan.
        self.scan = BACKENDS[describe(self.skip.device)[0]]

    def __call__(self, sequence: Tensor, gate: Tensor | None) -> Tensor:
        x = convolved(sequence.transpose(1, 2), self.convolution, self.bias)  # (B, E, T)
        delta_b_c = self.to_delta_b_c(x.transpose(1, 2))  # (B, T, R+2N)
        low_rank, b, c = delta_b_c.split(self.sizes, dim=2)
        y = self.scan(
            x,
            self.to_delta(low_rank).transpose(1, 2),
            self.transition,
            b.transpose(1, 2).unsqueeze(1),
            c.transpose(1, 2).unsqueeze(1),
            self.skip,
            None if gate is None else gate.transpose(1, 2),
            self.delta_bias,
            True,
        )
        return y.transpose(1, 2)


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
        (y,) = self.scan([x], gate)
        return self.project_out(y)


def _initial_delta_bias(channels: int, low: float = 1e-3, high: float = 0.1) -> Tensor:
    """The inverse softplus of steps drawn log-uniformly from [low, high], as Mamba starts."""
    delta = torch.exp(torch.rand(channels) * math.log(high / low) + math.log(low))
    return delta + torch.log(-torch.expm1(-delta))
