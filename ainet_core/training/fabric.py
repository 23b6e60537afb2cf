"""Which device, how many processes, which precision: Lightning Fabric, set up."""

from __future__ import annotations

import os
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy

_PRECISION: dict[str, Any] = {"float32": "32-true", "bf16": "bf16-mixed", "float64": "64-true"}


def make_fabric(device: torch.device, precision: str) -> Fabric:
    """One process, or one of those that torchrun started, on one machine or many.

    Args:
        device: under torchrun its type only, since every process has its own.
        precision: a recipe's; auto is bf16 on CUDA, float32 elsewhere.
    """
    if precision == "auto":
        precision = "bf16" if device.type == "cuda" else "float32"
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    everywhere = int(os.environ.get("WORLD_SIZE", 1))
    devices: Any = here
    if device.type == "cuda" and everywhere == 1:
        devices = [device.index or 0]
    fabric = Fabric(
        accelerator=device.type,
        devices=devices,
        num_nodes=everywhere // here,
        # Steps with one camera use no DFM: what is unused changes from step to step.
        strategy=DDPStrategy(find_unused_parameters=True) if everywhere > 1 else "auto",
        precision=_PRECISION[precision],
    )
    fabric.launch()
    return fabric
