"""The centre head (ours: the paper only says "tracking head"; its family of trackers uses this).

Three small convolution branches on the search tokens' map: is the target's centre in this cell,
where inside the cell, and how large is the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ainet_core.model.config import ModelConfig
from ainet_core.model.packed_layers import PackedConvolution


@dataclass
class Prediction:
    """What the network says about a batch of search regions of S x S cells.

    Attributes:
        score_logits: (B, S, S), sigmoid gives the centre score of each cell.
        offset: (B, 2, S, S), the centre's x, y inside its cell, 0 .. 1.
        size: (B, 2, S, S), the box's w, h as fractions of the search region's side.
        order: (B, L), the layers as the OFM's dynamic scan met them, from 0.
        similarity: (B, 2, S, S), cosines of each cell with the target as a whole on the stem's
            coarse and fine maps, the mean over the cameras; None without a prior.
    """

    score_logits: Tensor
    offset: Tensor
    size: Tensor
    order: Tensor
    similarity: Tensor | None = None

    def boxes(self, cell: Tensor) -> Tensor:
        """Boxes (B, 4) as centre x, y, w, h in fractions of the search region's side.

        `cell` (B,) is the flat index of the cell to read, row by row.
        """
        grid = self.score_logits.shape[-1]
        pick = cell[:, None, None].expand(-1, 2, 1)
        offset = self.offset.flatten(2).gather(2, pick).squeeze(2)  # (B, 2)
        size = self.size.flatten(2).gather(2, pick).squeeze(2)
        corner = torch.stack([cell % grid, cell // grid], dim=-1)
        return torch.cat([(corner + offset) / grid, size], dim=-1)


class CenterHead(nn.Module):
    """Search features (B, C, S, S) and the template's extent (B, 2) -> maps."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.relative_size = config.relative_size
        self.template_share = config.template_factor / config.search_factor
        self.score = _branch(config.width, config.head_width, 1)
        self.offset = _branch(config.width, config.head_width, 2)
        self.size = _branch(config.width, config.head_width, 2)
        # A rare positive: start at a score of 0.1 everywhere, as focal losses ask for.
        last = self.score[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.constant_(last.bias, -2.2)
        self._joint: nn.Sequential | None = None

    def forward(self, search: Tensor, extent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self._joint is None:
            score, offset, size = self.score(search), self.offset(search), self.size(search)
        else:
            score, offset, size = self._joint(search).split([1, 2, 2], dim=1)
        if self.relative_size:
            expected = (extent * self.template_share)[:, :, None, None]
            size = expected * torch.exp(size.clamp(-2.0, 2.0))
        else:
            size = size.sigmoid()
        return score.squeeze(1), offset.sigmoid(), size

    def pack(self, grid: int) -> None:
        """For tracking on a CPU: the three branches as one, for a map of grid x grid cells."""
        layers: list[nn.Module] = []
        for number, side_by_side in enumerate(
            zip(self.score, self.offset, self.size, strict=True)
        ):
            joint = _joined(side_by_side, shared_input=number == 0)
            if isinstance(joint, nn.Conv2d):
                joint = PackedConvolution(joint, (1, joint.in_channels, grid, grid))
            layers.append(joint)
        self._joint = nn.Sequential(*layers)
        del self.score, self.offset, self.size


def _branch(width: int, hidden: int, outputs: int) -> nn.Sequential:
    # GroupNorm, not BatchNorm: the same in training and tracking, whatever the batch.
    return nn.Sequential(
        nn.Conv2d(width, hidden, 3, padding=1),
        nn.GroupNorm(8, hidden),
        nn.GELU(),
        nn.Conv2d(hidden, hidden // 2, 3, padding=1),
        nn.GroupNorm(4, hidden // 2),
        nn.GELU(),
        nn.Conv2d(hidden // 2, outputs, 1),
    )


def _joined(layers: Sequence[nn.Module], shared_input: bool) -> nn.Module:
    """One layer that computes what several do on their own channels, or on the same ones."""
    first = layers[0]
    if not isinstance(first, nn.Conv2d | nn.GroupNorm):
        return first
    weights = [layer.get_parameter("weight").detach() for layer in layers]
    weight = torch.cat(weights)
    joint: nn.Conv2d | nn.GroupNorm
    if isinstance(first, nn.GroupNorm):
        joint = nn.GroupNorm(len(layers) * first.num_groups, len(weight), first.eps)
    else:
        groups = 1 if shared_input else len(layers)
        if groups > 1 and len({len(one) for one in weights}) > 1:  # groups are of equal size
            weight, groups = torch.block_diag(*(one.flatten(1) for one in weights)), 1
            weight = weight[:, :, None, None]  # those of one pixel
        inputs, size = weight.shape[1] * groups, weight.shape[-1]
        joint = nn.Conv2d(inputs, len(weight), size, padding=size // 2, groups=groups)
    joint.weight = nn.Parameter(weight, requires_grad=False)
    biases = [layer.get_parameter("bias").detach() for layer in layers]
    joint.bias = nn.Parameter(torch.cat(biases), requires_grad=False)
    return joint
