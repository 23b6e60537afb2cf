"""Small recordings, written as ROS 2 writes them: what the tests read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from ainet_core.recordings import types
from ainet_core.recordings.records import COMPRESSED, DETECTIONS, IMAGE

RGB, THERMAL = "/camera/image_raw", "/thermal/image_raw"
START = 1_700_000_000_000_000_000  # ns
STEP = 33_333_333
PLUGINS = {"sqlite3": StoragePlugin.SQLITE3, "mcap": StoragePlugin.MCAP}


class Sent(NamedTuple):
    """One message to be recorded."""

    topic: str
    type: str
    time: int
    data: bytes


def image(pixels: np.ndarray, encoding: str, stamp: int, frame: str = "mast") -> bytes:
    """An Image of (H, W) or (H, W, C) pixels."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).reshape(-1).view(np.uint8)
    return types.written(
        types.make(
            IMAGE, header=types.header(stamp, frame), height=height, width=width,
            encoding=encoding, is_bigendian=0, step=data.size // height, data=data,
        ),
        IMAGE,
    )  # fmt: skip


def compressed(pixels: np.ndarray, ending: str, text: str, stamp: int) -> bytes:
    """A CompressedImage; (H, W, 3) pixels are RGB."""
    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(ending, stored)
    top = types.header(stamp, "mast")
    return types.written(types.make(COMPRESSED, header=top, format=text, data=data), COMPRESSED)


def colour(number: int) -> np.ndarray:
    """(24, 32, 3): noise that a camera would see, with a bright square that walks."""
    pixels = np.random.default_rng(number).integers(40, 90, (24, 32, 3)).astype(np.uint8)
    pixels[8:14, 4 + number % 16 : 10 + number % 16] = 230
    return pixels


def warm(number: int) -> np.ndarray:
    """(12, 16) uint16."""
    return (colour(number)[::2, ::2, 0].astype(np.uint16) + 20) * 256


def pairs(count: int, start: int = START) -> list[Sent]:
    """rgb8 and mono16 images of the same stamps, recorded 5 ms later."""
    sent = []
    for number in range(count):
        stamp = start + number * STEP
        sent.append(Sent(RGB, IMAGE, stamp + 5_000_000, image(colour(number), "rgb8", stamp)))
        thermal = image(warm(number), "mono16", stamp + 1_000_000, "mast/thermal")
        sent.append(Sent(THERMAL, IMAGE, stamp + 6_000_000, thermal))
    return sent


def detection(box: tuple[float, ...], stamp: int, class_id: str = "drone", score: float = 0.9):
    """A detector's message with one box."""
    data = types.detections(types.header(stamp, "mast"), class_id, box, score, 0)
    return Sent("/detector/boxes", DETECTIONS, stamp + 50_000_000, data)


def write(
    path: Path,
    sent: Iterable[Sent],
    storage: str = "sqlite3",
    topics: Any = (),
    packed: CompressionMode = CompressionMode.NONE,
) -> Path:
    """A whole recording; `topics`: (name, type) of such without a message."""
    made = Writer(path, version=8, storage_plugin=PLUGINS[storage])
    made.set_compression(packed, CompressionFormat.ZSTD)
    with made as writer:
        known: dict[str, Any] = {}
        for name, kind in topics:
            known[name] = writer.add_connection(name, kind, typestore=types.typestore())
        for each in sent:
            if each.topic not in known:
                known[each.topic] = writer.add_connection(
                    each.topic, each.type, typestore=types.typestore()
                )
            writer.write(known[each.topic], each.time, each.data)
    return path


def file_of(path: Path) -> Path:
    """The one storage file of a recording."""
    (file,) = [each for each in path.iterdir() if each.suffix in (".mcap", ".db3")]
    return file


def cut(path: Path, share: float = 0.5, keep_metadata: bool = False) -> Path:
    """What a crash leaves: a part of the file, and no metadata.yaml."""
    file = file_of(path)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    if not keep_metadata:
        (path / "metadata.yaml").unlink()
    return path
