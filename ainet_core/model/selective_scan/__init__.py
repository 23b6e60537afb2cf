"""One function, several backends: the selective scan of Mamba. See `selective_scan`."""

from ainet_core.model.selective_scan.dispatch import (
    BACKENDS,
    available_backends,
    describe,
    selective_scan,
)

__all__ = ["BACKENDS", "available_backends", "describe", "selective_scan"]
