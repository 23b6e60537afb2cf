"""Memory that one frame frees is kept for the next one, and given back when there is no next one.

glibc gives large blocks back to the system at once, and the system hands out zeroed pages when
they are wanted again, 30 times a second: up to a fifth of an update. A small network meets this
as well: an image that its user frees makes glibc trim what the next update needs.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's names for `mallopt`
_LARGEST_BLOCK = 32 << 20  # glibc takes no larger one
_KEPT = 256 << 20


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to 256 MB of freed memory; False where that is not glibc's choice.

    For the whole process, once and for all: the C library knows one threshold only.
    """
    mallopt = _of_the_c_library("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT) and mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK))


def give_back_freed_memory() -> bool:
    """Return to the system what is free now; False where nothing was, or where glibc is not."""
    trim = _of_the_c_library("malloc_trim")
    return trim is not None and bool(trim(0))


def _of_the_c_library(name: str) -> Any:
    """A function of glibc; None on another platform, and where its C library does not have it."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
