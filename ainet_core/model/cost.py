"""What a network costs: parameters and operations, counted without running it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ainet_core.model.ainet import AINet
from ainet_core.model.config import ModelConfig

# Operations of one state update: delta * A, exp, times h, plus, delta * u * B, times C, plus.
_SCAN_OPERATIONS = 8


@dataclass(frozen=True)
class Cost:
    """Parameters, and operations (a multiplication and an addition are two) of one update."""

    parameters: int
    operations: int


def measure_cost(config: ModelConfig) -> Cost:
    """Count one update with two cameras, the template already encoded.

    Matrix products and convolutions are counted by PyTorch on the meta device; the scans' state
    updates and the causal convolutions before them, which it does not see, from their sizes.
    """
    with torch.device("meta"):
        model = AINet(config).eval()
        template = torch.empty(2, 1, 3, config.template_size, config.template_size)
        search = torch.empty(2, 1, 3, config.search_size, config.search_size)
        extent = torch.empty(1, 2)
    with torch.no_grad(), _ScansSkipped():
        encoded = model.encode_template(template, extent)
        counter = FlopCounterMode(display=False)
        with counter:
            model.track(encoded, search)
    scans = config.depth * config.tokens if config.dfm else 0
    scans += 3 * config.all_layer_tokens if config.ofm else 0
    steps = scans * config.inner_width  # of all channels, each with a convolution and a scan
    beside = steps * (2 * config.convolution_width + _SCAN_OPERATIONS * config.state_size)
    return Cost(
        sum(parameter.numel() for parameter in model.parameters()),
        counter.get_total_flops() + beside,
    )


class _ScansSkipped:
    """While counting, a scan returns its input: its own operations come from its sizes."""

    def __enter__(self) -> None:
        from ainet_core.model import mamba

        self._scan = mamba.selective_scan
        mamba.selective_scan = lambda u, *_, **__: u

    def __exit__(self, *_: object) -> None:
        from ainet_core.model import mamba

        mamba.selective_scan = self._scan
