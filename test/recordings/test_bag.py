"""Recordings of every kind of health: what cannot be read is refused or said, the rest is read."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import bag_maker
import numpy as np
import pytest
from bag_maker import RGB, START, STEP, THERMAL
from rosbags.rosbag2 import CompressionMode

from ainet_core.recordings import types
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.records import IMAGE, header_stamp

STORAGES = ["sqlite3", "mcap"]


def large(count: int) -> list[bag_maker.Sent]:
    """Pairs of which a few fill an MCAP chunk."""
    rng = np.random.default_rng(3)
    sent = []
    for number in range(count):
        stamp = START + number * STEP
        for topic in (RGB, THERMAL):
            pixels = rng.integers(0, 256, (240, 320, 3)).astype(np.uint8)
            data = bag_maker.image(pixels, "rgb8", stamp)
            sent.append(bag_maker.Sent(topic, IMAGE, stamp, data))
    return sent


def read(bag: Bag) -> list[tuple[str, int]]:
    """Topic and stamp of every message, all of them whole."""
    found = []
    for record in bag.records():
        image = types.read(record.data, IMAGE)
        assert len(image.data) == image.step * image.height
        found.append((record.topic, header_stamp(record.data)))
    return found


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    for path in (tmp_path, tmp_path / "file.txt", tmp_path / "nothing"):
        with pytest.raises(ValueError, match="must be a rosbag2 folder or a .mcap or .db3 file"):
            Bag(path)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("keep_metadata", [False, True])
def test_a_file_of_no_bytes_is_refused(tmp_path: Path, storage: str, keep_metadata: bool) -> None:
    path = bag_maker.cut(
        bag_maker.write(tmp_path / "bag", large(1), storage), 0, keep_metadata
    )
    with pytest.raises(ValueError, match=r"nothing in .* can be read: .*is empty \(0 bytes\)"):
        Bag(path)


@pytest.mark.parametrize("name", ["bag.mcap", "bag.db3"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"neither the one nor the other" * 99)
    with pytest.raises(ValueError, match="does not begin as an MCAP|cannot be read: file is not"):
        Bag(tmp_path)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_whole_recording_is_read_in_order_and_by_time(tmp_path: Path, storage: str) -> None:
    sent = large(4)
    path = bag_maker.write(tmp_path / "bag", sent, storage)
    for place in (path, bag_maker.file_of(path)):
        bag = Bag(place)
        assert read(bag) == [(each.topic, each.time) for each in sent]
        assert {name: topic.messages for name, topic in bag.topics.items()} == {RGB: 4, THERMAL: 4}
        part = list(bag.records([THERMAL], START + STEP, START + 3 * STEP))
        assert [record.time for record in part] == [START + STEP, START + 2 * STEP]
        assert bag.notes == []
        assert bag.storage == storage


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("keep_metadata", [False, True])
def test_a_recording_cut_off_is_read_up_to_the_cut(
    tmp_path: Path, storage: str, keep_metadata: bool
) -> None:
    sent = large(20)
    path = bag_maker.cut(
        bag_maker.write(tmp_path / "bag", sent, storage), 0.5, keep_metadata
    )
    bag = Bag(path)
    whole = read(bag)
    assert 14 <= len(whole) <= 20
    assert whole == [(each.topic, each.time) for each in sent][: len(whole)]
    told = " ".join(bag.notes)
    assert ("metadata.yaml is missing" in told) != keep_metadata
    assert ("was cut off: its" if storage == "mcap" else "breaks off after") in told
    assert read(bag) == whole  # and again
    assert " ".join(bag.notes) == told


@pytest.mark.parametrize("storage", STORAGES)
def test_a_missing_index_alone_costs_nothing(tmp_path: Path, storage: str) -> None:
    sent = large(3)
    path = bag_maker.cut(bag_maker.write(tmp_path / "bag", sent, storage), 1.0)
    bag = Bag(path)
    assert len(read(bag)) == 6
    assert bag.notes == [
        "metadata.yaml is missing: the recording was not ended; its files are read"
    ]


def test_a_damaged_chunk_is_left_out_and_said(tmp_path: Path) -> None:
    packed = CompressionMode.STORAGE
    path = bag_maker.write(tmp_path / "bag", large(20), "mcap", packed=packed)
    file = bag_maker.file_of(bag_maker.cut(path, 0.9))
    data = bytearray(file.read_bytes())
    at, chunks = 8, []
    while at + 9 <= len(data):
        kind, length = struct.unpack_from("<BQ", data, at)
        chunks += [at + 9] if kind == 6 else []
        at += 9 + length
    data[chunks[3] + 16] ^= 1  # its size does not fit any more
    file.write_bytes(data)
    bag = Bag(path)
    assert 20 < len(read(bag)) < 36
    assert any("1 damaged chunks are left out" in note for note in bag.notes)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("keep_metadata", [False, True])
def test_messages_that_are_packed_one_by_one_are_read(
    tmp_path: Path, storage: str, keep_metadata: bool
) -> None:
    packed = CompressionMode.MESSAGE
    path = bag_maker.write(tmp_path / "bag", large(20), storage, packed=packed)
    assert len(read(Bag(path))) == 40
    bag = Bag(bag_maker.cut(path, 0.5, keep_metadata))
    assert 14 <= len(read(bag)) <= 20


def test_an_mcap_file_without_an_index_is_read_to_its_end(tmp_path: Path) -> None:
    """As rosbag2's preset fastwrite leaves it: a footer that points nowhere."""
    path = bag_maker.write(tmp_path / "bag", large(6), "mcap")
    file = bag_maker.file_of(path)
    data = file.read_bytes()
    file.write_bytes(data[:-28] + bytes(20) + data[-8:])
    bag = Bag(path)
    assert len(read(bag)) == 12
    assert [note for note in bag.notes if "has no index: its 12 whole messages" in note]


def test_messages_in_the_journal_of_a_killed_recorder_are_read(tmp_path: Path) -> None:
    path = bag_maker.write(tmp_path / "bag", large(3))
    file = bag_maker.file_of(path)
    open_one = sqlite3.connect(file)
    open_one.execute("PRAGMA journal_mode=WAL")
    open_one.execute(
        "INSERT INTO messages(topic_id, timestamp, data) SELECT topic_id, timestamp + 1, data "
        "FROM messages"
    )
    open_one.commit()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for suffix in ("", "-wal"):
        copy = file.with_name(f"{file.name}{suffix}")
        (crashed / copy.name).write_bytes(copy.read_bytes())
    open_one.close()
    assert len(read(Bag(crashed))) == 12


def test_several_files_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    sent = large(12)
    folder = tmp_path / "bag"
    folder.mkdir()
    for number in range(12):
        made = bag_maker.write(tmp_path / f"part{number}", sent[2 * number : 2 * number + 2])
        bag_maker.file_of(made).rename(folder / f"bag_{number}.db3")
    assert read(Bag(folder)) == [(each.topic, each.time) for each in sent]


def test_a_header_is_read_without_the_rest() -> None:
    with pytest.raises(ValueError, match="a message of 0 bytes has no header"):
        header_stamp(b"")
    assert header_stamp(bag_maker.image(bag_maker.colour(0), "rgb8", START + 7)) == START + 7


def test_bytes_that_are_no_message_are_one_sentence() -> None:
    for data in (b"", b"\x00\x01\x00\x00", bytes(30)):
        with pytest.raises(ValueError, match=f"{len(data)} bytes are no sensor_msgs/msg/Image"):
            types.read(data, IMAGE)
