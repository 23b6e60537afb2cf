"""The boxes of an exported recording while somebody corrects them by hand.

Every change is written at once, so that nobody has to save and nothing is lost. What the tracker
said stays beside it in `groundtruth.tracked.txt`: a frame whose line differs is a corrected one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ainet_core.box import BoxLike, as_box
from ainet_core.data.boxes import read_boxes, write_boxes
from ainet_core.data.groundtruth import visible_boxes
from ainet_core.data.readers import open_sequence

BOXES, TRACKED = "groundtruth.txt", "groundtruth.tracked.txt"
UNKNOWN = (np.nan,) * 4
ABSENT = (0.0,) * 4
JUMP = 0.5  # sides of the target between two frames, beyond what is usual in the recording
GROWTH = 0.25  # change of a side's logarithm
UNUSUAL = 4.0  # times the median of the recording


class Corrections:
    """The boxes of one folder that `ainet track --export` wrote.

    Attributes:
        sequence: its images.
        boxes: (N, 4) x, y, w, h in pixels of the leading camera's images; nan where the target's
            place is not known, no area where it is not there.
        tracked: (N, 4), as the tracker left them.

    Raises:
        ValueError: no such folder, or what lies in it is not such an export; says what.
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        self.sequence = open_sequence(folder)
        self._path = folder / BOXES
        if not self._path.is_file():
            raise ValueError(
                f"{folder} must hold {BOXES}, as `ainet track --export {folder}` writes it"
            )
        self.boxes = read_boxes(self._path)
        kept = folder / TRACKED
        self.tracked = read_boxes(kept) if kept.is_file() else self.boxes.copy()
        if len(self.tracked) != len(self.boxes):
            raise ValueError(
                f"{kept}: expected {len(self.boxes)} boxes, as {BOXES} has, "
                f"got {len(self.tracked)}; delete it to begin anew"
            )
        if not kept.is_file():
            write_boxes(kept, self.tracked)
        self._by_hand = self.is_corrected  # the others may be filled
        self._before: list[tuple[int, NDArray[np.float64], NDArray[np.bool_]]] = []

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def is_corrected(self) -> NDArray[np.bool_]:
        """(N,) whether a frame's box is another one than the tracker's."""
        differs = ~np.isclose(self.boxes, self.tracked, rtol=0, atol=1e-4, equal_nan=True)
        return np.asarray(differs.any(axis=1))

    def change(self, number: int, box: BoxLike) -> None:
        """Put a box, `UNKNOWN` or `ABSENT` in a frame's place, and write the file.

        Raises:
            ValueError: a box outside the image.
            OSError: the file cannot be written; nothing is changed then.
        """
        new = np.asarray(box, np.float64)
        if not np.isnan(new).any() and new.any():
            new = as_box(new, self.size(number))
        changed, by_hand = self.boxes.copy(), self._by_hand.copy()
        changed[number], by_hand[number] = np.round(new, 2), True
        self._write(number, changed, by_hand)

    def fill(self, number: int) -> int:
        """Lay straight lines between the nearest corrected frames before and after one.

        A frame that is corrected itself is the one after: the frames before it are filled.
        What somebody said of a frame stays: nothing is laid over it. What was filled since the
        folder was opened may be filled again, when a frame in the middle has been corrected.

        Returns:
            how many frames were filled.

        Raises:
            ValueError: no corrected frame before or after it, none between them, or one of them
                was said to have no box.
            OSError: as `change`.
        """
        anchors = np.flatnonzero(self._by_hand)
        before, after = anchors[anchors < number], anchors[anchors >= number]
        if not len(before) or not len(after) or after[0] - before[-1] < 2:
            raise ValueError(
                "filling needs frames between two whose boxes were corrected: correct one "
                "before and one after them"
            )
        first, last = int(before[-1]), int(after[0])
        for end in (first, last):
            if not visible_boxes(self.boxes)[end]:
                raise ValueError(
                    f"filling needs a box before and after: frame {end + 1} was said to have none"
                )
        share = np.arange(1, last - first)[:, None] / (last - first)
        changed = self.boxes.copy()
        line = (1 - share) * self.boxes[first] + share * self.boxes[last]
        changed[first + 1 : last] = np.round(line, 2)
        self._write(number, changed, self._by_hand)
        return last - first - 1

    def undo(self) -> int | None:
        """Take the last change back; returns its frame, None when there is none left.

        Raises:
            OSError: as `change`.
        """
        if not self._before:
            return None
        number, boxes, by_hand = self._before[-1]
        write_boxes(self._path, boxes)
        self._before.pop()
        self.boxes, self._by_hand = boxes, by_hand
        return number

    def suspicious(self) -> list[int]:
        """Frames worth a look: the box leaps or changes its size as it seldom does, or comes or
        goes. Of what the tracker said, so that a corrected frame stays on the list."""
        seen = visible_boxes(self.tracked)
        found = set(np.flatnonzero(seen[1:] != seen[:-1]) + 1)
        both = np.flatnonzero(seen[1:] & seen[:-1]) + 1
        if len(both):
            old, new = self.tracked[both - 1], self.tracked[both]
            centres = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (new, old))
            moved = np.linalg.norm(np.subtract(*centres), axis=1) / np.sqrt(old[:, 2] * old[:, 3])
            grown = np.abs(np.log(new[:, 2:] / old[:, 2:])).max(axis=1)
            for change, limit in ((moved, JUMP), (grown, GROWTH)):
                unusual = change > max(limit, UNUSUAL * float(np.median(change)))
                found |= set(both[unusual])
        return sorted(int(number) for number in found)

    def size(self, number: int) -> tuple[int, int]:
        """(height, width) of the image that a frame's box is in."""
        rgb, thermal = self.sequence[number]
        image = thermal if rgb is None else rgb
        assert image is not None
        return image.shape[0], image.shape[1]

    def _write(
        self, number: int, changed: NDArray[np.float64], by_hand: NDArray[np.bool_]
    ) -> None:
        write_boxes(self._path, changed)
        self._before.append((number, self.boxes, self._by_hand))
        self.boxes, self._by_hand = changed, by_hand
