"""AINet: RGB-thermal single-object tracking. `import ainet_core` is quick: torch comes when used.

    from ainet_core import Tracker
    tracker = Tracker.from_preset("nano")
    tracker.init(rgb, thermal, box)          # box: x, y, w, h in RGB pixels
    target = tracker.update(rgb, thermal)    # .box .score .state .order
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ainet_core.tracking.tracker import Target, Tracker

# OpenMP's threads spin while they wait for each other: for so long that, beside a process that
# keeps one of their cores busy, a frame took 3 s. Asleep at once they wake up too late (43 ms a
# frame on two idle cores); a short spin (27 ms) is best. libgomp reads it when torch is loaded;
# whoever imports torch before this package sets it in the environment.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

__all__ = ["Target", "Tracker"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ainet_core.tracking import tracker

        return getattr(tracker, name)
    raise AttributeError(f"module 'ainet_core' has no attribute {name!r}")
