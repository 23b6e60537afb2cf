"""Files of a recording that a crash, a full disk or a broken copy cut off: what is whole in them.

MCAP (mcap.dev/spec) is a row of records, so everything before the cut can be read; its messages
mostly lie in chunks, and a chunk that is damaged is left out. SQLite's pages can be read up to the
first one that is missing.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import sys
from binascii import crc32
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import lz4.frame

from ainet_core.recordings.records import Record, Topic

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = b"\x89MCAP0\r\n"
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 3, 4, 5, 6, 15
_FOOTER_SIZE, _ZSTD = 37, b"\x28\xb5\x2f\xfd"
_UNPACK = {"": bytes, "lz4": lz4.frame.decompress, "zstd": zstd.decompress}


class CutMcap:
    """The whole records of an MCAP file, found by walking through it once.

    Raises:
        ValueError: it does not begin as an MCAP file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, []
        self.topics: dict[str, Topic] = {}
        self._schemas: dict[int, tuple[str, str]] = {}  # type, definition
        self._channels: dict[int, str] = {}
        self._damaged, self._ended = 0, False
        count, last = 0, 0
        for record in self.records((), None, None, everything=True):
            topic = self.topics[record.topic]
            self.topics[record.topic] = topic._replace(messages=topic.messages + 1)
            count, last = count + 1, max(last, record.time)
        until = f", until {last / 1e9:.3f} s" if count else ""
        why = "has no index" if self._ended else "was cut off"
        self.notes.append(f"{path.name} {why}: its {count} whole messages are read{until}")
        if self._damaged:
            self.notes.append(f"{path.name}: {self._damaged} damaged chunks are left out")

    def records(
        self,
        topics: Collection[str],
        start: int | None,
        stop: int | None,
        everything: bool = False,
    ) -> Iterator[Record]:
        self._damaged = 0
        with self.path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ValueError(f"{self.path.name} does not begin as an MCAP file")
            for kind, body in _whole_records(file, self.path.stat().st_size):
                self._ended = kind == _DATA_END
                inner = self._chunk(body) if kind == _CHUNK else [(kind, body)]
                found = [record for each in inner if (record := self._take(*each))]
                for record in sorted(found, key=lambda record: record.time):
                    wanted = everything or record.topic in topics
                    if wanted and (start or 0) <= record.time < (stop or sys.maxsize):
                        yield record

    def _take(self, kind: int, body: bytes) -> Record | None:
        """Keep what a record says; a message comes back."""
        if kind == _SCHEMA:
            (number,) = struct.unpack_from("<H", body)
            name, rest = _text(body[2:])
            _, rest = _text(rest)
            self._schemas[number] = name, _text(rest)[0]
        elif kind == _CHANNEL:
            number, schema = struct.unpack_from("<HH", body)
            topic, _ = _text(body[4:])
            self._channels[number] = topic
            self.topics.setdefault(topic, Topic(topic, *self._type(schema)))
        elif kind == _MESSAGE:
            channel, _, time, _ = struct.unpack_from("<HIQQ", body)
            if channel in self._channels:
                return Record(self._channels[channel], time, _plain(body[22:]))
        return None

    def _type(self, schema: int) -> tuple[str, int, str]:
        name, definition = self._schemas.get(schema, ("unknown", ""))
        return name, 0, definition

    def _chunk(self, body: bytes) -> list[tuple[int, bytes]]:
        """The records of a chunk; none when it is damaged."""
        try:
            _, _, size, checksum = struct.unpack_from("<QQQI", body)
            packing, rest = _text(body[28:])
            data = _UNPACK[packing](rest[8:])
        except (struct.error, KeyError, RuntimeError, ValueError, zstd.ZstdError):
            self._damaged += 1
            return []
        if len(data) != size or (checksum and crc32(data) != checksum):
            self._damaged += 1
            return []
        return list(_records_of(data))


def has_index(path: Path) -> bool:
    """An MCAP file ends with the place of its index; a recorder may leave that out (fastwrite)."""
    if path.stat().st_size < _FOOTER_SIZE:
        return False
    with path.open("rb") as file:
        file.seek(-_FOOTER_SIZE, os.SEEK_END)
        data = file.read()
    return data.endswith(_MAGIC) and data[9:17] != bytes(8)


def _plain(data: bytes) -> bytes:
    """A message as CDR, which never begins as zstd does: recordings may pack every message."""
    return zstd.decompress(data) if data[:4] == _ZSTD else data


def _whole_records(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """(kind, body) of each record up to the end of the data, or up to the cut."""
    while len(head := file.read(9)) == 9:
        kind, length = struct.unpack("<BQ", head)
        if length > size - file.tell():
            return
        yield kind, file.read(length)
        if kind == _DATA_END:
            return


def _records_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 9 <= len(data):
        kind, length = struct.unpack_from("<BQ", data, at)
        yield kind, data[at + 9 : at + 9 + length]
        at += 9 + length


def _text(data: bytes) -> tuple[str, bytes]:
    """A string that its length precedes, and what comes after it."""
    (length,) = struct.unpack_from("<I", data)
    return data[4 : 4 + length].decode(errors="replace"), data[4 + length :]


class CutDatabase:
    """The messages of an SQLite file, in the order of their numbers, up to the first broken page.

    Raises:
        ValueError: its tables cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes = [f"{path.name} was not closed, or is damaged: read message by message"]
        self.topics: dict[str, Topic] = {}
        self._names: dict[int, str] = {}
        self._file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            # Otherwise a file that is shorter than its first page says is not opened at all.
            self._file.execute("PRAGMA writable_schema=ON")
            for number, name, kind in self._file.execute("SELECT id, name, type FROM topics"):
                self._names[number] = name
                self.topics[name] = Topic(name, kind, 0)
        except sqlite3.Error as error:
            raise ValueError(f"{path.name} cannot be read: {error}") from None
        self._count()

    def _count(self) -> None:
        try:
            for (number,) in self._file.execute(
                "SELECT topic_id FROM messages NOT INDEXED ORDER BY id"
            ):
                topic = self.topics[self._names[number]]
                self.topics[topic.name] = topic._replace(messages=topic.messages + 1)
        except sqlite3.Error:
            return  # what can be counted; who reads the messages meets the break, and says it

    def records(
        self, topics: Collection[str], start: int | None, stop: int | None
    ) -> Iterator[Record]:
        numbers = [number for number, name in self._names.items() if name in topics]
        marks = ",".join("?" * len(numbers))
        query = (
            f"SELECT topic_id, timestamp, data FROM messages NOT INDEXED "
            f"WHERE topic_id IN ({marks}) AND timestamp >= ? AND timestamp < ? ORDER BY id"
        )
        limits = (start or 0, sys.maxsize if stop is None else stop)
        for number, time, data in self._file.execute(query, (*numbers, *limits)):
            yield Record(self._names[number], time, _plain(data))
