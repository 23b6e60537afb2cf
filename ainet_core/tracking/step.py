"""What the network does in every frame, and on CUDA how: as one graph, in bfloat16 if asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ainet_core.model.ainet import AINet, Template
from ainet_core.model.head import Prediction

logger = logging.getLogger(__name__)

Precision = Literal["float32", "bfloat16"]
Step = Callable[[Template, Tensor], Prediction]  # search images (M, 1, 3, S, S)
WARM_UP = 3  # runs before a capture: libraries choose their kernels and get their memory


def make_step(model: AINet, device: torch.device, precision: Precision, graph: bool) -> Step:
    """How a tracker runs the network on a device; `graph` counts on CUDA alone.

    Raises:
        ValueError: an unknown precision, or bfloat16 on a device other than CUDA.
    """
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"precision must be float32 or bfloat16, got {precision!r}")
    if precision == "bfloat16":
        if device.type != "cuda":
            raise ValueError(f"precision bfloat16 needs device cuda, got {device.type}")
        model.narrow_encoder()
    return CapturedStep(model.track) if graph and device.type == "cuda" else model.track


@dataclass
class _Capture:
    """A recorded step: it reads `inputs` and writes `prediction`, always at the same addresses."""

    graph: torch.cuda.CUDAGraph
    inputs: list[Tensor]
    prediction: Prediction


class CapturedStep:
    """A step recorded once for each number of cameras, then started as a whole.

    Hundreds of small kernels cost more to start than to run. What is returned is overwritten by
    the next call. A step that cannot be recorded runs as it is, and the log says so once.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._captures: dict[torch.Size, _Capture] = {}
        self._refused = False

    def __call__(self, template: Template, images: Tensor) -> Prediction:
        if self._refused:
            return self._step(template, images)
        capture = self._captures.get(images.shape)
        if capture is None:
            try:
                capture = self._captures[images.shape] = self._record(template, images)
            except RuntimeError as error:
                self._refused = True
                logger.warning("no CUDA graph of the network, each part starts alone: %s", error)
                return self._step(template, images)
        for place, fresh in zip(capture.inputs, _tensors(template, images), strict=True):
            place.copy_(fresh)
        capture.graph.replay()
        return capture.prediction

    def _record(self, template: Template, images: Tensor) -> _Capture:
        inputs = [tensor.clone() for tensor in _tensors(template, images)]
        tokens, *kernels, extent, shown = inputs
        own = Template(tokens, tuple(kernels), extent)
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP):
                self._step(own, shown)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Other threads (a node's, a second tracker's) may use the GPU meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            prediction = self._step(own, shown)
        return _Capture(graph, inputs, prediction)


def _tensors(template: Template, images: Tensor) -> list[Tensor]:
    return [template.tokens, *template.kernels, template.extent, images]
