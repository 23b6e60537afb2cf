"""DFM, the difference-based fusion Mamba of one layer (paper section 3.2).

An amplifier of differences: what the cameras share cancels in x_d = x_rgb - x_tir; a Mamba block
filters the rest into a signed gate, and each camera's features are compensated by it.

Ours, where the paper is silent: LayerNorm (without bias) on the difference, tanh as `act`,
and the choice of `compensation`. `self` is how the text reads, `cross` multiplies the gate by the
other camera's features, `differential` gives the cameras opposite signs, so that a layer's fused
output can prefer one of them (with `self` and `cross` it is always (1 + g) * (x_rgb + x_tir)).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ainet_core.model.config import GateActivation, ModelConfig
from ainet_core.model.mamba import MambaBlock
from ainet_core.model.selective_scan.elementwise import can_pack, compensated

# All are zero at zero: a fresh DFM must pass both cameras unchanged.
ACTIVATIONS: dict[GateActivation, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "silu": F.silu,
    "identity": lambda x: x,
}


class DifferenceFusion(nn.Module):
    """x_rgb and x_tir, stacked (2, B, N, C) -> x^_rgb and x^_tir, likewise, and x_dfm (B, N, C).

    Equal inputs give a gate of exactly zero: without a difference both pass unchanged. So does
    everything through a fresh module, since the Mamba block's output projection starts at zero.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.compensation = config.compensation
        self.act = config.act
        self.norm = nn.LayerNorm(config.width, bias=False)
        self.mamba = MambaBlock(config)
        self._packed = False

    def pack(self) -> None:
        """For tracking on a CPU: what is not a product or a scan is one pass in C each."""
        self._packed = can_pack(self.norm.normalized_shape[0])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x_rgb, x_tir = x.unbind(0)
        if self._packed:
            x_d = self.norm(x_rgb, minus=x_tir)
            return compensated(x, self.mamba(x_d), self.compensation, self.act)
        x_d = x_rgb - x_tir
        g = ACTIVATIONS[self.act](self.mamba(self.norm(x_d)))
        if self.compensation == "self":
            x_rgb, x_tir = x_rgb + g * x_rgb, x_tir + g * x_tir
        elif self.compensation == "cross":
            x_rgb, x_tir = x_rgb + g * x_tir, x_tir + g * x_rgb
        else:
            x_rgb, x_tir = x_rgb + g * x_rgb, x_tir - g * x_tir
        return torch.stack([x_rgb, x_tir]), x_rgb + x_tir


class Addition(nn.Module):
    """What stands in a DFM's place when it is switched off: both cameras pass, and are added."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x[0] + x[1]
