"""Small fake trees, one in the layout of each published benchmark: 16 x 12 pixels, few frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

FRAMES = 4


def write_images(path: Path, names: list[str]) -> None:
    """Image i is of brightness 10 * i."""
    path.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        cv2.imwrite(str(path / name), np.full((12, 16, 3), 10 * index, np.uint8))


def write_lines(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def lasher(root: Path) -> None:
    """Two test sequences, one of training, attributes."""
    for place in ("testingset/boy", "testingset/girl", "trainingset/car"):
        write_images(root / place / "visible", [f"v{i:03}.jpg" for i in range(FRAMES)])
        write_images(root / place / "infrared", [f"i{i:03}.jpg" for i in range(FRAMES)])
        boxes = ["1,2,3,4", "2,2,3,4", "0,0,0,0", "4,2,3,4"]  # absent in the third
        for name in ("init.txt", "visible.txt", "infrared.txt"):
            write_lines(root / place / name, boxes)
    (root / "testingset/girl/visible.txt").unlink()  # as in some published ones
    write_lines(root / "Attributes_order.txt", ["NO, PO, TO"])
    for name, flags in (("boy", "0,1,1"), ("girl", "1,0,0"), ("car", "0,0,0")):
        write_lines(root / "AttriSeqsTxt" / f"{name}.txt", [flags])


def rgbt210(root: Path) -> None:
    """One truth for both cameras; attributes of more sequences than there are."""
    for name in ("fog", "kite"):
        write_images(root / name / "visible", [f"{i + 1:05}v.jpg" for i in range(FRAMES)])
        write_images(root / name / "infrared", [f"{i + 1:05}i.jpg" for i in range(FRAMES)])
        write_lines(root / name / "init.txt", ["1,2,3,4"] * FRAMES)
    write_lines(root / "attr_txt/SequencesName.txt", ["kite", "elsewhere", "fog"])
    write_lines(root / "attr_txt/BC.txt", ["1", "1", "0"])
    write_lines(root / "attr_txt/TC.txt", ["0", "0", "1"])


def rgbt234(root: Path) -> None:
    """Two truths that differ; names of the images differ between the cameras."""
    rgbt210(root)
    write_lines(root / "attr_txt/SequencesName.txt", ["kite", "fog"])
    write_lines(root / "attr_txt/BC.txt", ["1", "0"])
    write_lines(root / "attr_txt/TC.txt", ["1", "1"])
    for name in ("fog", "kite"):
        write_lines(root / name / "visible.txt", ["1,2,3,4"] * FRAMES)
        write_lines(root / name / "infrared.txt", ["2,2,3,4"] * FRAMES)


def gtot(root: Path) -> None:
    """Corners instead of widths, separated by spaces."""
    for name in ("Pool", "tunnel"):
        write_images(root / name / "v", [f"{i + 1:05}v.png" for i in range(FRAMES)])
        write_images(root / name / "i", [f"{i + 1:05}i.png" for i in range(FRAMES)])
        write_lines(root / name / "groundTruth_v.txt", ["1 2 10 8"] * FRAMES)
        write_lines(root / name / "groundTruth_i.txt", ["2\t2\t11\t8"] * FRAMES)


def vtuav(root: Path) -> None:
    """25 frames, every tenth is annotated; absent in the last of these."""
    for place in ("test_ST/test_ST_001/bike_001", "test_ST/test_ST_002/bus_001"):
        for camera in ("rgb", "ir"):
            write_images(root / place / camera, [f"{i:06}.jpg" for i in range(25)])
            write_lines(root / place / f"{camera}.txt", ["1 2 3 4", "2 2 3 4", "0 0 0 0"])


def own(root: Path) -> None:
    """Two cameras, one camera, and two targets of one recording."""
    images = [f"{i}.png" for i in range(FRAMES)]
    write_images(root / "walk/rgb", images)
    write_images(root / "walk/tir", images)
    write_lines(root / "walk/groundtruth.txt", ["1,2,3,4"] * FRAMES)
    write_images(root / "clips/night/tir", images)
    write_images(root / "pier/rgb", images)
    for number in (1, 2):
        write_lines(root / f"pier/groundtruth_{number}.txt", [f"{number},2,3,4"] * FRAMES)


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], Path]:
    """`tree("gtot")` makes the tree of that layout; "folder" is our own."""
    makers = {
        "lasher": lasher,
        "rgbt210": rgbt210,
        "rgbt234": rgbt234,
        "gtot": gtot,
        "vtuav": vtuav,
        "folder": own,
    }

    def make(name: str) -> Path:
        root = tmp_path / "set" / "data"  # names that say nothing about the layout
        root.mkdir(parents=True)
        makers[name](root)
        return root

    return make
