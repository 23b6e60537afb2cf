"""Weights on disk: safetensors, with the model's config inside."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig

FORMAT = "ainet-1"


def save_checkpoint(
    path: Path, model: AINet, notes: dict[str, str] | None = None, half: bool = False
) -> None:
    """Write weights and config so that a reader sees the old file or the new one, never a part.

    `half` stores 16-bit floats (half the size; read back as float32). `notes` are kept beside
    the config: sources, steps, figures.
    """
    tensors = {
        name: value.detach().cpu().to(torch.float16 if half else value.dtype).contiguous()
        for name, value in model.state_dict().items()
    }
    metadata = {**(notes or {}), "format": FORMAT, "config": json.dumps(model.config.to_dict())}
    temporary = path.with_name(path.name + ".part")
    save_file(tensors, str(temporary), metadata=metadata)
    temporary.chmod(0o644)  # weights are for every user of a machine
    temporary.replace(path)


def read_config(path: Path) -> ModelConfig:
    """The config inside a checkpoint.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not one of ours, or of a config this version does not know.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not an AINet checkpoint: expected format {FORMAT!r}, "
            f"got {metadata.get('format')!r}"
        )
    return ModelConfig.from_dict(json.loads(metadata["config"]))


def load_weights(model: AINet, path: Path) -> None:
    """Fill a model with a checkpoint's weights; nothing may be missing, left over or misshapen.

    Raises:
        FileNotFoundError, ValueError: as `read_config`, or the weights are another model's.
    """
    saved = read_config(path)
    if saved != model.config:
        ours = model.config.to_dict()
        found = ", ".join(
            f"{key}={value!r} instead of {ours[key]!r}"
            for key, value in saved.to_dict().items()
            if value != ours[key]
        )
        raise ValueError(f"{path} holds the weights of another model: {found}")
    with safe_open(str(path), framework="pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    expected = model.state_dict()
    missing, unexpected = sorted(expected.keys() - weights), sorted(weights.keys() - expected)
    if missing or unexpected:
        raise ValueError(f"{path}: missing weights {missing}, unexpected weights {unexpected}")
    for name, value in weights.items():
        if value.shape != expected[name].shape:
            raise ValueError(
                f"{path}: {name} has shape {tuple(value.shape)}, "
                f"expected {tuple(expected[name].shape)}"
            )
    model.load_state_dict(weights)


def load_checkpoint(path: Path) -> AINet:
    """The model of a checkpoint, in evaluation mode, on the CPU. Raises as `load_weights`."""
    model = AINet(read_config(path))
    load_weights(model, path)
    return model.eval()
