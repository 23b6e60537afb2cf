"""Track a recorded sequence and write what was seen: an annotated video and the boxes as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ainet_core.box import BoxLike
from ainet_core.data.boxes import write_boxes
from ainet_core.data.sequence import Sequence
from ainet_core.imaging.draw import side_by_side
from ainet_core.imaging.video import VideoWriter
from ainet_core.tracking.tracker import Tracker


def track_to_video(
    tracker: Tracker, sequence: Sequence, box: BoxLike, output: Path
) -> tuple[Path, Path]:
    """Track from the first frame's box x, y, w, h in RGB pixels.

    Args:
        output: the video, both cameras side by side; the boxes go beside it as .txt, one line a
            frame. While the target is lost its line is nan.

    Returns:
        The paths of video and text.

    Raises:
        ValueError: a wrong box, or a video that cannot be written.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    boxes: list[NDArray[np.float64]] = []
    progress = tqdm(sequence.frames(), total=len(sequence), unit="frame", desc="track")
    with VideoWriter(output, sequence.rate) as video:
        for rgb, thermal in progress:
            caption: tuple[str, ...]
            if not boxes:
                tracker.init(rgb, thermal, box)
                seen, caption = np.asarray(box, np.float64), ("target set",)
            else:
                target = tracker.update(rgb, thermal)
                lost = target.state == "lost"
                seen = np.full(4, np.nan) if lost else target.box
                caption = (target.state, f"score {target.score:.2f}")
            boxes.append(seen)
            video.write(side_by_side(rgb, thermal, seen, caption=caption))
    text = output.with_suffix(".txt")
    write_boxes(text, np.array(boxes))
    return output, text
