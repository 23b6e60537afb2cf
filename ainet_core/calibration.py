"""`ainet calibrate`: from marked places, a heated board or the scene to an alignment file.

Each way ends in the same two files: the alignment, and beside it a picture to check it by.
"""

from __future__ import annotations

import csv
import logging
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.folder import read_rgb, read_thermal
from ainet_core.data.moments import Moment
from ainet_core.imaging.board import find_board
from ainet_core.imaging.draw import paint_thermal
from ainet_core.imaging.registration import Alignment, align_points
from ainet_core.imaging.scene_alignment import SceneAlignment, align_scene
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.page.marking import marked_points
from ainet_core.whole import write_whole

_log = logging.getLogger(__name__)

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
    return alignment, _save(alignment, images[0], images[1], marked, output)


def calibrate_by_marking(
    rgb: Path, thermal: Path, output: Path, port: int = 0
) -> tuple[Alignment, Path]:
    """The same, from places that are marked in a browser; they are kept beside the output.

    Args:
        rgb, thermal: an image of each camera, of the same moment.
        output: the alignment file; the points go beside it as .csv.
        port: of the page, on this machine alone; 0 takes a free one.

    Raises:
        FileNotFoundError, ValueError: also where the page's server is not installed.
        OSError: the port is taken.
    """
    images = read_rgb(rgb), read_thermal(thermal)
    marked = marked_points(*images, port)
    points = output.with_suffix(".csv")
    write_whole(points, lambda part: write_points(part, marked))
    _log.info("wrote %s", points)
    return calibrate_from_points(points, rgb, thermal, output)


def calibrate_from_board(
    board: str, moments: list[Moment], output: Path
) -> tuple[Alignment, Path]:
    """The same, from pairs of images of a heated chessboard or grid of circles.

    Args:
        board: "COLUMNSxROWS" of inner corners or circles.

    Raises:
        ValueError: also where no pair shows the board to both cameras; names the image.
    """
    columns, rows = parse_board(board)
    seen: list[tuple[Moment, NDArray[np.float64]]] = []
    trouble = []
    for moment in moments:
        try:
            seen.append((moment, _board_points(moment, columns, rows)))
        except ValueError as error:
            trouble.append(str(error))
    if not seen:
        raise ValueError(trouble[0])
    for sentence in trouble:
        _log.warning("left out: %s", sentence)
    points = np.vstack([marked for _, marked in seen])
    moment = seen[0][0]
    sizes = moment.thermal.shape[:2], moment.rgb.shape[:2]
    alignment = align_points(points[:, :2], points[:, 2:], *sizes)
    return alignment, _save(alignment, moment.rgb, moment.thermal, seen[0][1], output)


def calibrate_from_scene(moments: list[Moment], output: Path) -> tuple[SceneAlignment, Path]:
    """The same, from what both cameras see: the more different views, the better.

    Raises:
        ValueError: also where the scene does not tell surely; says what to do.
    """
    found = align_scene([(moment.rgb, moment.thermal) for moment in moments])
    first = moments[0]
    return found, _save(found.alignment, first.rgb, first.thermal, found.points, output)


def parse_board(text: str) -> tuple[int, int]:
    """Columns and rows from "9x6"; ValueError says what it must be."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or min(map(int, match.groups())) < 3 or max(map(int, match.groups())) > 50:
        raise ValueError(
            "--board must be COLUMNSxROWS, 3 to 50 inner corners (or circles) each, "
            f"say 9x6, got {text!r}"
        )
    return int(match[1]), int(match[2])


def _board_points(moment: Moment, columns: int, rows: int) -> NDArray[np.float64]:
    """(n, 4) thermal x, y, RGB x, y of the board's points; ValueError: not seen by both."""
    greys = {
        "thermal": to_eight_bit(moment.thermal),
        "RGB": np.asarray(cv2.cvtColor(moment.rgb, cv2.COLOR_RGB2GRAY), np.uint8),
    }
    points = []
    for camera, grey in greys.items():
        found = find_board(grey, columns, rows)
        if found is None:
            raise ValueError(
                f"{moment.name}: no board of {columns}x{rows} inner corners or circles in the "
                f"{camera} image: heat it again (lamp, sun), show all of it upright and larger, "
                "hold it still, and count corners between fields, not fields"
            )
        points.append(found)
    return np.hstack(points)


def _save(
    alignment: Alignment,
    rgb: NDArray[np.uint8],
    thermal: NDArray[np.generic],
    points: NDArray[np.float64],
    output: Path,
) -> Path:
    """Write the alignment and the picture beside it; returns the picture's path."""
    alignment.save(output)
    picture = output.with_suffix(".png")
    drawn = overlay(rgb, thermal, alignment, points)

    def write(part: Path) -> None:
        encoded, data = cv2.imencode(".png", drawn[..., ::-1])
        assert encoded
        part.write_bytes(data.tobytes())

    write_whole(picture, write)
    return picture


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


def write_points(path: Path, points: NDArray[np.float64]) -> None:
    """What `read_points` reads."""
    header = ",".join(COLUMNS)
    np.savetxt(path, points, fmt="%.2f", delimiter=",", header=header, comments="")


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
