"""Crops as the network reads them."""

from __future__ import annotations

import numpy as np
import torch

from ainet_core.tracking.images import to_network, upload


def test_grey_becomes_three_equal_channels_beside_colour() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    grey = rng.integers(0, 256, (8, 8), dtype=np.uint8)
    made = upload([rgb, grey], torch.device("cpu"))
    assert made.shape == (2, 1, 3, 8, 8)
    stacked = np.stack([rgb, np.repeat(grey[..., None], 3, axis=2)])[:, None]
    torch.testing.assert_close(made, to_network(torch.from_numpy(stacked)))


def test_imagenets_mean_becomes_zero_and_its_deviation_one() -> None:
    mean = np.array([0.485, 0.456, 0.406]) * 255
    deviation = np.array([0.229, 0.224, 0.225]) * 255
    for pixels, expected in ((mean, 0.0), (mean + deviation, 1.0)):
        crop = np.broadcast_to(np.rint(pixels).astype(np.uint8), (4, 4, 3))
        torch.testing.assert_close(
            upload([crop], torch.device("cpu")), torch.full((1, 1, 3, 4, 4), expected),
            atol=0.01, rtol=0,
        )  # fmt: skip
