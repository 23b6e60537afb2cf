"""Layers for tracking on a CPU: oneDNN's products, weights laid out for them once.

PyTorch lays a convolution's weights out anew in every call, and takes MKL for a linear layer,
which does half as much a second on processors that are not Intel's. What follows a layer (bias,
GELU) is a pass of its own over memory there, here it is part of the product. The operations
used are those that PyTorch's own compiler emits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ainet_core.model.selective_scan.elementwise import can_pack, normalised

OPERATIONS = (
    "_convolution_pointwise",
    "_reorder_convolution_weight",
    "_linear_pointwise",
    "_reorder_linear_weight",
)


def obstacle() -> str | None:
    """Why this PyTorch cannot pack layers; None if it can."""
    if not torch.backends.mkldnn.is_available():
        return "this PyTorch has no oneDNN"
    for name in OPERATIONS:
        if not hasattr(torch.ops.mkldnn, name):
            return f"this PyTorch has no mkldnn::{name}"
    try:  # they are there on every platform, not everywhere for float32
        with torch.inference_mode():
            PackedLinear(torch.ones(2, 3), torch.ones(2), gelu=True)(torch.ones(1, 3))
            PackedConvolution(nn.Conv2d(1, 1, 1), (1, 1, 2, 2))(torch.ones(1, 1, 2, 2))
    except RuntimeError as error:
        return f"oneDNN cannot do it here: {error}"
    return None


class PackedLinear(nn.Module):
    """x (..., I) -> x W^T + b (..., O), then GELU if asked for: float32 on a CPU, no gradients.

    Args:
        weight: (O, I), copied; later changes to it are not seen.
        bias: (O,) or None.
        gelu: whether a GELU follows.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, gelu: bool = False) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), None)
        self.bias = None if bias is None else bias.detach().clone()
        self._after: tuple[object, ...] = ("gelu", [], "none") if gelu else ("none", [], "")

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self.bias, *self._after)
        return y


class PackedConvolution(nn.Module):
    """As the convolution that it is made from, which has a bias: float32 on a CPU, no gradients.

    Args:
        convolution: its weights are copied; later changes to them are not seen.
        shape: (B, C, H, W) of the images that it shall be fastest for; others are taken, too.
    """

    def __init__(self, convolution: nn.Conv2d, shape: Sequence[int]) -> None:
        super().__init__()
        assert convolution.bias is not None
        place = [list(convolution.padding), list(convolution.stride), list(convolution.dilation)]
        self._weight = torch.ops.mkldnn._reorder_convolution_weight(
            convolution.weight.detach(), *place, convolution.groups, list(shape)
        )
        self.bias = convolution.bias.detach().clone()
        self._arguments = (*place, convolution.groups, "none", [], "")

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self._weight, self.bias, *self._arguments
        )
        return y


class PackedNorm(nn.Module):
    """As the layer norm that it is made from: one pass in C, float32 on a CPU, no gradients."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(
        self, x: Tensor, minus: Tensor | None = None, out: Tensor | None = None
    ) -> Tensor:
        """Of x, or of x - minus: (.., C) -> (.., C); `out`: contiguous memory for the result."""
        return normalised(x, self.weight, self.bias, self.eps, minus=minus, out=out)


def pack_layers(module: nn.Module) -> None:
    """Put packed layers in the places of linear layers and layer norms inside a module."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Linear):
                setattr(parent, name, PackedLinear(child.weight, child.bias))
            elif isinstance(child, nn.LayerNorm) and can_pack(child.normalized_shape[0]):
                setattr(parent, name, PackedNorm(child))
