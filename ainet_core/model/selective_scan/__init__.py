"""One function, several backends: the selective scan of Mamba. See `selective_scan`.

Beside it `convolved`, what comes before a scan.
"""

from ainet_core.model.selective_scan.convolution import causal_convolution, convolved
from ainet_core.model.selective_scan.dispatch import (
    BACKENDS,
    available_backends,
    describe,
    selective_scan,
)

__all__ = [
    "BACKENDS",
    "available_backends",
    "causal_convolution",
    "convolved",
    "describe",
    "selective_scan",
]
