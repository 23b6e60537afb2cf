"""Run a network on "cuda" without one: shapes and devices are checked, nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode


class _WithoutCudaLibrary(TorchFunctionMode):
    """Two functions of a CPU build ask for the CUDA library even of fake tensors: go round it."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if function is Tensor.__getitem__:
            return _index(args[0], args[1] if isinstance(args[1], tuple) else (args[1],))
        if function is torch.conv1d:
            x, weight, bias, stride, padding, dilation, groups = args
            return torch.conv2d(
                x.unsqueeze(2), weight.unsqueeze(2), bias, (1, *stride), (0, *padding),
                (1, *dilation), groups,
            ).squeeze(2)  # fmt: skip
        return function(*args, **kwargs)


def _index(x: Tensor, parts: tuple[Any, ...]) -> Tensor:
    """x[parts] for whole numbers, slices, None and ..."""
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        missing = x.ndim - sum(part is not None for part in parts) + 1
        parts = (*parts[:at], *[slice(None)] * missing, *parts[at + 1 :])
    dimension = 0
    for part in parts:
        if isinstance(part, int):
            x = x.select(dimension, part)
            continue
        if part is None:
            x = x.unsqueeze(dimension)
        else:
            start, stop, step = part.indices(x.shape[dimension])
            x = torch.ops.aten.slice(x, dimension, start, stop, step)
        dimension += 1
    return x


@contextmanager
def fake_cuda(network: nn.Module) -> Iterator[None]:
    """Inside, the network's parameters and every new tensor are on a fake "cuda"."""
    with FakeTensorMode(), torch.device("cuda"):
        for module in network.modules():
            for name, parameter in list(module.named_parameters(recurse=False)):
                fake = nn.Parameter(torch.empty(parameter.shape), requires_grad=False)
                setattr(module, name, fake)
        with _WithoutCudaLibrary():
            yield
