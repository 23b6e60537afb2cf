"""Track a recorded sequence and write what was seen: an annotated video and the boxes as text."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ainet_core.box import BoxLike
from ainet_core.data.boxes import write_boxes
from ainet_core.data.sequence import Sequence
from ainet_core.imaging.draw import side_by_side
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
    video: cv2.VideoWriter | None = None
    for rgb, thermal in tqdm(sequence.frames(), total=len(sequence), unit="frame", desc="track"):
        if not boxes:
            tracker.init(rgb, thermal, box)
            caption: tuple[str, ...]
            seen, caption = np.asarray(box, np.float64), ("target set",)
        else:
            target = tracker.update(rgb, thermal)
            lost = target.state == "lost"
            seen = np.full(4, np.nan) if lost else target.box
            caption = (target.state, f"score {target.score:.2f}")
        boxes.append(seen)
        picture = side_by_side(rgb, thermal, seen, caption=caption)
        if video is None:
            video = _open_video(output, picture, sequence.rate)
        video.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if video is not None:
        video.release()
    text = output.with_suffix(".txt")
    write_boxes(text, np.array(boxes))
    return output, text


def _open_video(path: Path, picture: NDArray[np.uint8], rate: float) -> cv2.VideoWriter:
    height, width = picture.shape[:2]
    video = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height)
    )
    if not video.isOpened():
        raise ValueError(f"cannot write a video to {path}: expected a name like FILE.mp4")
    return video
