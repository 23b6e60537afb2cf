"""A rosbag2 recording, read without ROS: as far as it can be read, and what is wrong with it said.

A whole recording is read by `rosbags`, with its index. One that was cut off (no metadata.yaml, no
index, half a file) is read file by file, and a broken file record by record, see `cut_files`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Reader

from ainet_core.recordings.cut_files import CutDatabase, CutMcap, has_index
from ainet_core.recordings.records import Part, Record, Topic, is_bag

STORAGES = {".mcap": "mcap", ".db3": "sqlite3"}


class Bag:
    """Topics, and messages in the order in which they were recorded.

    Attributes:
        path: the folder, or one file of it.
        storage: "mcap" or "sqlite3".
        topics: by name; numbers of messages are of what the index says, or of what can be read.
        notes: sentences about what is missing or broken; grows while messages are read.

    Raises:
        ValueError: no recording, or nothing in it can be read; says why.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.notes: list[str] = []
        self._broken: set[Path] = set()  # files whose break was noted
        if not is_bag(self.path):
            raise ValueError(
                f"{self.path} must be a rosbag2 folder or a .mcap or .db3 file, got none"
            )
        self.storage = _storage(self.path)
        self._parts = self._open()
        if not self._parts:
            raise ValueError(f"nothing in {self.path} can be read: {'; '.join(self.notes)}")
        self.topics: dict[str, Topic] = {}
        for part in self._parts:
            for topic in part.topics.values():
                known = self.topics.get(topic.name)
                messages = topic.messages + (known.messages if known else 0)
                self.topics[topic.name] = (known or topic)._replace(messages=messages)

    def records(
        self, topics: Collection[str] = (), start: int | None = None, stop: int | None = None
    ) -> Iterator[Record]:
        """Messages of some topics (none: of all) recorded at start <= time < stop, in ns.

        Where a file turns out to be broken they go on with the next one, and a note is made.
        """
        wanted = set(topics) or set(self.topics)
        for part in self._parts:
            count, last = 0, 0
            try:
                for record in part.records(wanted & set(part.topics), start, stop):
                    count, last = count + 1, record.time
                    yield record
            except Exception as error:  # rosbags, SQLite and zstd fail in many ways on broken data
                if part.path not in self._broken:
                    self._broken.add(part.path)
                    self.note(
                        f"{part.path.name} breaks off after {count} messages"
                        f"{f', at {last / 1e9:.3f} s' if count else ''}: {_told(error)}"
                    )

    def first(self, topic: str) -> Record | None:
        """The first message of a topic; None: it has none."""
        return next(self.records([topic]), None)

    def note(self, sentence: str) -> None:
        """Keep a sentence about the recording, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _open(self) -> list[Part]:
        trouble = ""
        if self.path.is_dir() and not (self.path / "metadata.yaml").is_file():
            self.note("metadata.yaml is missing: the recording was not ended; its files are read")
        elif all(_by_index(file) for file in _files(self.path)):
            try:
                return [Indexed(self.path)]
            except Exception as error:  # see records
                trouble = f"metadata.yaml and the files do not fit: {_told(error)}"
        parts = [part for file in _files(self.path) if (part := self._open_file(file))]
        if trouble and not self.notes:
            self.note(trouble)
        return parts

    def _open_file(self, path: Path) -> Part | None:
        """The file by its index, else what is whole in it; None: nothing is."""
        if path.stat().st_size == 0:
            self.note(f"{path.name} is empty (0 bytes)")
            return None
        if _by_index(path):
            try:
                return Indexed(path)
            except Exception:  # see records; what is wrong is said by what reads it now
                pass
        try:
            cut = CutMcap(path) if path.suffix == ".mcap" else CutDatabase(path)
        except ValueError as error:
            self.note(str(error))
            return None
        for sentence in cut.notes:
            self.note(sentence)
        return cut


class Indexed:
    """What `rosbags` reads: a folder with metadata.yaml, or one whole file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = Reader(path)
        self._reader.open()
        self.topics: dict[str, Topic] = {}
        for known in self._reader.connections:
            before = self.topics[known.topic].messages if known.topic in self.topics else 0
            qos: tuple[Any, ...] = tuple(getattr(known.ext, "offered_qos_profiles", ()))
            self.topics[known.topic] = Topic(
                known.topic, known.msgtype, before + known.msgcount, known.msgdef.data, qos
            )

    def records(
        self, topics: Collection[str], start: int | None, stop: int | None
    ) -> Iterator[Record]:
        chosen = [known for known in self._reader.connections if known.topic in topics]
        if not chosen:  # rosbags would take none for all
            return
        for known, time, data in self._reader.messages(chosen, start, stop):
            yield Record(known.topic, time, data)


def _files(path: Path) -> list[Path]:
    """The storage files of a recording, in the order of the numbers in their names."""
    if path.is_file():
        return [path]
    files = [file for file in path.iterdir() if file.suffix in STORAGES]
    return sorted(files, key=lambda file: [int(n) for n in re.findall(r"\d+", file.stem)])


def _storage(path: Path) -> str:
    files = _files(path)
    return STORAGES[files[0].suffix] if files else "mcap"


def _by_index(path: Path) -> bool:
    """`rosbags` can be asked: it needs MCAP's index, and does not see SQLite's journal.

    The journal lies beside the file and holds messages that a crash kept out of it.
    """
    if path.suffix == ".mcap":
        return has_index(path)
    journal = path.with_name(f"{path.name}-wal")
    return not (journal.is_file() and journal.stat().st_size > 0)


def _told(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
