"""A recorded scene: the frames of one or two cameras and the target's boxes.

Frames are read when asked for. Going through a sequence in order is always cheap; random access
is cheap for image folders, arrays and the generated world, and decodes from the start for videos
(`Sequence.load` keeps a short one in memory instead).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from ainet_core.data.groundtruth import GroundTruth, checked_boxes

Image = NDArray[Any]


class Frames(ABC):
    """The frames of one camera: RGB (H, W, 3) uint8, or thermal (h, w) uint8 or uint16."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> Image:
        """Frame 0 <= index < len."""

    def between(self, first: int, stop: int) -> Iterator[Image]:
        """Frames first, first + 1, ..., stop - 1; sources that decode in order override this."""
        return (self[index] for index in range(first, stop))


class ArrayFrames(Frames):
    """Frames that are in memory already."""

    def __init__(self, images: Items[Image]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Image:
        return self._images[index]


class FramePair(NamedTuple):
    """What both cameras saw at one moment; None for a camera that is missing."""

    rgb: NDArray[np.uint8] | None
    thermal: Image | None


@dataclass(frozen=True)
class Sequence:
    """Frames of an RGB camera, a thermal camera or both, with the target's boxes.

    Attributes:
        name: for reports and result files.
        rgb: the RGB camera's frames, None without that camera.
        thermal: the thermal camera's frames, None without that camera.
        groundtruth: (N, 4) x, y, w, h in pixels of the RGB image (of the thermal image where
            there is no RGB camera). nan: not annotated; no area: the target is absent.
        rate: frames per second.
        group: kind of scene, where a benchmark says so.
        thermal_groundtruth: (N, 4), a second truth in thermal pixels, where a benchmark has two.
        attributes: challenges that the benchmark says the sequence has.
    """

    name: str
    rgb: Frames | None
    thermal: Frames | None
    groundtruth: NDArray[np.float64] = field(repr=False)
    rate: float = 30.0
    group: str = ""
    thermal_groundtruth: NDArray[np.float64] | None = field(default=None, repr=False)
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rgb is None and self.thermal is None:
            raise ValueError(f"{self.name}: expected frames of at least one camera, got none")
        if self.rgb is not None and self.thermal is not None:
            rgb, thermal = len(self.rgb), len(self.thermal)
            if rgb != thermal:
                raise ValueError(
                    f"{self.name}: both cameras must have equally many frames, "
                    f"got {rgb} RGB and {thermal} thermal"
                )
        if not np.isfinite(self.rate) or self.rate <= 0:
            raise ValueError(f"{self.name}: rate must be > 0 Hz, got {self.rate}")
        boxes = checked_boxes(self.name, self.groundtruth, len(self))
        object.__setattr__(self, "groundtruth", boxes)
        if self.thermal_groundtruth is not None:
            second = checked_boxes(self.name, self.thermal_groundtruth, len(self))
            object.__setattr__(self, "thermal_groundtruth", second)

    def __len__(self) -> int:
        frames = self.rgb if self.rgb is not None else self.thermal
        return len(frames) if frames is not None else 0

    @property
    def truth(self) -> GroundTruth:
        """The boxes without the images."""
        return GroundTruth(
            self.name, self.groundtruth, self.thermal_groundtruth, self.attributes, self.group
        )

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(N,) whether the frame has a box with an area: annotated, and the target is there."""
        return self.truth.visible

    def frames(self) -> Iterator[FramePair]:
        """All frame pairs in order."""
        count = len(self)
        rgb = self.rgb.between(0, count) if self.rgb is not None else _nothing(count)
        thermal = self.thermal.between(0, count) if self.thermal is not None else _nothing(count)
        return (FramePair(left, right) for left, right in zip(rgb, thermal, strict=True))

    @overload
    def __getitem__(self, index: int) -> FramePair: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence: ...

    def __getitem__(self, index: int | slice) -> FramePair | Sequence:
        """One frame pair, or with a slice a shorter sequence (step 1) that shares the frames."""
        if isinstance(index, slice):
            first, stop, step = index.indices(len(self))
            if step != 1 or stop <= first:
                raise ValueError(
                    f"{self.name}: expected a part of the {len(self)} frames in order, got {index}"
                )
            return self._part(first, stop)
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self.name}: frame {index} of {len(self)}")
        index %= len(self)
        return FramePair(
            None if self.rgb is None else self.rgb[index],
            None if self.thermal is None else self.thermal[index],
        )

    def load(self) -> Sequence:
        """The same sequence with all frames in memory."""
        pairs = list(self.frames())
        rgb = ArrayFrames([pair.rgb for pair in pairs if pair.rgb is not None])
        thermal = ArrayFrames([pair.thermal for pair in pairs if pair.thermal is not None])
        return replace(
            self,
            rgb=None if self.rgb is None else rgb,
            thermal=None if self.thermal is None else thermal,
        )

    def only(self, camera: str) -> Sequence:
        """The same sequence seen by one camera, "rgb" or "thermal", alone."""
        if camera not in ("rgb", "thermal"):
            raise ValueError(f'camera must be "rgb" or "thermal", got {camera!r}')
        return replace(self, thermal=None) if camera == "rgb" else replace(self, rgb=None)

    def _part(self, first: int, stop: int) -> Sequence:
        return replace(
            self,
            rgb=None if self.rgb is None else _Part(self.rgb, first, stop),
            thermal=None if self.thermal is None else _Part(self.thermal, first, stop),
            groundtruth=self.groundtruth[first:stop],
            thermal_groundtruth=(
                None if self.thermal_groundtruth is None else self.thermal_groundtruth[first:stop]
            ),
        )


class _Part(Frames):
    """Frames first to stop - 1 of a longer source."""

    def __init__(self, whole: Frames, first: int, stop: int) -> None:
        self._whole, self._first, self._stop = whole, first, stop

    def __len__(self) -> int:
        return self._stop - self._first

    def __getitem__(self, index: int) -> Image:
        return self._whole[self._first + index]

    def between(self, first: int, stop: int) -> Iterator[Image]:
        return self._whole.between(self._first + first, self._first + stop)


def _nothing(count: int) -> Iterator[None]:
    return (None for _ in range(count))
