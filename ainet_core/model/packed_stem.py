"""The stem for tracking on a CPU: each convolution and its ReLU6 in one call of oneDNN.

PyTorch clamps what a convolution gave in a pass of its own over memory.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ainet_core.model.packed_layers import PackedConvolution
from ainet_core.model.stem import ConvolutionStem, InvertedResidual


class PackedStem(nn.Module):
    """Same maps as the `stem` that it is made from, without gradients: float32 on a CPU.

    Args:
        stem: its weights are copied; later changes to them are not seen.
        size: side of the images that it shall be fastest for; others are taken, too.
    """

    def __init__(self, stem: ConvolutionStem, size: int) -> None:
        super().__init__()
        image = torch.zeros(1, 3, size, size).to(memory_format=torch.channels_last)
        self.first = _Convolutions(stem.first, image)
        x = self.first(image)
        self.fine, self.coarse = nn.ModuleList(), nn.ModuleList()
        for blocks, packed in ((stem.fine, self.fine), (stem.coarse, self.coarse)):
            for block in blocks:
                assert isinstance(block, InvertedResidual)
                packed.append(_Convolutions(block.layers, x, block.residual))
                x = packed[-1](x)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """As `ConvolutionStem.forward`."""
        fine = self.first(image.to(memory_format=torch.channels_last))
        for block in self.fine:
            fine = block(fine)
        coarse = fine
        for block in self.coarse:
            coarse = block(coarse)
        return fine, coarse


class _Convolutions(nn.Module):
    """Some convolutions in a row, each clamped to 0 .. 6 where a ReLU6 follows it."""

    def __init__(self, layers: nn.Sequential, image: Tensor, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.steps: list[PackedConvolution] = []
        following = [*layers, None]
        for layer, after in zip(layers, following[1:], strict=True):
            if isinstance(layer, nn.Conv2d):
                clamped = isinstance(after, nn.ReLU6)
                self.steps.append(PackedConvolution(layer, image.shape, clamped))
                image = self.steps[-1](image)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for step in self.steps:
            y = step(y)
        return x + y if self.residual else y
