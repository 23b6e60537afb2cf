"""A tracker without a network, and `ainet track` with it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ainet_core.cli import make_parser
from ainet_core.recordings.command import track


class WalkingTracker:
    """Moves its box by a pixel a frame; is lost where the first RGB pixel is 0."""

    def init(self, rgb: Any, thermal: Any, box: Any) -> None:
        assert rgb is not None or thermal is not None
        self.box = np.array(box, float)

    def update(self, rgb: Any, thermal: Any) -> Any:
        assert rgb is not None or thermal is not None
        lost = rgb is not None and not rgb[0, 0].any()
        self.box = self.box + [1, 0, 0, 0]
        state = "lost" if lost else "tracking"
        return SimpleNamespace(box=self.box, score=0.1 if lost else 0.8, state=state, order=(1, 0))


def run(*arguments: object) -> list[Path]:
    """`ainet track ARGUMENTS`; returns what was written."""
    options = make_parser().parse_args(["track", *map(str, arguments)])
    return track(options, WalkingTracker)
