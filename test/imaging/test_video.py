"""Writing videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.imaging.video import VideoWriter


def test_refuses_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    picture = np.zeros((20, 30, 3), np.uint8)
    with (
        pytest.raises(ValueError, match="cannot write a video to .*none"),
        VideoWriter(tmp_path / "none" / "a.mp4", 10.0) as video,
    ):
        video.write(picture)


def test_odd_sizes_come_back_one_pixel_smaller(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 10.0) as video:
        for _ in range(4):
            video.write(np.full((41, 61, 3), (200, 40, 40), np.uint8))
    capture = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 4
    frame = capture.read()[1]
    assert frame.shape == (40, 60, 3)
    assert frame[20, 30, 2] > 150  # red stays red
