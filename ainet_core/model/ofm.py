"""OFM, the order-dynamic fusion Mamba over all layers (paper section 3.3).

Three scans over the L layers' fused features: in order, reversed, and in an order of the layers
that the input chooses. Forward and backward alone always put the same layers at the far end of
a scan, where a recurrent state forgets them.

Ours, where the paper is silent: each direction has its own convolution, projections and A, all
run as one grouped scan; one LayerNorm per layer on the scans' input (the residual is not
normalised); the output projection starts at zero; D is the mean over a layer's tokens; the order
is an argsort, with a SoftSort gradient in training, so that a layer's *position* is learnt.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ainet_core.model.config import ModelConfig
from ainet_core.model.mamba import DirectionalScan
from ainet_core.model.selective_scan.elementwise import can_pack, layer_sum


class LayerOrder(nn.Module):
    """index = order(FC(MLP(D(F_all)))): (B, L, N, C) -> scores (B, L), highest comes first."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = max(config.width // 4, 8)
        self.mlp = nn.Sequential(
            nn.Linear(config.width, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()
        )
        self.fc = nn.Linear(config.depth * hidden, config.depth)

    def forward(self, layers: Tensor) -> Tensor:
        descriptor = layers.mean(dim=2)  # D: (B, L, C)
        return self.fc(self.mlp(descriptor).flatten(1))


def straight_through_permutation(scores: Tensor, temperature: float = 0.1) -> Tensor:
    """The permutation that sorts scores, hard forward and soft backward.

    Row k of the (B, L, L) result picks the layer that comes k-th. The gradient is SoftSort's
    (Prillo and Eisenschlos 2020): a soft-max over negative distances to the sorted scores.
    """
    ordered, index = scores.sort(dim=-1, descending=True, stable=True)
    soft = (-(ordered.unsqueeze(-1) - scores.unsqueeze(-2)).abs() / temperature).softmax(-1)
    hard = F.one_hot(index, scores.shape[-1]).to(scores.dtype)
    return hard + soft - soft.detach()


class OrderDynamicFusion(nn.Module):
    """L layers' fused features (B, L, N, C) -> one set of features (B, N, C) and the order.

    The order (B, L) lists, for each sample, the layers (from 0) as the dynamic scan meets them.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inner = config.inner_width
        self.dynamic = config.dynamic_order
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(config.depth))
        self.order = LayerOrder(config)
        self.project_in = nn.Linear(config.width, 2 * inner, bias=False)
        self.scan = DirectionalScan(config, directions=3)
        self.project_out = nn.Linear(inner, config.width, bias=False)
        nn.init.zeros_(self.project_out.weight)
        self._packed = False

    def pack(self) -> None:
        """For tracking on a CPU, one sample at a time: gates and sums are one pass in C."""
        widths = self.project_in.in_features, self.project_out.in_features
        self._packed = all(can_pack(width) for width in widths)

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        layers = self._normalised(features)  # (B, L, N, C)
        scores = self.order(layers)
        index = scores.argsort(dim=-1, descending=True, stable=True)
        if not self.dynamic:
            index = torch.arange(layers.shape[1], device=index.device).expand_as(index)

        x, gate = self.project_in(layers).chunk(2, dim=-1)  # (B, L, N, E) each
        permutation = (
            straight_through_permutation(scores) if self.training and self.dynamic else None
        )
        x_dyn = _reorder(x, index, permutation)

        in_order = x.flatten(1, 2)  # F_all: (B, T, E)
        y_fwd, y_bwd, y_dyn = self.scan([in_order, in_order.flip(1), x_dyn.flatten(1, 2)])
        if self._packed and len(x) == 1:
            y = layer_sum((y_fwd[0], y_bwd[0], y_dyn[0]), gate[0], index[0])[None]
        else:
            y_dyn = _restore(y_dyn.view(x.shape), index, permutation).flatten(1, 2)
            y = (y_fwd + y_bwd.flip(1) + y_dyn) * F.silu(gate.flatten(1, 2))
            y = y.view(x.shape).sum(dim=1)  # (B, N, E)
        # The layers are summed, residual and update apart; before the projection, which is linear.
        return torch.stack(features).sum(dim=0) + self.project_out(y), index

    def _normalised(self, features: list[Tensor]) -> Tensor:
        if self._packed and len(features[0]) == 1:
            layers = features[0].new_empty(1, len(features), *features[0].shape[1:])
            for number, (norm, x) in enumerate(zip(self.norms, features, strict=True)):
                norm(x, out=layers[:, number])
            return layers
        return torch.stack([norm(x) for norm, x in zip(self.norms, features, strict=True)], dim=1)


def _reorder(x: Tensor, index: Tensor, permutation: Tensor | None) -> Tensor:
    """Put the layers of (B, L, N, E) into the order of each sample; tokens inside stay."""
    if permutation is not None:
        return torch.einsum("bkl,blne->bkne", permutation, x)
    return torch.stack([one.index_select(0, order) for one, order in zip(x, index, strict=True)])


def _restore(x: Tensor, index: Tensor, permutation: Tensor | None) -> Tensor:
    """The inverse of `_reorder`."""
    if permutation is not None:
        return torch.einsum("bkl,bkne->blne", permutation, x)
    return _reorder(x, index.argsort(dim=-1), None)
