"""AdamW's parameter groups, and how their learning rate changes."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from ainet_core.model.ainet import AINet
from ainet_core.training.recipe import Recipe

BACKBONE = ("patch_embed.", "blocks.", "norm.", "template_position", "search_position")


def parameter_groups(model: AINet, recipe: Recipe) -> list[dict[str, Any]]:
    """Groups with their peak rate; weight decay on matrices only, frozen parameters left out."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        matrix = parameter.ndim >= 2 and "position" not in name and "log_a" not in name
        key = (_peak(name, recipe), recipe.weight_decay if matrix else 0.0)
        groups.setdefault(key, []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "peak": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def learning_rate_share(step: int, recipe: Recipe) -> float:
    """What the peak rates are multiplied with at a step: warm-up, then cosine or drops."""
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    if recipe.schedule == "drops":
        epoch = step / recipe.steps_per_epoch
        return recipe.drop_factor ** sum(epoch >= drop for drop in recipe.drop_epochs)
    done = (step - recipe.warm_up) / max(1, recipe.total_steps - recipe.warm_up)
    return recipe.final_share + (1 - recipe.final_share) * 0.5 * (1 + math.cos(math.pi * done))


def _peak(name: str, recipe: Recipe) -> float:
    if name.startswith("stem."):
        return recipe.stem_learning_rate
    return recipe.learning_rate * (recipe.backbone_share if name.startswith(BACKBONE) else 1)
