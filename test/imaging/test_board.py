"""Heated boards as either camera sees them: rendered, seen from the side, reversed, noisy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ainet_core.imaging.board import find_board

SEED = 2
COLUMNS, ROWS, FIELD = 7, 5, 40  # inner corners or circles, pixels of the drawing


def chessboard() -> tuple[np.ndarray, np.ndarray]:
    """The drawing, and its (n, 2) inner corners."""
    fields = np.add.outer(np.arange(ROWS + 1), np.arange(COLUMNS + 1)) % 2
    image = np.kron(fields, np.ones((FIELD, FIELD))) * 180 + 40
    return _framed(image), _places() + FIELD


def circles() -> tuple[np.ndarray, np.ndarray]:
    image = np.full(((ROWS + 1) * FIELD, (COLUMNS + 1) * FIELD), 220.0)
    for x, y in _places() + 0.5:
        cv2.circle(image, (round(x), round(y)), FIELD // 4, 40, -1, cv2.LINE_AA)
    return _framed(image), _places() + 0.5 + FIELD


def _framed(image: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(image, *[FIELD] * 4, cv2.BORDER_CONSTANT, value=220)


def _places() -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)), axis=-1).reshape(-1, 2)
    return (grid + 1.0) * FIELD - 0.5


def seen(drawing: tuple[np.ndarray, np.ndarray], size: tuple[int, int], reverse: bool,
         turn: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """An image of (height, width) with the board in it, from the side; and its true points."""
    board, points = drawing
    height, width = size
    scale = 0.75 * min(height / board.shape[0], width / board.shape[1])
    about = cv2.getRotationMatrix2D((board.shape[1] / 2, board.shape[0] / 2), turn, scale)
    about[:, 2] += [width / 2 - board.shape[1] / 2, height / 2 - board.shape[0] / 2]
    aside = np.array([[1, 0.06, -0.02 * width], [0.02, 1, 0], [1e-4, 5e-5, 1.0]])
    view = aside @ np.vstack([about, [0, 0, 1]])
    image = cv2.warpPerspective(board, view, (width, height), flags=cv2.INTER_AREA,
                                borderMode=cv2.BORDER_CONSTANT, borderValue=130)  # fmt: skip
    image = 255 - image if reverse else image
    image = cv2.GaussianBlur(image, (0, 0), 0.8)
    image += np.random.default_rng(SEED).normal(0, 4, image.shape)
    places = cv2.perspectiveTransform(points[:, None], view)[:, 0]
    return np.clip(image, 0, 255).astype(np.uint8), places


def test_nothing_is_found_where_nothing_is() -> None:
    print(f"seed {SEED}")
    noise = np.random.default_rng(SEED).integers(0, 255, (120, 160), np.uint8)
    assert find_board(noise, COLUMNS, ROWS) is None
    assert find_board(np.full((240, 320), 90, np.uint8), COLUMNS, ROWS) is None
    image, _ = seen(chessboard(), (480, 640), False, 0)
    assert find_board(image, COLUMNS + 1, ROWS + 1) is None  # fields counted, not corners


@pytest.mark.parametrize("drawing", [chessboard, circles])
@pytest.mark.parametrize(
    ("size", "reverse", "turn"),
    [
        ((480, 640), False, 0),
        ((480, 640), True, 12),
        ((240, 320), True, 0),
        ((240, 320), False, -20),
    ],
)
def test_the_points_are_found_in_one_order(drawing, size, reverse: bool, turn: float) -> None:
    image, places = seen(drawing(), size, reverse, turn)
    found = find_board(image, COLUMNS, ROWS)
    assert found is not None
    off = np.linalg.norm(found - places, axis=1)
    assert np.median(off) < 0.5
    assert off.max() < 1.5
