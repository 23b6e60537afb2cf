"""Count what cannot be read while training, and stop when it is too much."""

from __future__ import annotations

from pathlib import Path

SHARE = 0.01  # of the images read
FIRST_IMAGES = 1000  # a run that has just begun is judged as if it had read so many


class Unreadable:
    """Unreadable files, each counted once.

    Args:
        data: the data folder; when it is gone, that is said instead of a count.
        lines: what was found unreadable before.
    """

    def __init__(self, data: Path | None, lines: list[str]) -> None:
        self.data = data
        self._lines = dict.fromkeys(lines)
        self._before, self._images = len(lines), 0

    @property
    def lines(self) -> list[str]:
        """One for each file, in the order found."""
        return list(self._lines)

    def count(self, unreadable: list[str], images: int) -> None:
        """Add what a batch met.

        Args:
            unreadable: a line for each file that could not be read.
            images: how many were asked for.

        Raises:
            FileNotFoundError: the data folder is gone.
            ValueError: more than 1 % of the images are unreadable.
        """
        self._images += images
        if not unreadable:
            return
        if self.data is not None and not self.data.is_dir():
            raise FileNotFoundError(
                f"the data folder {self.data} is gone; the last checkpoint is whole, "
                "--resume goes on once the folder is back"
            )
        self._lines |= dict.fromkeys(unreadable)
        new = len(self._lines) - self._before
        if new > SHARE * max(self._images, FIRST_IMAGES):
            raise ValueError(
                f"{new} images are unreadable, more than {SHARE:.0%} of what was read; "
                f"they are listed in unreadable.txt; the last: {unreadable[-1]}"
            )
