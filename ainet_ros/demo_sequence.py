"""What the demo plays: the generated world, or a folder with two videos and boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ainet_core.data.occlusion import hidden
from ainet_core.data.readers import open_sequence
from ainet_core.data.sequence import Sequence

HIDDEN = range(10, 55)  # frames in which something hides the generated world's target


def demo_sequence(path: str, groundtruth: str = "", seed: int = 0, frames: int = 0) -> Sequence:
    """The sequence from its first known box on; the generated one's target is hidden for 1.5 s.

    Args:
        path: a folder that `ainet_core.data.open_sequence` reads; empty: the generated world.
        groundtruth: which boxes of the folder, where there are several; the first otherwise.
        seed: which generated world.
        frames: at most so many; 0: all.

    Raises:
        ValueError: it lacks one of the cameras or any box, or cannot be read.
    """
    if not path:
        from ainet_core.data.synthetic.world import SyntheticWorld

        sequence = hidden(SyntheticWorld(seed).sequence(), HIDDEN)
    else:
        sequence = open_sequence(path, groundtruth or _first_boxes(path), allow_missing=True)
    if sequence.rgb is None or sequence.thermal is None:
        missing = "RGB" if sequence.rgb is None else "thermal"
        raise ValueError(f"{sequence.name} has no {missing} camera: the demo plays both")
    known = np.flatnonzero(sequence.visible)
    if not len(known):
        raise ValueError(f"{sequence.name} has no box to start on: expected groundtruth.txt")
    first = int(known[0])
    return sequence[first : first + frames] if frames > 0 else sequence[first:]


def _first_boxes(path: str) -> str | None:
    """The first of several box files; None lets the reader find the only one."""
    numbered = sorted(Path(path).glob("groundtruth_*.txt"))
    if (Path(path) / "groundtruth.txt").is_file() or len(numbered) < 2:
        return None
    return numbered[0].name
