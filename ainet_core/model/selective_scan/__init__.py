"""One function, several backends: the selective scan of Mamba. See `selective_scan`."""

from ainet_core.model.selective_scan.dispatch import selective_scan

__all__ = ["selective_scan"]
