"""The shared encoder's parts: patch embedding and ViT block (Dosovitskiy et al. 2021).

Parameter names are timm's (`attn.qkv`, `mlp.fc1`, ...), so that tracker weights can be imported.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ainet_core.model.config import ModelConfig
from ainet_core.model.packed_layers import PackedLinear
from ainet_core.model.selective_scan.elementwise import can_pack
from ainet_core.model.selective_scan.native import attention_native


class PatchEmbedding(nn.Module):
    """Cut an image into patches and embed each: (B, 3, H, W) -> (B, H/p * W/p, C)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.width, config.patch_size, stride=config.patch_size)

    def forward(self, image: Tensor) -> Tensor:
        return self.proj(image).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Multi-head self-attention: (B, N, C) -> (B, N, C)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.proj = nn.Linear(config.width, config.width)
        self._packed = False

    def pack(self) -> None:
        """For tracking on a CPU: attention in C, where it was compiled and the heads fit it."""
        self._packed = can_pack(self.proj.in_features // self.heads)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        if self._packed:
            return self.proj(attention_native(self.qkv(x), self.heads))
        qkv = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (B, heads, N, C/heads)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """(B, N, C) -> (B, N, C)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = int(config.width * config.mlp_ratio)
        self.fc1: nn.Module = nn.Linear(config.width, hidden)
        self.act: nn.Module = nn.GELU()
        self.fc2 = nn.Linear(hidden, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))

    def pack(self) -> None:
        """For tracking on a CPU: `PackedLinear` computes the GELU together with the product."""
        assert isinstance(self.fc1, nn.Linear)
        self.fc1 = PackedLinear(self.fc1.weight, self.fc1.bias, gelu=True)
        self.act = nn.Identity()


class Block(nn.Module):
    """One pre-norm ViT layer: (B, N, C) -> (B, N, C)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))
