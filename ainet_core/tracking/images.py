"""Check the images a caller hands in, and turn crops into what the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

# ImageNet's mean and deviation of R, G, B, which every pre-trained start was made with.
_MEAN = torch.tensor([0.485, 0.456, 0.406]) * 255
_DEVIATION = torch.tensor([0.229, 0.224, 0.225]) * 255


def check_rgb(image: NDArray[np.generic] | None) -> None:
    """Raises ValueError unless image is None or (H, W, 3) uint8 with at least 2 pixels a side."""
    if image is None:
        return
    expected = "rgb must be (H, W, 3) uint8 in RGB order"
    if not isinstance(image, np.ndarray):
        raise ValueError(f"{expected}, got {type(image).__name__}")
    shaped = image.ndim == 3 and image.shape[2] == 3 and min(image.shape[:2]) >= 2
    if not shaped or image.dtype != np.uint8:
        raise ValueError(f"{expected}, got shape {image.shape} {image.dtype}")


def check_thermal(image: NDArray[np.generic] | None) -> None:
    """Raises ValueError unless image is None or a thermal image of a kind that cameras send."""
    if image is None:
        return
    expected = "thermal must be (h, w) or (h, w, 3), uint8, uint16 or float32"
    if not isinstance(image, np.ndarray):
        raise ValueError(f"{expected}, got {type(image).__name__}")
    shaped = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))
    typed = image.dtype in (np.uint8, np.uint16, np.float32)
    if not shaped or not typed or min(image.shape[:2]) < 2:
        raise ValueError(f"{expected}, got shape {image.shape} {image.dtype}")


def upload(crops: Sequence[NDArray[np.uint8]], device: torch.device) -> torch.Tensor:
    """M cameras' crops (S, S) or (S, S, 3) uint8 as the network reads them: (M, 1, 3, S, S).

    One copy to the device, of bytes: everything else happens there.
    """
    equal = [np.broadcast_to(c[..., None], (*c.shape, 3)) if c.ndim == 2 else c for c in crops]
    pixels = torch.from_numpy(np.stack(equal)[:, None])
    if device.type == "cuda":
        pixels = pixels.pin_memory()  # so that the copy need not be waited for
    return to_network(pixels.to(device, non_blocking=True))


def to_network(crops: torch.Tensor) -> torch.Tensor:
    """Crops (M, B, S, S, 3) uint8 to (M, B, 3, S, S) float32 of mean 0, deviation 1 (ImageNet)."""
    # Whole rows of pixels at once: three numbers are too few for a loop of their own.
    mean, scale = _row_statistics(crops.device, crops.shape[3])
    rows = (crops.flatten(3).float() - mean) * scale
    return rows.unflatten(3, (-1, 3)).permute(0, 1, 4, 2, 3)


@cache
def _row_statistics(device: torch.device, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and 1 / deviation for each number of a row of pixels."""
    return _MEAN.repeat(pixels).to(device), (1 / _DEVIATION).repeat(pixels).to(device)
