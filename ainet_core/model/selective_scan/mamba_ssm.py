"""mamba-ssm's CUDA kernel, where it is installed: the only module that imports that package."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor


@cache
def load() -> Callable[..., Tensor] | str:
    """mamba-ssm's function, or the reason why there is none. Asked once."""
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    except ModuleNotFoundError as error:
        missing = error.name or "mamba_ssm"
        return "not installed" if missing == "mamba_ssm" else f"its module {missing} is missing"
    except Exception as error:  # a build for another torch fails with OSError, RuntimeError, ...
        return f"cannot be imported: {error}"
    return selective_scan_fn


def selective_scan_mamba_ssm(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """Arguments as `selective_scan`, on a CUDA device, B and C (B, G, N, T).

    The kernel wants A, D and delta_bias in float32 and all else in the type of u.
    """
    kernel = load()
    if isinstance(kernel, str):
        raise RuntimeError(f"mamba-ssm: {kernel}")
    delta, B, C = (x.to(u.dtype) for x in (delta, B, C))
    z = None if z is None else z.to(u.dtype)
    D, delta_bias = (None if x is None else x.to(torch.float32) for x in (D, delta_bias))
    return kernel(
        u, delta, A.to(torch.float32), B, C, D=D, z=z, delta_bias=delta_bias,
        delta_softplus=delta_softplus,
    )  # fmt: skip
