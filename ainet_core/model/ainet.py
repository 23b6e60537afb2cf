"""AINet (arXiv 2408.08827), top to bottom as its figure 2: encoder with DFM, OFM, head."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ainet_core.model.config import ModelConfig
from ainet_core.model.dfm import Addition, DifferenceFusion
from ainet_core.model.head import CenterHead, Prediction
from ainet_core.model.mamba import DirectionalScan
from ainet_core.model.ofm import OrderDynamicFusion
from ainet_core.model.packed_layers import obstacle, pack_layers
from ainet_core.model.packed_stem import CHANNELS, PackedStem
from ainet_core.model.selective_scan.elementwise import can_pack
from ainet_core.model.stem import STEM_CHANNELS, ConvolutionStem, TemplatePrior, folded
from ainet_core.model.vit import Attention, Block, Mlp, PatchEmbedding

logger = logging.getLogger(__name__)

PACKED_PARTS = (Attention, Mlp, DirectionalScan, DifferenceFusion, OrderDynamicFusion)


@dataclass
class Template:
    """What depends on the template alone, for M cameras (2, or 1 when one is silent).

    Attributes:
        tokens: (M, B, Nt, C), embedded, with positions.
        kernels: what the prior looks for, (M, B, ..) each; empty without a prior.
        extent: (B, 2), the target's w, h as fractions of the template's side.
    """

    tokens: Tensor
    kernels: tuple[Tensor, ...]
    extent: Tensor

    def camera(self, index: int) -> Template:
        """The template of one camera alone."""
        chosen = slice(index, index + 1)
        return Template(self.tokens[chosen], tuple(k[chosen] for k in self.kernels), self.extent)


class AINet(nn.Module):
    """RGB-thermal tracker: where is the template's target in the search region?

    Images come stacked by camera, (M, B, 3, H, W), normalised as ImageNet's; M = 2 is RGB, then
    thermal as three equal channels. M = 1 means that the other camera is silent (ours): its
    stream would be a copy of this one, so it is computed once and used twice.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        if config.convolution_stem:
            self.stem: ConvolutionStem | PackedStem = ConvolutionStem()
            self.embed_stem = nn.Linear(STEM_CHANNELS, config.width)
        else:
            self.patch_embed = PatchEmbedding(config)
        self.prior = (
            TemplatePrior(config.width, config.template_grid) if config.template_prior else None
        )
        self.template_position = _positions(config.template_tokens, config.width)
        self.search_position = _positions(config.search_tokens, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.dfm = nn.ModuleList(
            DifferenceFusion(config) if config.dfm else Addition() for _ in range(config.depth)
        )
        self.ofm = OrderDynamicFusion(config) if config.ofm else None
        self.norm = nn.LayerNorm(config.width, eps=1e-6)
        self.head = CenterHead(config)
        self.narrow = False  # see `narrow_encoder`
        self._packed = False

    def pack(self) -> None:
        """For tracking on a CPU: weights once laid out as oneDNN wants them.

        The network cannot be trained any more, and its state is not a checkpoint's.
        """
        if self._packed:
            return
        if (why_not := obstacle()) is not None:
            logger.info("the network is not packed, updates take longer: %s", why_not)
            return
        self._packed = True
        if self.config.convolution_stem and can_pack(CHANNELS):
            assert isinstance(self.stem, ConvolutionStem)
            self.stem = PackedStem(self.stem)
        self.head.pack(self.config.search_grid)
        pack_parts(self)

    def narrow_encoder(self) -> None:
        """Compute the encoder's and the OFM's matrix products in bfloat16 from now on.

        Scans keep their states in float32. So do the stem, the prior and the head: boxes are read
        from them, and bfloat16 in the stem alone moves scores by 0.014, all the rest by 0.0005.
        """
        self.narrow = True

    def forward(self, template: Tensor, search: Tensor, extent: Tensor) -> Prediction:
        """Template (M, B, 3, Ht, Wt) and search images (M, B, 3, Hs, Ws), extent (B, 2)."""
        return self.track(self.encode_template(template, extent), search)

    def encode_template(self, images: Tensor, extent: Tensor) -> Template:
        """What can be computed once, when the target is set. `extent` (B, 2): see Template."""
        tokens, maps = self._embed(images)
        kernels: tuple[Tensor, ...] = ()
        if self.prior is not None:
            fine, coarse = _join(maps)
            made = self.prior.kernels(fine, coarse, extent.repeat(len(images), 1))
            kernels = tuple(kernel.unflatten(0, tokens.shape[:2]) for kernel in made)
        return Template(tokens + self.template_position, kernels, extent)

    def track(self, template: Template, images: Tensor) -> Prediction:
        """Find the target of each template in search images (M, B, 3, Hs, Ws)."""
        tokens, similarity = self._tokens(template, images)
        with self._products(tokens.device):
            x = self._fused(tokens)  # L fused outputs, (B, N, C) each
            if self.ofm is not None:
                fused, order = self.ofm(x)
            else:
                fused = x[-1]
                order = torch.arange(len(x), device=fused.device).expand(fused.shape[0], -1)
        fused = self.norm(fused)

        grid = self.config.search_grid
        search = fused[:, self.config.template_tokens :]
        search = search.transpose(1, 2).unflatten(2, (grid, grid))  # (B, C, S, S)
        score, offset, size = self.head(search, template.extent)
        return Prediction(score, offset, size, order, similarity)

    def encode(self, template: Template, images: Tensor) -> list[Tensor]:
        """Every layer's fused output x_dfm, (B, N, C) each: ViT block i, then DFM i."""
        return self._fused(self._tokens(template, images)[0])

    def _products(self, device: torch.device) -> AbstractContextManager[object]:
        return torch.autocast(device.type, torch.bfloat16) if self.narrow else nullcontext()

    def _tokens(self, template: Template, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the first block sees, (M, B, N, C), and `Prediction.similarity`."""
        search, maps = self._embed(images)
        search = search + self.search_position
        similarity = None
        if self.prior is not None:
            fine, coarse = _join(maps)
            prior, alike = self.prior(_join(template.kernels), fine, coarse)
            search = search + prior.unflatten(0, search.shape[:2])
            similarity = alike.unflatten(0, search.shape[:2]).mean(dim=0)
        return torch.cat([template.tokens, search], dim=2), similarity

    def _fused(self, x: Tensor) -> list[Tensor]:
        """Tokens (M, B, N, C) through all layers."""
        fused = []
        for block, dfm in zip(self.blocks, self.dfm, strict=True):
            x = block(x.flatten(0, 1)).unflatten(0, x.shape[:2])  # the same for both cameras
            if x.shape[0] == 2:
                x, x_dfm = dfm(x)
            else:  # equal streams: no difference, a gate of zero
                x_dfm = x[0] + x[0]
            fused.append(x_dfm)
        return fused

    def _embed(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Images (M, B, 3, H, W) -> tokens (M, B, n, C) and the maps a prior needs."""
        cameras = images.shape[:2]
        if not self.config.convolution_stem:
            return self.patch_embed(images.flatten(0, 1)).unflatten(0, cameras), ()
        fine, coarse = self.stem(images.flatten(0, 1))
        tokens = self.embed_stem(folded(fine, coarse).flatten(2).transpose(1, 2))
        return (
            tokens.unflatten(0, cameras),
            (fine.unflatten(0, cameras), coarse.unflatten(0, cameras)),
        )


def pack_parts(module: nn.Module) -> None:
    """Pack what is inside a module, see `AINet.pack`."""
    for part in list(module.modules()):
        if isinstance(part, PACKED_PARTS):
            part.pack()
    pack_layers(module)


def _join(parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Cameras and batch as one dimension, for each part."""
    return tuple(part.flatten(0, 1) for part in parts)


def _positions(tokens: int, width: int) -> nn.Parameter:
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(1, tokens, width), std=0.02))
