"""Where the target should be while it cannot be seen: on at a constant velocity, for a while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = NDArray[np.float64]


@dataclass(frozen=True)
class Coasting:
    """How far to trust the last velocity.

    Attributes:
        smoothing: share of a new frame's movement taken over, above 0 .. 1.
        frames: so long the target is expected to move on; then to stay where it would be.
    """

    smoothing: float = 0.3
    frames: int = 15

    def __post_init__(self) -> None:
        if not 0 < self.smoothing <= 1:
            raise ValueError(f"smoothing must be above 0 and at most 1, got {self.smoothing}")
        if self.frames < 0:
            raise ValueError(f"frames must be >= 0, got {self.frames}")


class Motion:
    """Follows a target's boxes (4,) x, y, w, h in pixels, frame by frame.

    Attributes:
        box: the last one that was seen for sure.
    """

    def __init__(self, box: Box, coasting: Coasting) -> None:
        self.box, self._coasting = box.copy(), coasting
        self._velocity = np.zeros(2)  # pixels of the centre a frame
        self._unseen = 0

    def see(self, box: Box) -> None:
        """The target was seen for sure."""
        moved = (box[:2] + box[2:] / 2 - self.box[:2] - self.box[2:] / 2) / (self._unseen + 1)
        self._velocity += self._coasting.smoothing * (moved - self._velocity)
        self.box, self._unseen = box.copy(), 0

    def miss(self) -> None:
        """A frame passed without it."""
        self._unseen += 1

    def expected(self) -> Box:
        """Where it should be in the next frame, as large as it was."""
        frames = min(self._unseen + 1, self._coasting.frames)
        return np.concatenate([self.box[:2] + frames * self._velocity, self.box[2:]])

    def rescale(self, scale: NDArray[np.float64]) -> None:
        """The image changed its size by (2,) x and y."""
        self.box = self.box * np.tile(scale, 2)
        self._velocity = self._velocity * scale
