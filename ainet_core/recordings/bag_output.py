"""Answers as a rosbag2 recording: what the node would have published, at the original stamps."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Literal

from rosbags.rosbag2 import StoragePlugin, Writer

from ainet_core.imaging.answer_picture import answer_picture
from ainet_core.imaging.compressed import jpeg
from ainet_core.recordings import types
from ainet_core.recordings.follow import Answer
from ainet_core.recordings.outputs import Output
from ainet_core.recordings.records import COMPRESSED, DETECTIONS

VERSION: Literal[8] = 8  # of the metadata: Humble reads it, Jazzy too
PLUGINS = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
TOPICS = {
    "/ainet/bbox": DETECTIONS,
    "/ainet/status": types.STATUS,
    "/ainet/debug_image/compressed": COMPRESSED,
}
_PICTURE_WIDTH = 640  # the node's debug_image_width
_LEVELS = {"error": 2, "lost": 1}


class BagOutput(Output):
    """Writes TOPICS. Each message is recorded at the time at which its pair was.

    Args:
        path: folder to be made; must not exist.
        storage: "mcap" or "sqlite3".
        class_id: class name in the detections.
    """

    def __init__(self, path: Path, storage: str, class_id: str) -> None:
        if path.exists():
            raise ValueError(f"{path} exists already: name another output")
        self.written = (path,)
        self._storage, self._class_id = PLUGINS[storage], class_id
        self._writer: Writer | None = None
        self._known: dict[str, Any] = {}

    def write(self, answer: Answer) -> None:
        moment = answer.moment
        top = types.header(moment.stamp, moment.frame_id)
        self._put(
            "/ainet/bbox",
            moment.time,
            types.detections(top, self._class_id, answer.box, answer.score, answer.target_id),
        )
        self._put("/ainet/status", moment.time, _status(answer))
        if answer.cameras == "none":
            return
        words = answer.state, f"{answer.score:.2f}"
        picture = answer_picture(
            moment.rgb, moment.thermal, answer.box, answer.box_size, words, _PICTURE_WIDTH
        )
        image = types.jpeg_image(top, jpeg(picture))
        self._put("/ainet/debug_image/compressed", moment.time, image)

    def _put(self, topic: str, time: int, data: bytes) -> None:
        if self._writer is None:
            self._writer = self._open()
        try:
            self._writer.write(self._known[topic], time, data)
        except sqlite3.Error as error:  # a full disk
            raise OSError(f"cannot write {self.written[0]}: {error}") from None

    def _open(self) -> Writer:
        writer = Writer(self.written[0], version=VERSION, storage_plugin=self._storage)
        writer.open()
        for topic, kind in TOPICS.items():
            self._known[topic] = writer.add_connection(topic, kind, typestore=types.typestore())
        return writer

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _status(answer: Answer) -> bytes:
    """What ~/status says of one pair, under the same keys, and the pair's stamp."""
    values = {
        "state": answer.state,
        "score": f"{answer.score:.3f}",
        "id": answer.target_id,
        "order": ",".join(map(str, answer.order)),
        "cameras": answer.cameras,
        "trouble": answer.trouble,
        "stamp": f"{answer.moment.stamp // 10**9}.{answer.moment.stamp % 10**9:09d}",
    }
    level = _LEVELS.get(answer.state, 1 if answer.trouble else 0)
    told = f"{answer.state}: {answer.trouble}" if answer.trouble else answer.state
    return types.status("/ainet", level, told, values)
