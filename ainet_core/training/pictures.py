"""Pictures of training samples, to see with one's own eyes what the network is shown."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ainet_core.box import BoxLike
from ainet_core.imaging.draw import contact_sheet, side_by_side
from ainet_core.model.ainet import AINet
from ainet_core.tracking.images import to_network
from ainet_core.training.dataset import Batch

Picture = NDArray[Any]

SIDE = 288  # of one crop in a picture, in pixels


@torch.no_grad()
def picture_batch(model: AINet, batch: Batch, count: int = 6) -> Picture:
    """The first samples of a batch: template above search region, both cameras, with boxes.

    The true box is dashed and amber, the predicted one solid and cyan; no true box: the target is
    not there. A single camera whose three channels are equal is shown as the thermal one.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    batch = Batch(*(x[:, :count] for x in batch[:2]), *(x[:count] for x in batch[2:]))
    was_training = model.training
    model.eval()
    dtype = next(model.parameters()).dtype
    template, search = (to_network(x).to(dtype) for x in (batch.template, batch.search))
    prediction = model(template, search, batch.extent.to(dtype))
    model.train(was_training)
    scores = prediction.score_logits.float().sigmoid().flatten(1)
    boxes = prediction.boxes(scores.argmax(dim=1)).float().cpu().numpy()
    crops = batch.template.cpu().numpy(), batch.search.cpu().numpy()
    pictures = []
    for number, box in enumerate(boxes):
        template_box = np.concatenate([[0.5, 0.5], batch.extent[number].cpu().numpy()])
        present = bool(batch.present[number])
        truth = batch.box[number].cpu().numpy() if present else None
        words = "search" if present else "absent", f"score {scores[number].max():.2f}"
        above = _pair(crops[0][:, number], None, template_box, "template")
        below = _pair(crops[1][:, number], box, truth, *words)
        pictures.append(np.vstack([above, below]))
    return contact_sheet(pictures, columns=3, width=1400)


def _pair(
    crops: NDArray[np.uint8], box: BoxLike | None, truth: BoxLike | None, *words: str
) -> Picture:
    """Crops (M, S, S, 3) beside each other, enlarged, with boxes given in fractions."""
    large = np.stack([cv2.resize(crop, (SIDE, SIDE)) for crop in crops])
    rgb, thermal = _cameras(large)
    return side_by_side(rgb, thermal, _corner(box), _corner(truth), words)


def _cameras(crops: NDArray[np.uint8]) -> tuple[Picture | None, Picture | None]:
    if len(crops) == 2:
        return crops[0], crops[1, ..., 0]
    grey = bool((crops[0] == crops[0, ..., :1]).all())
    return (None, crops[0, ..., 0]) if grey else (crops[0], None)


def _corner(box: BoxLike | None) -> NDArray[np.float64] | None:
    """Centre x, y, w, h in fractions of the side -> x, y, w, h in pixels of the picture."""
    if box is None:
        return None
    x, y, w, h = np.asarray(box, dtype=np.float64) * SIDE
    return np.array([x - w / 2, y - h / 2, w, h])
