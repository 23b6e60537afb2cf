"""`ainet sample`: a few seconds, byte for byte."""

from __future__ import annotations

from pathlib import Path

import bag_maker
import pytest
from bag_maker import START, STEP, THERMAL, Sent
from rosbags.rosbag2 import Reader

from ainet_core.cli import main
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.records import IMAGE, header_stamp

CUSTOM = "my_msgs/msg/Pulse"


def long_bag(path: Path, storage: str = "sqlite3") -> Path:
    """3 s of pairs, a detection, and a type that only this robot has."""
    sent = [*bag_maker.pairs(90), bag_maker.detection((1, 2, 3, 4), START + 45 * STEP)]
    bag_maker.write(path, sorted(sent, key=lambda each: each.time), storage)
    return path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--around", "9"], r"no message around 9.000: it goes from stamp 1700000000.000 to"),
        (["--around", "noon"], "a stamp must be seconds"),
        (["--around", "+1", "--seconds", "0"], "--seconds must be > 0, got 0"),
    ],
)
def test_refusals_are_one_line(tmp_path, capsys, arguments, sentence):
    path = long_bag(tmp_path / "bag")
    assert main(["sample", str(path), *arguments, "--output", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ainet sample: ")
    assert sentence in line
    assert not (tmp_path / "out").exists()


def test_a_folder_that_exists_is_not_overwritten(tmp_path, capsys):
    path = long_bag(tmp_path / "bag")
    assert main(["sample", str(path), "--around", "+1", "--output", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
@pytest.mark.parametrize("around", ["+1.5", "1700000001.5"])
def test_all_topics_are_copied_byte_for_byte(tmp_path, storage, around):
    path, output = long_bag(tmp_path / "bag", storage), tmp_path / "small"
    assert main(["sample", str(path), "--around", around, "--seconds", "1",
                 "--output", str(output)]) == 0  # fmt: skip
    middle = START + 1_505_000_000  # recorded 5 ms after its stamp
    expected = [
        each for each in Bag(path).records() if abs(each.time - middle) <= 500_000_000
    ]
    small = Bag(output)
    assert list(small.records()) == expected
    assert len(expected) > 55
    assert (small.storage, small.notes) == (storage, [])
    with Reader(path) as before, Reader(output) as after:
        both = (sorted(each.connections, key=lambda c: c.topic) for each in (before, after))
        for old, new in zip(*both, strict=True):
            assert (old.topic, old.msgtype, old.msgdef) == (new.topic, new.msgtype, new.msgdef)
            assert new.digest in (old.digest, "") or not old.digest


def test_the_stamp_is_the_images_where_the_recorder_has_another_clock(tmp_path):
    sent = [
        Sent(each.topic, IMAGE, each.time - START + 5_000_000_000, each.data)
        for each in bag_maker.pairs(90)
    ]
    path = bag_maker.write(tmp_path / "bag", sent)
    assert main(["sample", str(path), "--around", "1700000002", "--seconds", "0.2",
                 "--output", str(tmp_path / "out")]) == 0  # fmt: skip
    stamps = [header_stamp(record.data) for record in Bag(tmp_path / "out").records([THERMAL])]
    assert min(stamps) == pytest.approx(START + 1_900_000_000, abs=STEP)
    assert max(stamps) == pytest.approx(START + 2_100_000_000, abs=STEP)


def test_a_recording_cut_off_gives_a_whole_sample(tmp_path, capsys):
    path = bag_maker.cut(long_bag(tmp_path / "bag", "mcap"), 1.0)
    file = bag_maker.file_of(path)
    file.write_bytes(file.read_bytes()[:-5])
    assert main(["sample", str(path), "--around", "+1", "--output", str(tmp_path / "out")]) == 0
    assert "bag.mcap has no index: its 181 whole messages" in capsys.readouterr().err
    small = Bag(tmp_path / "out")
    assert small.notes == []
    assert len(list(small.records())) == 181


def test_types_that_ros_does_not_have_keep_their_definition(tmp_path):
    from rosbags.rosbag2 import Writer

    with Writer(tmp_path / "bag", version=8) as writer:
        hash_of = "RIHS01_" + 64 * "a"
        pulse = writer.add_connection("/pulse", CUSTOM, msgdef="float64 rate\n", rihs01=hash_of)
        nameless = writer.add_connection("/secret", "other_msgs/msg/Secret", msgdef="",
                                         rihs01=hash_of)  # fmt: skip
        for number in range(5):
            writer.write(pulse, START + number, bytes(12))
            writer.write(nameless, START + number, b"anything")
    assert main(["sample", str(tmp_path / "bag"), "--around", "1700000000", "--output",
                 str(tmp_path / "out")]) == 0  # fmt: skip
    with Reader(tmp_path / "out") as reader:
        kept = {each.topic: (each.msgtype, each.msgdef.data) for each in reader.connections}
        assert kept["/pulse"] == (CUSTOM, "float64 rate\n")
        assert kept["/secret"] == ("other_msgs/msg/Secret", "")
        assert len(list(reader.messages())) == 10
