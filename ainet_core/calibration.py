"""`ainet calibrate`: from the same places marked in both images to an alignment file."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.folder import read_rgb, read_thermal
from ainet_core.imaging.draw import paint_thermal
from ainet_core.imaging.registration import Alignment, align_points
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.whole import write_whole

COLUMNS = ("thermal_x", "thermal_y", "rgb_x", "rgb_y")


def calibrate_from_points(
    points: Path, rgb: Path, thermal: Path, output: Path
) -> tuple[Alignment, Path]:
    """Write the alignment, and beside it a picture to check it by.

    Args:
        points: CSV with the columns thermal_x, thermal_y, rgb_x, rgb_y: pixels, one place a line.
        rgb, thermal: an image of each camera, of the same moment.
        output: the alignment file.

    Returns:
        The alignment, and the picture's path: thermal over RGB, and the points.

    Raises:
        FileNotFoundError, ValueError: a file that is missing or not what it should be, or points
            that give no alignment.
    """
    marked = read_points(points)
    images = read_rgb(rgb), read_thermal(thermal)
    sizes = images[0].shape[:2], images[1].shape[:2]
    alignment = align_points(marked[:, :2], marked[:, 2:], sizes[1], sizes[0])
    alignment.save(output)
    picture = output.with_suffix(".png")
    drawn = overlay(images[0], images[1], alignment, marked)

    def write(part: Path) -> None:
        encoded, data = cv2.imencode(".png", drawn[..., ::-1])
        assert encoded
        part.write_bytes(data.tobytes())

    write_whole(picture, write)
    return alignment, picture


def read_points(path: Path) -> NDArray[np.float64]:
    """(n, 4) thermal x, y, RGB x, y.

    Raises:
        FileNotFoundError, ValueError: names the file, the line and what it should hold.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no points at {path}: a CSV with {', '.join(COLUMNS)}")
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            expected = ", ".join(COLUMNS)
            raise ValueError(f"{path}: expected columns {expected}, got {rows.fieldnames}")
        points = []
        for row in rows:
            try:
                points.append([float(row[column]) for column in COLUMNS])
            except (TypeError, ValueError):
                raise ValueError(
                    f"{path}, line {rows.line_num}: expected four numbers, "
                    f"got {list(row.values())}"
                ) from None
    return np.array(points).reshape(-1, 4)


def overlay(
    rgb: NDArray[np.uint8],
    thermal: NDArray[np.generic],
    alignment: Alignment,
    points: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """The warped thermal image over the RGB one, (H, W, 3); each point as RGB has it (a ring) and
    where the alignment puts the thermal one (a dot)."""
    painted = paint_thermal(to_eight_bit(alignment.warp(thermal)))
    painted = cv2.resize(painted, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    drawn = cv2.addWeighted(rgb, 0.5, painted, 0.5, 0)
    put = alignment.to_rgb(points[:, :2])
    for target, found in zip(points[:, 2:], put, strict=True):
        center, dot = ([round(float(value)) for value in place] for place in (target, found))
        cv2.circle(drawn, center, 6, (255, 255, 255), 1, cv2.LINE_AA)
        cv2.circle(drawn, dot, 2, (0, 255, 0), -1, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)
