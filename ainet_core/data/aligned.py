"""A sequence whose thermal frames are brought into the RGB camera's view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ainet_core.data.sequence import Frames, Image, Sequence
from ainet_core.imaging.registration import Alignment


class AlignedFrames(Frames):
    """Thermal frames, warped one by one."""

    def __init__(self, frames: Frames, alignment: Alignment) -> None:
        self._frames, self._alignment = frames, alignment

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        return self._alignment.warp(self._frames[index])

    def between(self, first: int, stop: int) -> Iterator[Image]:
        return (self._alignment.warp(image) for image in self._frames.between(first, stop))


def aligned(sequence: Sequence, alignment: Alignment) -> Sequence:
    """The sequence as registered cameras would have recorded it.

    Raises:
        ValueError: only one camera, or images of other sizes than the alignment's.
    """
    if sequence.rgb is None or sequence.thermal is None:
        raise ValueError(f"{sequence.name}: an alignment needs both cameras")
    rgb, thermal = sequence[0]
    assert rgb is not None
    assert thermal is not None
    alignment.check_rgb(rgb.shape[:2])
    alignment.warp(thermal)  # refuses another size now, not in the middle of a run
    return replace(sequence, thermal=AlignedFrames(sequence.thermal, alignment))
