"""The stem for tracking on a CPU: in C, block by block, row by row (csrc/stem_kernel.h).

A library computes one convolution after the other, and what a block has expanded, the largest
tensors of the whole network, goes through memory twice. Here three rows of it exist at a time.
"""

import ctypes

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ainet_core.model.selective_scan.native import STEM_VECTORS, address, loaded, threads_for
from ainet_core.model.selective_scan.problems import Stem, StemBlock
from ainet_core.model.stem import COARSE_CHANNELS, FINE_CHANNELS, ConvolutionStem

CHANNELS = 16  # a map has a multiple of so many, zeros where the network has fewer
STRIDE = 16


class PackedStem(nn.Module):
    """Same maps as the `stem` that it is made from, without gradients: float32 on a CPU.

    Args:
        stem: its weights are copied; later changes to them are not seen.
        level: as `native.selective_scan_native`.

    Raises:
        RuntimeError: the C code was not compiled.
    """

    def __init__(self, stem: ConvolutionStem, *, level: str | None = None) -> None:
        super().__init__()
        self._native, self._level = loaded(level)
        self._tile = STEM_VECTORS * self._native.lanes[self._level]
        self._kept: list[Tensor] = []  # what the blocks have addresses of
        first = stem.first[0]
        assert isinstance(first, nn.Conv2d)
        blocks = [self._block(first, block.layers, block.residual) for block in stem.blocks()]
        self._blocks = (StemBlock * len(blocks))(*blocks)
        self._fine_blocks = len(stem.fine)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """As `ConvolutionStem.forward`, of square images.

        Raises:
            ValueError: another shape than (B, 3, S, S) with S a multiple of 16.
        """
        images, channels, height, width = image.shape
        if channels != 3 or height != width or height % STRIDE:
            raise ValueError(
                f"expected (B, 3, S, S) with S a multiple of {STRIDE}, got {tuple(image.shape)}"
            )
        image = image.contiguous(memory_format=torch.channels_last)
        fresh = self._native.fresh
        maps = fresh(2, images, height // 2, width // 2, CHANNELS)
        fine = fresh(images, height // 8, width // 8, FINE_CHANNELS)
        coarse = fresh(images, height // 16, width // 16, COARSE_CHANNELS)
        problem = Stem(
            images=images, size=height, blocks=len(self._blocks), fine_blocks=self._fine_blocks,
            threads=threads_for(self._native, maps.numel()), level=self._level,
            block=ctypes.addressof(self._blocks), image=address(image),
            maps=(maps[0].data_ptr(), maps[1].data_ptr()),
            fine=address(fine), coarse=address(coarse),
        )  # fmt: skip
        if self._native.library.scan_stem(ctypes.byref(problem)):
            raise MemoryError("the native stem could not get its working memory")
        return fine.permute(0, 3, 1, 2), coarse.permute(0, 3, 1, 2)

    def _block(self, first: nn.Conv2d, layers: nn.Sequential, residual: bool) -> StemBlock:
        convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        *expansion, depthwise, projection = convolutions
        expand = expansion[0] if expansion else first  # the first block filters what `first` gave
        columns = expand.weight.permute(0, 2, 3, 1).flatten(1)  # (O, pixels * I)
        if expansion:
            columns = F.pad(columns, (0, -columns.shape[1] % CHANNELS))
        return StemBlock(
            inputs=columns.shape[1],
            hidden=depthwise.out_channels,
            outputs=-(-projection.out_channels // CHANNELS) * CHANNELS,
            stride=depthwise.stride[0],
            image=not expansion,
            residual=residual,
            expand=self._product(columns),
            expand_bias=self._bias(expand),
            filter=self._keep(depthwise.weight.flatten(1).t()),
            filter_bias=self._bias(depthwise),
            project=self._product(projection.weight.flatten(1)),
            project_bias=self._bias(projection),
        )

    def _product(self, weight: Tensor) -> int:
        """(O, I) as tiles of outputs, each (I, tile)."""
        tiles = _filled(weight).split(self._tile)
        return self._keep(torch.cat([tile.t().flatten() for tile in tiles]))

    def _bias(self, convolution: nn.Conv2d) -> int:
        assert convolution.bias is not None
        return self._keep(_filled(convolution.bias))

    def _keep(self, tensor: Tensor) -> int:
        self._kept.append(tensor.detach().clone(memory_format=torch.contiguous_format))
        return self._kept[-1].data_ptr()


def _filled(x: Tensor) -> Tensor:
    """With zeros, to a multiple of CHANNELS rows."""
    return torch.cat([x, x.new_zeros(-len(x) % CHANNELS, *x.shape[1:])])
