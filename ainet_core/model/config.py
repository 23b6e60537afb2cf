"""What a network is made of: one frozen dataclass, saved inside every checkpoint.

`base` is the paper's network (section 4.1: ViT-B/16, template 128, search 256). `small` and `tiny`
keep its shape at ViT-S and ViT-Ti width. `nano` is ours, for two CPU cores: it starts from a
pre-trained convolution stem and is shown how well each search cell matches the template.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

Compensation = Literal["self", "cross", "differential"]
GateActivation = Literal["tanh", "silu", "identity"]


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and choices of one AINet. *Ours* marks decisions where the paper is silent.

    Raises:
        ValueError: sizes that do not fit each other, or an unknown compensation.
    """

    width: int = 768  # C, embedding width
    depth: int = 12  # L, ViT layers
    heads: int = 12
    mlp_ratio: float = 4.0
    patch_size: int = 16
    template_size: int = 128  # side of the template crop in pixels
    search_size: int = 256  # side of the search crop in pixels
    template_factor: float = 2.0  # side of the template crop / side of the target
    search_factor: float = 4.0

    dfm: bool = True  # difference-based fusion Mamba in every layer
    ofm: bool = True  # order-dynamic fusion Mamba over all layers
    compensation: Compensation = "self"  # ours: the text reads as `self`
    act: GateActivation = "tanh"  # of DFM's gate; ours: the paper does not say which
    dynamic_order: bool = True  # False: the third scan keeps the layers in order (ablation)

    state_size: int = 16  # N, as in Mamba
    convolution_width: int = 4
    expansion: int = 2  # inner width of a Mamba block / C
    head_width: int = 256

    convolution_stem: bool = False  # ours: MobileNetV2's first 14 blocks in place of patches
    template_prior: bool = False  # ours: correlation with the template added to search tokens
    relative_size: bool = False  # ours: box size predicted relative to the template's target

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads={self.heads}, got {self.width}")
        for name in ("template_size", "search_size"):
            size = getattr(self, name)
            if size <= 0 or size % self.patch_size:
                raise ValueError(
                    f"{name} must be a multiple of patch_size={self.patch_size}, got {size}"
                )
        if self.compensation not in ("self", "cross", "differential"):
            raise ValueError(
                "compensation must be self, cross or differential, "
                f"got {self.compensation!r}"
            )
        if self.act not in ("tanh", "silu", "identity"):
            raise ValueError(f"act must be tanh, silu or identity, got {self.act!r}")
        if self.convolution_stem and self.patch_size != 16:
            raise ValueError(f"convolution_stem needs patch_size 16, got {self.patch_size}")
        if self.template_prior and not self.convolution_stem:
            raise ValueError("template_prior needs convolution_stem: it correlates its features")

    @property
    def template_grid(self) -> int:
        """Cells along one side of the template."""
        return self.template_size // self.patch_size

    @property
    def search_grid(self) -> int:
        """Cells along one side of the search region, also of the head's maps."""
        return self.search_size // self.patch_size

    @property
    def template_tokens(self) -> int:
        return self.template_grid**2

    @property
    def search_tokens(self) -> int:
        return self.search_grid**2

    @property
    def tokens(self) -> int:
        """N: tokens of one camera."""
        return self.template_tokens + self.search_tokens

    @property
    def all_layer_tokens(self) -> int:
        """T = L * N: the length of the OFM's sequence (paper: 3840 for base)."""
        return self.depth * self.tokens

    @property
    def inner_width(self) -> int:
        return self.expansion * self.width

    @property
    def delta_rank(self) -> int:
        return -(-self.width // 16)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Raises ValueError for a key this version does not know."""
        known = {item.name for item in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown model config keys {unknown}, known are {sorted(known)}")
        return cls(**values)


@dataclass(frozen=True)
class Preset:
    """A named config and what it is for."""

    name: str
    purpose: str
    config: ModelConfig = field(default_factory=ModelConfig)


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("base", "the paper's network: ViT-B/16", ModelConfig()),
        Preset("small", "ViT-S width", ModelConfig(width=384, heads=6)),
        Preset("tiny", "ViT-Ti width", ModelConfig(width=192, heads=3, head_width=192)),
        Preset(
            "nano",
            "real time on two CPU cores",
            ModelConfig(
                width=128,
                depth=6,
                heads=4,
                mlp_ratio=2.0,
                template_size=96,
                search_size=192,
                expansion=1,
                head_width=96,
                compensation="differential",
                convolution_stem=True,
                template_prior=True,
                relative_size=True,
            ),
        ),
    )
}


def preset_config(name: str) -> ModelConfig:
    """Raises ValueError that lists the presets when `name` is not one."""
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name].config
