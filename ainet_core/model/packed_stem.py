"""The stem for tracking on a CPU: each convolution and its ReLU6 in one call of oneDNN.

PyTorch clamps what a convolution gave in a pass of its own over memory, and lays the weights out
anew in every call. The operations used here are those that PyTorch's own compiler emits.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ainet_core.model.stem import ConvolutionStem, InvertedResidual


def obstacle() -> str | None:
    """Why this PyTorch cannot do it; None if it can."""
    if not torch.backends.mkldnn.is_available():
        return "this PyTorch has no oneDNN"
    for name in ("_convolution_pointwise", "_reorder_convolution_weight"):
        if not hasattr(torch.ops.mkldnn, name):
            return f"this PyTorch has no mkldnn::{name}"
    return None


class PackedStem(nn.Module):
    """Same maps as the `stem` that it is made from, without gradients: float32 on a CPU.

    Args:
        stem: its weights are copied; later changes to them are not seen.
        size: side of the images that it shall be fastest for; others are taken, too.

    Raises:
        RuntimeError: this PyTorch cannot; see `obstacle`.
    """

    def __init__(self, stem: ConvolutionStem, size: int) -> None:
        super().__init__()
        if (why_not := obstacle()) is not None:
            raise RuntimeError(f"cannot pack the stem: {why_not}")
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
        self.steps: list[_Step] = []
        following = [*layers, None]
        for layer, after in zip(layers, following[1:], strict=True):
            if isinstance(layer, nn.Conv2d):
                self.steps.append(_Step(layer, isinstance(after, nn.ReLU6), image))
                image = self.steps[-1](image)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for step in self.steps:
            y = step(y)
        return x + y if self.residual else y


class _Step:
    """One convolution, its weights laid out for images like the one given."""

    def __init__(self, convolution: nn.Conv2d, clamped: bool, image: Tensor) -> None:
        assert convolution.bias is not None
        shape = list(convolution.padding), list(convolution.stride), list(convolution.dilation)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            convolution.weight.detach(), *shape, convolution.groups, list(image.shape)
        )
        self.bias = convolution.bias.detach().clone()
        after = ("hardtanh", [0.0, 6.0]) if clamped else ("none", [])
        self.arguments = (*shape, convolution.groups, *after, "")

    def __call__(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.arguments
        )
        return y
