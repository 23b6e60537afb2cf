"""Check the images a caller hands in, and turn crops into what the network reads."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

# ImageNet's mean and deviation of R, G, B, which every pre-trained start was made with.
_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None] * 255
_DEVIATION = torch.tensor([0.229, 0.224, 0.225])[:, None, None] * 255


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


def to_tensor(crop: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """A crop (S, S) or (S, S, 3) uint8 as a normalised (3, S, S) float32 tensor on the device."""
    pixels = torch.from_numpy(crop).to(device).float()
    channels = pixels.expand(3, *pixels.shape) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return normalize(channels)


def normalize(pixels: torch.Tensor) -> torch.Tensor:
    """Float pixels 0 .. 255, (..., 3, H, W) in RGB order, to mean 0 and deviation 1 (ImageNet)."""
    return (pixels - _MEAN.to(pixels.device)) / _DEVIATION.to(pixels.device)
