"""Pairs to calibrate by: from two images, folders or videos; nothing else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data.moments import read_moments


@pytest.fixture(name="folders")
def _folders(tmp_path: Path) -> tuple[Path, Path]:
    """Seven pairs, as grey as their numbers."""
    made = tmp_path / "rgb", tmp_path / "tir"
    for folder, shape in zip(made, ((6, 8, 3), (3, 4)), strict=True):
        folder.mkdir()
        for number in range(7):
            cv2.imwrite(str(folder / f"{number}.png"), np.full(shape, number, np.uint8))
    return made


def test_refuses_what_does_not_fit(folders: tuple[Path, Path]) -> None:
    rgb, thermal = folders
    with pytest.raises(ValueError, match="expected two images, folders or videos, got"):
        read_moments(rgb / "0.png", thermal)
    with pytest.raises(ValueError, match=r"cannot read .*9\.png: expected an image"):
        read_moments(rgb / "9.png", thermal / "0.png")
    with pytest.raises(ValueError, match="no such file"):
        read_moments(rgb.with_name("none.mp4"), thermal.with_name("none.mp4"))
    (thermal / "6.png").unlink()
    with pytest.raises(ValueError, match="must have equally many frames, got 7 and 6"):
        read_moments(rgb, thermal)


def test_two_images_are_one_moment(folders: tuple[Path, Path]) -> None:
    rgb, thermal = folders
    (moment,) = read_moments(rgb / "3.png", thermal / "4.png")
    assert moment.rgb[0, 0].tolist() == [3, 3, 3]
    assert moment.thermal.tolist() == [[4] * 4] * 3
    assert "3.png" in moment.name


def test_some_are_taken_evenly_from_first_to_last(folders: tuple[Path, Path]) -> None:
    moments = read_moments(*folders, most=4)
    assert [int(moment.rgb[0, 0, 0]) for moment in moments] == [0, 2, 4, 6]
    assert [int(moment.thermal[0, 0]) for moment in moments] == [0, 2, 4, 6]
    assert moments[1].name.startswith("frame 2 of")
    assert len(read_moments(*folders)) == 7
