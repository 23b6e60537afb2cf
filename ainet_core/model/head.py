"""The centre head (ours: the paper only says "tracking head"; its family of trackers uses this).

Three small convolution branches on the search tokens' map: is the target's centre in this cell,
where inside the cell, and how large is the box.
"""

from __future__ import annotations

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

    def forward(self, search: Tensor, extent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        size = self.size(search)
        if self.relative_size:
            expected = (extent * self.template_share)[:, :, None, None]
            size = expected * torch.exp(size.clamp(-2.0, 2.0))
        else:
            size = size.sigmoid()
        return self.score(search).squeeze(1), self.offset(search).sigmoid(), size

    def pack(self, grid: int) -> None:
        """For tracking on a CPU: convolutions packed for one map of grid x grid cells."""
        for branch in (self.score, self.offset, self.size):
            for index, layer in enumerate(branch):
                if isinstance(layer, nn.Conv2d):
                    shape = (1, layer.in_channels, grid, grid)
                    branch[index] = PackedConvolution(layer, shape)


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
