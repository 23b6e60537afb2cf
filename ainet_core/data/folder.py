"""Frames that lie in a folder as numbered images."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import Frames, Image

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".webp")


class ImageFolder(Frames):
    """The images of one folder in the order of the numbers in their names (9 before 10)."""

    def __init__(self, path: str | Path, thermal: bool = False) -> None:
        """`thermal`: read one channel in the depth of the file, else RGB in 8 bits."""
        self.path = Path(path)
        self._thermal = thermal
        if not self.path.is_dir():
            raise ValueError(f"cannot read images from {self.path}: no such folder")
        files = [file for file in self.path.iterdir() if file.suffix.lower() in ENDINGS]
        if not files:
            raise ValueError(f"{self.path} must hold images ({' '.join(ENDINGS)}), got none")
        self._files = sorted(files, key=_natural)

    @property
    def files(self) -> tuple[Path, ...]:
        """The images' files in order."""
        return tuple(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Image:
        path = self._files[index]
        if self._thermal:
            return read_thermal(path)
        return read_rgb(path)


def read_rgb(path: str | Path) -> NDArray[np.uint8]:
    """Read a colour image as (H, W, 3) uint8 in RGB order; ValueError names the file."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"cannot read {path}: expected an image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def read_thermal(path: str | Path) -> Image:
    """Read a thermal image as (h, w), uint8 or uint16 as in the file; ValueError names it."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    if image is None or image.dtype not in (np.uint8, np.uint16):
        got = "no image" if image is None else f"pixels of {image.dtype}"
        raise ValueError(f"cannot read {path}: expected a grey image of 8 or 16 bits, got {got}")
    return image


def _natural(path: Path) -> tuple[list[int | str], str]:
    """Sort key: digits as numbers, so that unpadded names are in order, too."""
    parts = re.split(r"(\d+)", path.stem)
    return [int(part) if part.isdigit() else part for part in parts], path.name
