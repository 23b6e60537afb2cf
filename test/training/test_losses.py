"""The loss: its truth maps, and values that can be worked out by hand."""

import math

import pytest
import torch

from ainet_core.model.head import Prediction
from ainet_core.training.losses import (
    focal_loss,
    generalized_iou,
    score_truth,
    target_cell,
    tracking_loss,
)  # fmt: skip

BOX = torch.tensor([[0.3, 0.6, 0.2, 0.1]])


def perfect(box: torch.Tensor, grid: int = 8) -> Prediction:
    logits = torch.full((1, grid, grid), -12.0)
    cell = int(target_cell(box, grid)[0])
    logits.view(-1)[cell] = 12.0
    offset = (box[0, :2] * grid) % 1
    return Prediction(
        logits,
        offset[None, :, None, None].expand(1, 2, grid, grid),
        box[:, 2:, None, None].expand(1, 2, grid, grid),
        torch.zeros(1, 1),
    )


def test_truth_is_one_in_the_centres_cell_alone() -> None:
    truth = score_truth(BOX, torch.tensor([True]), 8)
    assert (truth == 1).nonzero().tolist() == [[0, 4, 2]]
    assert not score_truth(BOX, torch.tensor([False]), 8).any()


def test_a_perfect_prediction_costs_nothing() -> None:
    losses = tracking_loss(perfect(BOX), BOX, torch.tensor([True]))
    assert losses.l1 < 1e-6
    assert losses.giou < 1e-5
    assert losses.focal < 1e-3


def test_an_absent_target_has_no_box_loss() -> None:
    wrong = torch.tensor([[0.9, 0.1, 0.5, 0.5]])
    losses = tracking_loss(perfect(wrong), BOX, torch.tensor([False]))
    assert losses.l1 == 0
    assert losses.giou == 0
    assert losses.focal > 5  # the certain cell is false


def test_a_guessed_size_is_not_compared_but_its_centre_is() -> None:
    present, guessed = torch.tensor([True]), torch.tensor([False])
    larger = BOX * torch.tensor([1, 1, 1.5, 1.5])
    losses = tracking_loss(perfect(larger), BOX, present, guessed)
    assert losses.l1 < 1e-6
    assert losses.giou < 1e-5
    beside = BOX + torch.tensor([0.05, 0, 0, 0])
    assert tracking_loss(perfect(beside), BOX, present, guessed).l1 > 0.01
    assert tracking_loss(perfect(larger), BOX, present).l1 > 0.01


def test_focal_loss_of_one_undecided_positive() -> None:
    assert focal_loss(torch.zeros(1, 1, 1), torch.ones(1, 1, 1)) == pytest.approx(
        math.log(2) / 4
    )


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0.5, 0.5, 0.2, 0.2), 1.0), ((0.7, 0.5, 0.2, 0.2), 0.0), ((0.9, 0.5, 0.2, 0.2), -1 / 3)],
)
def test_generalized_iou(other: tuple, expected: float) -> None:
    box = torch.tensor([[0.5, 0.5, 0.2, 0.2]])
    value = generalized_iou(box, torch.tensor([other]))
    assert value.item() == pytest.approx(expected, abs=1e-5)


def test_the_mean_over_parts_is_the_joint_batchs_loss() -> None:
    """Parts with unequal numbers of present targets: what DDP and accumulation rely on."""
    seed = 7
    print(f"seed {seed}")
    torch.manual_seed(seed)
    box = torch.rand(6, 4, dtype=torch.float64) * 0.4 + 0.3
    present = torch.tensor([True, False, False, True, True, True])
    maps = [torch.rand(6, *shape, dtype=torch.float64) for shape in ((8, 8), (2, 8, 8), (2, 8, 8))]
    joint = tracking_loss(Prediction(*maps, torch.zeros(6, 1)), box, present)

    totals = []
    for part in (slice(0, 3), slice(3, 6)):
        prediction = Prediction(*(m[part] for m in maps), torch.zeros(3, 1))
        losses = tracking_loss(prediction, box[part], present[part], count=present.sum() / 2)
        totals.append(losses.total)
    assert sum(totals) / 2 == pytest.approx(joint.total.item(), rel=1e-12)
