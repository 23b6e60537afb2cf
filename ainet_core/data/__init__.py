"""Recorded and generated scenes: `open_sequence`, `open_videos`, `read_benchmark`, `Sequence`."""

from ainet_core.data.boxes import read_boxes, write_boxes
from ainet_core.data.readers import open_sequence, open_videos, read_benchmark
from ainet_core.data.sequence import FramePair, Frames, Sequence

__all__ = [
    "FramePair",
    "Frames",
    "Sequence",
    "open_sequence",
    "open_videos",
    "read_benchmark",
    "read_boxes",
    "write_boxes",
]
