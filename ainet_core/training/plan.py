"""What a run would cost: counted, and measured on its first steps."""

from __future__ import annotations

import resource
from collections.abc import Sequence

import torch
from lightning_fabric import Fabric

from ainet_core.model.cost import measure_cost
from ainet_core.training.clips import Group
from ainet_core.training.recipe import Recipe

BACKWARD = 3  # a step's operations / the forward pass's: the backward pass takes twice as many


def operations_per_step(recipe: Recipe) -> int:
    """Of forward and backward pass over a joint batch of two cameras, counted."""
    return BACKWARD * recipe.batch * measure_cost(recipe.config()).operations


def describe_plan(
    recipe: Recipe, groups: Sequence[Group], fabric: Fabric, seconds: float, loss: float
) -> str:
    """Some lines for people.

    Args:
        recipe: of the run.
        groups: what was found of its sources.
        fabric: where it runs.
        seconds: what a step took.
        loss: of the last step.
    """
    steps, operations = recipe.total_steps, operations_per_step(recipe)
    unread = sum(group.size * (group.files / max(group.read, 1) - 1) for group in groups)
    gpu = fabric.device.type == "cuda"
    peak = (
        torch.cuda.max_memory_allocated(fabric.device)
        if gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + unread
    )
    lines = [
        "data:",
        *(f"  {group.describe()}" for group in groups),
        f"steps: {steps:,} of {recipe.batch} pairs, {steps / recipe.steps_per_epoch:.1f} epochs "
        f"of {recipe.epoch_pairs:,} pairs",
        f"operations: {operations / 1e12:.2f} TFLOP a step, "
        f"{operations * steps / 1e15:,.1f} PFLOP in all",
        f"memory: about {peak / 2**30:.1f} GiB {'on each GPU' if gpu else 'for each process'}",
        f"time: {seconds:.2f} s a step on {fabric.world_size} x {fabric.device}, "
        f"about {_duration(seconds * steps)} in all",
        f"trained two steps, loss {loss:.3f}; nothing was written",
    ]
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.1f} hours" if hours >= 1 else f"{seconds / 60:.0f} minutes"
