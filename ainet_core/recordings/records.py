"""What a recording consists of; needs no `rosbags`."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
DETECTIONS = "vision_msgs/msg/Detection2DArray"
_ENDINGS = (".mcap", ".db3")


class Topic(NamedTuple):
    """A topic: its type, how many messages there are, the type's definition if it was kept."""

    name: str
    type: str
    messages: int
    definition: str = ""
    qos: tuple[Any, ...] = ()


class Record(NamedTuple):
    """One message as it was recorded: when (ns since 1970), and its CDR bytes."""

    topic: str
    time: int
    data: bytes


class Part(Protocol):
    """Something that holds records: a whole recording, or one of its files."""

    path: Path
    topics: dict[str, Topic]

    def records(
        self, topics: Collection[str], start: int | None, stop: int | None
    ) -> Iterator[Record]: ...


def is_bag(path: Path) -> bool:
    """A rosbag2 folder, whole or not, or a storage file of one."""
    if path.is_dir():
        return any(f.suffix in _ENDINGS or f.name == "metadata.yaml" for f in path.iterdir())
    return path.is_file() and path.suffix in _ENDINGS


def header_stamp(data: bytes) -> int:
    """The stamp (ns) of a CDR message that begins with a header, without reading the rest.

    Raises:
        ValueError: so few bytes hold no header.
    """
    if len(data) < 12:
        raise ValueError(f"a message of {len(data)} bytes has no header")
    # Byte 1 says in which order the bytes are; the header's stamp comes after four of these.
    second, nanosecond = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(second) * 1_000_000_000 + int(nanosecond)
