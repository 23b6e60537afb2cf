"""Pictures of samples: both boxes in their colours, for two cameras and for one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ainet_core.imaging.draw import OURS, TRUTH
from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig
from ainet_core.training.dataset import Batch
from ainet_core.training.pictures import picture_batch


def has_colour(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) < 40).any())


@pytest.mark.parametrize("cameras", [1, 2])
def test_boxes_of_truth_and_prediction(small_model: dict, cameras: int) -> None:
    model = AINet(ModelConfig(**small_model)).train()
    batch = Batch(
        torch.full((cameras, 2, 48, 48, 3), 60, dtype=torch.uint8),
        torch.full((cameras, 2, 96, 96, 3), 60, dtype=torch.uint8),
        torch.full((2, 2), 0.5),
        torch.tensor([[0.5, 0.5, 0.3, 0.3]]).repeat(2, 1),
        present=torch.tensor([True, False]),
        sized=torch.tensor([True, True]),
    )
    picture = picture_batch(model, batch)
    assert picture.dtype == np.uint8
    assert has_colour(picture, OURS)
    assert has_colour(picture, TRUTH)
    assert model.training  # left as it was
