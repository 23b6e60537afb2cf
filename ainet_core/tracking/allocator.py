"""Memory that one frame frees is kept for the next one.

glibc gives large blocks back to the system at once, and the system hands out zeroed pages when
they are wanted again, 30 times a second: up to a fifth of an update. Networks whose tensors are
small do not meet this.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

from ainet_core.model.config import ModelConfig

WORTH_IT = 2 << 20  # bytes of the largest tensor from which pages are handed back and forth
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's names for `mallopt`
_LARGEST_BLOCK = 32 << 20  # glibc takes no larger one
_KEPT = 256 << 20


def needs_large_blocks(config: ModelConfig) -> bool:
    """Whether the longest sequence, that of the OFM, is so large."""
    return 4 * config.all_layer_tokens * config.inner_width >= WORTH_IT


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to 256 MB of freed memory; False where that is not glibc's choice.

    For the whole process, once and for all: the C library knows one threshold only.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT) and mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK))
