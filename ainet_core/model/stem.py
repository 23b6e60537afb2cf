"""The small networks' pre-trained start and template prior (both ours, not the paper's).

A small ViT does not learn to match from scratch on little data, but ImageNet features match
already. The stem is MobileNetV2 (Sandler et al. 2018) up to stride 16, its batch norm folded into
the convolutions; the prior tells each search token how well the template correlates there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# (expansion, channels, stride) of MobileNetV2's blocks 1 .. 13.
_BLOCKS = (
    (1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1),
    (6, 64, 2), (6, 64, 1), (6, 64, 1), (6, 64, 1), (6, 96, 1), (6, 96, 1), (6, 96, 1),
)  # fmt: skip
_FINE_BLOCKS = 6  # after this many blocks the map has stride 8
FINE_CHANNELS, COARSE_CHANNELS = 32, 96
STEM_CHANNELS = COARSE_CHANNELS + 4 * FINE_CHANNELS  # of `folded`


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project: (B, I, H, W) -> (B, O, H/stride, W/stride)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [nn.Conv2d(inputs, hidden, 1), nn.ReLU6(inplace=True)]
        layers += [
            nn.Conv2d(hidden, hidden, 3, stride, padding=1, groups=hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1),
        ]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class ConvolutionStem(nn.Module):
    """Image (B, 3, H, W) -> maps of stride 8 (B, 32, ..) and of stride 16 (B, 96, ..)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2, padding=1), nn.ReLU6(inplace=True)
        )
        channels, blocks = 32, []
        for expansion, outputs, stride in _BLOCKS:
            blocks.append(InvertedResidual(channels, outputs, expansion, stride))
            channels = outputs
        self.fine = nn.Sequential(*blocks[:_FINE_BLOCKS])
        self.coarse = nn.Sequential(*blocks[_FINE_BLOCKS:])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        # Channels last: on a CPU the depthwise convolutions are several times faster so.
        image = image.to(memory_format=torch.channels_last)
        fine = self.fine(self.first(image))
        return fine, self.coarse(fine)

    def blocks(self) -> list[InvertedResidual]:
        """All of them, those of the fine map first."""
        return [one for one in (*self.fine, *self.coarse) if isinstance(one, InvertedResidual)]


def folded(fine: Tensor, coarse: Tensor) -> Tensor:
    """What a token sees: its coarse cell and the four fine ones in it, (B, STEM_CHANNELS, H, W).

    The coarse map knows what is there, the fine one where its edges are: boxes need both.
    """
    return torch.cat([coarse, F.pixel_unshuffle(fine, 2)], dim=1)


class TemplatePrior(nn.Module):
    """Correlate the template's features with the search region's: (B, S*S, C) to add to tokens.

    One map correlates the target as a whole, on each of the two strides; further maps correlate
    each of the template's central coarse cells on its own. Cells count by how much of them the
    target covers: beside a narrow target lies background, and at the image's border its fill,
    which would be found at any other border. Cosines, and the whole-target maps once more with
    mean 0 and deviation 1 over the region.
    """

    def __init__(self, width: int, template_grid: int) -> None:
        super().__init__()
        self.central = template_grid - 2 * (template_grid // 4)  # cells of the central half
        whole = 1 + 4  # one coarse map, and a fine one folded 2 x 2
        self.embed = nn.Linear(2 * whole + self.central**2, width)

    def kernels(self, fine: Tensor, coarse: Tensor, extent: Tensor) -> tuple[Tensor, ...]:
        """What to look for, once for each template.

        Args:
            fine, coarse: the template's maps (B, ..) of the two strides.
            extent: (B, 2), the target's w, h as fractions of the template's side.

        Returns:
            the whole target on each stride, summing to 1 over equal cells, and its central cells.
        """
        fine, coarse = F.normalize(fine, dim=1), F.normalize(coarse, dim=1)
        fine_share, coarse_share = (covered(extent, x.shape[-1]) for x in (fine, coarse))
        target = coarse * coarse_share
        return (
            fine * fine_share / fine_share.sum(dim=(2, 3), keepdim=True),
            target / coarse_share.sum(dim=(2, 3), keepdim=True),
            _central(target, self.central),
        )

    def forward(
        self, kernels: tuple[Tensor, ...], fine: Tensor, coarse: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`kernels` of B templates, maps of B search regions.

        Returns:
            what to add to the tokens, and the cosines with the target as a whole,
            (B, 2, S, S): coarse, and the mean of the four fine ones in a cell.
        """
        fine, coarse = F.normalize(fine, dim=1), F.normalize(coarse, dim=1)
        fine_target, coarse_target, central = kernels
        whole = torch.cat(
            [
                _correlate(coarse, coarse_target),
                F.pixel_unshuffle(_correlate(fine, fine_target), 2),
            ],
            dim=1,
        )  # (B, 5, S, S)
        spread = whole.std(dim=(2, 3), keepdim=True) + 1e-3
        distinct = (whole - whole.mean(dim=(2, 3), keepdim=True)) / spread
        cells = torch.einsum("bcij,bchw->bijhw", central, coarse).flatten(1, 2)
        maps = torch.cat([whole, distinct, cells], dim=1)
        alike = torch.cat([whole[:, :1], whole[:, 1:].mean(dim=1, keepdim=True)], dim=1)
        return self.embed(maps.flatten(2).transpose(1, 2)), alike


def covered(extent: Tensor, cells: int) -> Tensor:
    """How much a target (B, 2) in the middle of a template covers of each of its cells.

    Returns:
        (B, 1, cells, cells), 0 .. 1.
    """
    edges = torch.arange(cells + 1, device=extent.device, dtype=extent.dtype) / cells - 0.5
    half = extent[..., None] / 2
    inside = torch.minimum(torch.maximum(edges, -half), half)  # (B, 2, cells + 1)
    x, y = (inside.diff(dim=-1) * cells).unbind(dim=1)
    return y[:, None, :, None] * x[:, None, None, :]


def _central(x: Tensor, side: int) -> Tensor:
    start = (x.shape[-1] - side) // 2
    return x[..., start : start + side, start : start + side]


def _correlate(search: Tensor, kernel: Tensor) -> Tensor:
    """Cosines of (B, C, S, S) with a target (B, C, k, k) laid over each cell: (B, 1, S, S).

    One product gives every kernel cell's similarity to every search cell; summed where the kernel
    cells fall, which is `fold`. As a convolution with one group a sample it took ten times longer.
    """
    side, cells = kernel.shape[-1], search.shape[-1]
    turned = kernel.flip(2, 3).flatten(2).transpose(1, 2)  # (B, k*k, C)
    similar = turned @ search.flatten(2)  # (B, k*k, S*S)
    wide = F.fold(similar, cells + side - 1, side)
    start = side // 2  # of the kernel's cells fewer lie before the middle than after
    return wide[..., start : start + cells, start : start + cells]
