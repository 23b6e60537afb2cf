"""Start an AINet's encoder from another network's ViT: a tracker's, MAE's or timm's.

Sources: OSTrack (Ye et al. 2022; DropTrack, Wu et al. 2023, has the same keys and two more
position embeddings), MAE (He et al. 2022), timm. Parameter names inside a block are timm's in all
of them, and ours. What is dropped is listed by format; anything else unexpected is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig
from ainet_core.training.foreign_file import read_foreign

ENCODER = re.compile(r"(patch_embed\.proj|blocks\.\d+|norm)\.")


@dataclass(frozen=True)
class Format:
    """A layout of keys.

    Attributes:
        name: for messages.
        prefix: before the encoder's keys.
        ignorable: keys (with the prefix) that an encoder does not need.
    """

    name: str
    prefix: str
    ignorable: re.Pattern[str]


TRACKER = Format(
    "OSTrack or DropTrack",
    "backbone.",
    re.compile(r"box_head\.|backbone\.(cls_token|pos_embed|cls_pos_embed|dist_token)$"),
)
MAE = Format(
    "MAE",
    "",
    re.compile(r"cls_token$|mask_token$|decoder_|head\."),
)
TIMM = Format(
    "timm ViT",
    "",
    re.compile(r"cls_token$|dist_token$|head\.|head_dist\.|pre_logits\."),
)


@dataclass(frozen=True)
class Imported:
    """An AINet whose encoder is another network's, and what was left out.

    Attributes:
        model: the rest of it is as fresh.
        format: what the file was recognised as.
        ignored: its keys that were not used.
        inert: classes in the file that were not loaded.
    """

    model: AINet
    format: str
    ignored: list[str]
    inert: list[str]


def import_weights(path: Path, config: ModelConfig) -> Imported:
    """Read a foreign checkpoint into a fresh network of this config.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unknown layout, keys missing, unexpected or misshapen; or no ViT's config.
    """
    if config.convolution_stem:
        raise ValueError("this network has a convolution stem, no ViT's patch embedding")
    content, inert = read_foreign(path)
    weights = _state_dict(content, path)
    layout = recognise_format(weights, path)
    model = AINet(config)
    encoder, ignored = _encoder(weights, layout, path)
    encoder["template_position"], encoder["search_position"] = _positions(
        weights, layout, config.template_grid, config.search_grid, path
    )
    _fill(model, encoder, path)
    return Imported(model, layout.name, ignored, inert)


def recognise_format(weights: Mapping[str, Tensor], path: Path) -> Format:
    """By the keys. ValueError for a layout that is none of ours."""
    if any(key.startswith("backbone.blocks.") for key in weights):
        return TRACKER
    if any(key.startswith(("decoder_", "mask_token")) for key in weights):
        return MAE
    if "blocks.0.attn.qkv.weight" in weights and "pos_embed" in weights:
        return TIMM
    shown = ", ".join(list(weights)[:4])
    raise ValueError(
        f"{path}: expected the keys of OSTrack (backbone.blocks.0...), MAE or timm "
        f"(blocks.0..., pos_embed), got {len(weights)} keys: {shown}"
    )


def resize_positions(positions: Tensor, grid: int) -> Tensor:
    """Position embeddings (1, n * n, C) to (1, grid * grid, C), bicubic as OSTrack does it."""
    side = round(positions.shape[1] ** 0.5)
    if side == grid:
        return positions
    square = positions.transpose(1, 2).unflatten(2, (side, side))
    resized = F.interpolate(square, (grid, grid), mode="bicubic", align_corners=False)
    return resized.flatten(2).transpose(1, 2)


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The weights: the content itself, or under the key that the projects use."""
    for key in ("net", "model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise ValueError(f"{path} holds no weights, got {type(content).__name__}")
    wrong = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if wrong:
        raise ValueError(f"{path}: expected weights alone, got {', '.join(wrong[:4])}")
    return {str(key).removeprefix("module."): value.float() for key, value in content.items()}


def _encoder(
    weights: Mapping[str, Tensor], layout: Format, path: Path
) -> tuple[dict[str, Tensor], list[str]]:
    """The encoder's weights under our names, and the keys that were ignored."""
    taken, ignored, unexpected = {}, [], []
    for key, value in weights.items():
        name = key.removeprefix(layout.prefix)
        if key.startswith(layout.prefix) and ENCODER.match(name):
            taken[name] = value
        elif layout.ignorable.match(key):
            ignored.append(key)
        elif name not in _position_keys(layout):
            unexpected.append(key)
    if unexpected:
        raise ValueError(f"{path}: unexpected keys for {layout.name}: {', '.join(unexpected)}")
    return taken, ignored


def _position_keys(layout: Format) -> tuple[str, ...]:
    if layout is TRACKER:
        return ("pos_embed_z", "pos_embed_x", "temporal_pos_embed_z", "temporal_pos_embed_x")
    return ("pos_embed",)


def _positions(
    weights: Mapping[str, Tensor], layout: Format, template: int, search: int, path: Path
) -> tuple[Tensor, Tensor]:
    """Position embeddings of template and search region, of our grids."""
    if layout is TRACKER:
        made = [
            _tracker_positions(weights, f"{layout.prefix}{{}}pos_embed_{part}", grid, path)
            for part, grid in (("z", template), ("x", search))
        ]
        return made[0], made[1]
    positions = _needed(weights, "pos_embed", path)
    # The class token's own comes first; we have no class token, as OSTrack has none.
    tokens = sum(key in weights for key in ("cls_token", "dist_token"))
    patches = _square(positions[:, tokens:], "pos_embed", path)
    return resize_positions(patches, template), resize_positions(patches, search)


def _tracker_positions(
    weights: Mapping[str, Tensor], key: str, grid: int, path: Path
) -> Tensor:
    name, temporal = key.format(""), key.format("temporal_")
    positions = resize_positions(_square(_needed(weights, name, path), name, path), grid)
    if temporal in weights:  # DropTrack adds it to every token
        positions = positions + weights[temporal]
    return positions


def _needed(weights: Mapping[str, Tensor], key: str, path: Path) -> Tensor:
    if key not in weights:
        raise ValueError(f"{path}: missing key {key}")
    return weights[key]


def _square(positions: Tensor, key: str, path: Path) -> Tensor:
    side = round(positions.shape[1] ** 0.5) if positions.ndim == 3 else 0
    if positions.ndim != 3 or side * side != positions.shape[1]:
        raise ValueError(
            f"{path}: {key} must be (1, n * n, C) position embeddings, "
            f"got shape {tuple(positions.shape)}"
        )
    return positions


def _fill(model: AINet, encoder: dict[str, Tensor], path: Path) -> None:
    ours = model.state_dict()
    positions = ("template_position", "search_position")
    wanted = {name for name in ours if ENCODER.match(name) or name in positions}
    missing, unexpected = sorted(wanted - encoder.keys()), sorted(encoder.keys() - wanted)
    if missing or unexpected:
        raise ValueError(
            f"{path}: missing keys {', '.join(missing) or 'none'}, "
            f"unexpected keys {', '.join(unexpected) or 'none'}"
        )
    for name, value in encoder.items():
        if value.shape != ours[name].shape:
            raise ValueError(
                f"{path}: {name} has shape {tuple(value.shape)}, "
                f"expected {tuple(ours[name].shape)}"
            )
    with torch.no_grad():
        for name, value in encoder.items():
            ours[name].copy_(value)
