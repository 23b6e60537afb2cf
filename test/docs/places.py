"""A folder with everything that the commands of the documentation name."""

from __future__ import annotations

import shutil
from pathlib import Path

import bag_maker
import cv2
import numpy as np
from bag_maker import RGB, START, THERMAL, Sent
from documentation import ROOT
from numpy.typing import NDArray

from ainet_core.data.boxes import write_boxes
from ainet_core.data.synthetic.world import SyntheticWorld
from ainet_core.recordings.records import IMAGE

BESIDE = np.array([[1.0, 0.0, 12.0], [0.0, 1.0, 5.0]])  # thermal's view beside RGB's


def make(place: Path) -> None:
    """Recordings, videos, images, boxes and weights under the names that the pages use."""
    world = SyntheticWorld(0, thermal_size=(240, 320))
    views = [world.frame(48 * number) for number in range(8)]
    frames = views + views[::-1]  # 8 s at 2 Hz
    rgb = [frame.rgb for frame in frames]  # 640x480
    thermal = [cv2.warpAffine(frame.thermal, BESIDE, (320, 240)) for frame in frames]
    write_bag(place / "my_bag", rgb, thermal)
    for name in ("rgb", "a"):
        write_video(place / f"{name}.mp4", rgb[:8])
    for name in ("thermal", "b"):
        write_video(place / f"{name}.mp4", thermal[:8])
    write_recordings(place / "my_recordings" / "one", rgb[:8], thermal[:8])
    write_board(place)
    shutil.copytree(place / "my_recordings", place / "mydata" / "recordings")
    weights = place / "runs" / "mine" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    shutil.copy(ROOT / "ainet_core" / "weights" / "nano.safetensors", weights)


def write_bag(path: Path, rgb: list[NDArray[np.uint8]], thermal: list[NDArray[np.uint8]]) -> None:
    sent = []
    for number, (colour, heat) in enumerate(zip(rgb, thermal, strict=True)):
        stamp = START + number * 500_000_000
        sent.append(Sent(RGB, IMAGE, stamp, bag_maker.image(colour, "rgb8", stamp)))
        data = bag_maker.image(heat.astype(np.uint16) * 64, "mono16", stamp)
        sent.append(Sent(THERMAL, IMAGE, stamp + 1, data))
    bag_maker.write(path, sent)


def write_video(path: Path, images: list[NDArray[np.uint8]]) -> None:
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (width, height))
    for image in images:
        writer.write(image[..., ::-1] if image.ndim == 3 else np.dstack([image] * 3))
    writer.release()


def write_recordings(
    path: Path, rgb: list[NDArray[np.uint8]], thermal: list[NDArray[np.uint8]]
) -> None:
    path.mkdir(parents=True)
    write_video(path / "visible.mp4", rgb)
    write_video(path / "infrared.mp4", thermal)
    write_boxes(path / "groundtruth.txt", np.tile([300.0, 180.0, 60.0, 120.0], (len(rgb), 1)))


def write_board(place: Path) -> None:
    """A board of 9x6 inner corners that both cameras see, and four of its places as points."""
    fields = np.add.outer(np.arange(7), np.arange(10)) % 2 * 180 + 40
    board = np.kron(fields, np.ones((24, 24))).astype(np.uint8)
    seen = cv2.copyMakeBorder(board, 36, 36, 40, 40, cv2.BORDER_CONSTANT, value=220)
    cv2.imwrite(str(place / "thermal.png"), 255 - seen)
    cv2.imwrite(str(place / "rgb.png"), cv2.resize(seen, None, fx=2, fy=2))
    marked = [(40, 36), (280, 36), (280, 204), (40, 204), (160, 120)]
    rows = [f"{x},{y},{2 * x},{2 * y}" for x, y in marked]
    (place / "points.csv").write_text("\n".join(["thermal_x,thermal_y,rgb_x,rgb_y", *rows]) + "\n")
