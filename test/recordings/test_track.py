"""`ainet track` over recordings, without a network: refusals, then what is written."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import bag_maker
import cv2
import numpy as np
import pytest
from bag_maker import RGB, START, STEP, THERMAL, Sent
from walking_tracker import run

from ainet_core.cli import main
from ainet_core.data.boxes import read_boxes
from ainet_core.data.readers import open_sequence
from ainet_core.recordings import types
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.records import COMPRESSED, DETECTIONS, IMAGE, header_stamp

BOX = ["--box", "4,8,6,6"]


@pytest.fixture(name="bag")
def _bag(tmp_path: Path) -> Path:
    return bag_maker.write(tmp_path / "bag", bag_maker.pairs(6))


def rows(path: Path) -> list[dict[str, str]]:
    with (path / "boxes.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def answers(path: Path) -> list:
    records = Bag(path / "bag").records(["/ainet/bbox"])
    return [types.read(record.data, DETECTIONS) for record in records]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "where is the target? Say one of --box X,Y,W,H, --select, --detections-topic TOPIC"),
        ([*BOX, "--detections-topic", "/x"], "got --box X,Y,W,H and --detections-topic TOPIC"),
        ([*BOX, "--select"], "got --box X,Y,W,H and --select"),
        (["--box", "400,8,6,6"], "must overlap the 32x24 image"),
        ([*BOX, "--at", "soon"], "a stamp must be seconds like 1718000000.25, or +12.5"),
        ([*BOX, "--at", "+9"], "--at must be at most 1700000000.167, the last pair's stamp, or"),
        ([*BOX, "--rgb-topic", "/nowhere"], "/nowhere must be a topic with images"),
        ([*BOX, "--rgb", "a.mp4"], "or --rgb and --thermal, not both"),
        ([*BOX, "--slop", "-1"], "slop must be >= 0 seconds, got -1"),
        (["--detections-topic", "/x"], "/x must be a topic of vision_msgs"),
    ],
)  # fmt: skip
def test_refusals_are_one_line(bag, tmp_path, capsys, arguments, sentence):
    output = tmp_path / "out"
    assert main(["track", str(bag), *arguments, "--output", str(output), "--device", "cpu"]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "ainet track: " in line]
    assert sentence in line
    assert not output.exists()


def test_without_rosbags_one_line_says_what_to_install(bag, tmp_path, capsys, monkeypatch):
    for name in list(sys.modules):
        if name.startswith(("rosbags", "ainet_core.recordings")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rosbags", None)
    monkeypatch.setitem(sys.modules, "rosbags.rosbag2", None)
    for command in (["track", str(bag), *BOX], ["sample", str(bag), "--around", "+0"]):
        assert main([*command, "--output", str(tmp_path / "out")]) == 2
        assert "pip install 'ainet_ros[recordings]'" in capsys.readouterr().err


def test_outputs_that_exist_are_not_overwritten(bag, tmp_path):
    run(bag, *BOX, "--output", tmp_path / "out")
    with pytest.raises(ValueError, match=r"out/bag exists already: name another output"):
        run(bag, *BOX, "--output", tmp_path / "out")
    with pytest.raises(ValueError, match="exists already: name another folder for --export"):
        run(bag, *BOX, "--output", tmp_path / "out2", "--export", tmp_path / "out")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ([], "no images"),
        ([Sent(RGB, IMAGE, START, b""), Sent(RGB, IMAGE, START + 1, b"")], "no images"),
    ],
)
def test_a_recording_without_a_readable_image_is_refused(tmp_path, sent, sentence):
    path = bag_maker.write(tmp_path / "empty", sent, topics=[("/other", IMAGE)])
    with pytest.raises(ValueError, match=sentence):
        run(path, *BOX, "--output", tmp_path / "out")


def test_why_no_image_can_be_read_is_said_even_then(tmp_path, capsys):
    path = bag_maker.write(tmp_path / "empty", [Sent(RGB, IMAGE, START, b"")])
    with pytest.raises(ValueError, match="no images"):
        run(path, *BOX, "--output", tmp_path / "out")
    assert "0 bytes are no sensor_msgs/msg/Image" in capsys.readouterr().err


def test_detections_of_other_times_are_refused(tmp_path):
    sent = [*bag_maker.pairs(3), bag_maker.detection((1, 2, 3, 4), START + 40 * STEP)]
    path = bag_maker.write(tmp_path / "bag", sent)
    with pytest.raises(ValueError, match="no box in any of 3 pairs: no detection fits"):
        run(path, "--detections-topic", "/detector/boxes", "--class-id", "drone",
            "--output", tmp_path / "out.mp4")  # fmt: skip


def test_stamps_that_never_meet_are_refused_with_how_far_they_are_apart(tmp_path):
    late = [
        each if each.topic == RGB else Sent(THERMAL, IMAGE, each.time, moved(each, 500_000_000))
        for each in bag_maker.pairs(4)
    ]
    path = bag_maker.write(tmp_path / "late", late)
    with pytest.raises(ValueError, match=r"the nearest stamps are 0.4\d\d s apart \(of 4 and 4\)"):
        run(path, *BOX, "--output", tmp_path / "out")


def moved(sent: Sent, by: int) -> bytes:
    """The image under a later stamp."""
    image = types.read(sent.data, IMAGE)
    image.header = types.header(header_stamp(sent.data) + by, image.header.frame_id)
    return types.written(image, IMAGE)


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_a_bag_a_table_and_a_video_are_written(tmp_path, capsys, storage):
    path = bag_maker.write(tmp_path / "bag", bag_maker.pairs(6), storage)
    output = tmp_path / "out"
    assert run(path, *BOX, "--class-id", "drone", "--output", output) == [
        output / "boxes.csv", output / "track.mp4", output / "bag",
    ]  # fmt: skip
    said = capsys.readouterr().err
    assert (
        "RGB /camera/image_raw (rgb8): 6 images at 30.0 Hz; thermal /thermal/image_raw (mono16): "
        "6 images at 30.0 Hz; 6 pairs in 0.2 s (approximate)" in said
    )
    table = rows(output)
    assert [row["stamp"] for row in table] == [
        f"1700000000.{number * STEP:09d}" for number in range(6)
    ]
    assert [float(row["x"]) for row in table] == [4, 5, 6, 7, 8, 9]
    assert {row["state"] for row in table} == {"tracking"}
    assert [row["score"] for row in table] == ["1.0000"] + ["0.8000"] * 5
    video = cv2.VideoCapture(str(output / "track.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(30, abs=0.1)

    written = Bag(output / "bag")
    assert (written.storage, written.notes) == (storage, [])
    assert {name: topic.messages for name, topic in written.topics.items()} == {
        "/ainet/bbox": 6, "/ainet/status": 6, "/ainet/debug_image/compressed": 6,
    }  # fmt: skip
    for number, record in enumerate(written.records(["/ainet/bbox"])):
        assert record.time == START + number * STEP + 6_000_000  # when the pair was complete
        assert header_stamp(record.data) == START + number * STEP
        message = types.read(record.data, DETECTIONS)
        assert message.header.frame_id == "mast"
        (found,) = message.detections
        assert types.best_box(message, "drone", 0.5) == (4.0 + number, 8.0, 6.0, 6.0)
        assert (found.id, found.header) == ("1", message.header)
    status = types.read(next(written.records(["/ainet/status"])).data, types.STATUS)
    values = {pair.key: pair.value for pair in status.values}
    assert values["state"] == status.message == "tracking"
    assert values["stamp"] == "1700000000.000000000"
    picture = written.first("/ainet/debug_image/compressed")
    assert types.read(picture.data, COMPRESSED).format == "rgb8; jpeg compressed bgr8"


def test_a_lost_target_is_an_empty_array_and_no_box(tmp_path):
    sent = bag_maker.pairs(5)
    for number in (4, 6):  # RGB images of the third and fourth pair
        dark = bag_maker.colour(0) * 0
        stamp = header_stamp(sent[number].data)
        sent[number] = Sent(RGB, IMAGE, sent[number].time, bag_maker.image(dark, "rgb8", stamp))
    run(bag_maker.write(tmp_path / "bag", sent), *BOX, "--output", tmp_path / "out")
    assert [row["state"] for row in rows(tmp_path / "out")] == [
        "tracking", "tracking", "lost", "lost", "tracking",
    ]  # fmt: skip
    assert rows(tmp_path / "out")[2]["x"] == ""
    assert [len(message.detections) for message in answers(tmp_path / "out")] == [1, 1, 0, 0, 1]


@pytest.mark.parametrize("at", ["+0.06", "1700000000.06"])
def test_a_box_acts_on_the_first_pair_from_at_on(bag, tmp_path, at):
    run(bag, *BOX, "--at", at, "--output", tmp_path / "out")
    states = [row["state"] for row in rows(tmp_path / "out")]
    assert states == ["no target"] * 2 + ["tracking"] * 4


def test_a_detector_starts_the_target_and_finds_it_again_when_lost(tmp_path, capsys):
    sent = bag_maker.pairs(6)
    dark = bag_maker.image(bag_maker.colour(0) * 0, "rgb8", START + 3 * STEP)
    sent[6] = Sent(RGB, IMAGE, sent[6].time, dark)
    boxes = {1: (4, 8, 6, 6), 2: (20, 8, 6, 6), 4: (9, 3, 5, 5)}
    sent += [bag_maker.detection(box, START + n * STEP) for n, box in boxes.items()]
    path = bag_maker.write(tmp_path / "bag", sorted(sent, key=lambda each: each.time))
    options = [path, "--detections-topic", "/detector/boxes", "--output", tmp_path / "out"]
    with pytest.raises(ValueError, match=r"no detection of class 'target' .*drone \(up to 0.90\)"):
        run(*options)
    run(*options, "--class-id", "drone")
    table = rows(tmp_path / "out")
    assert [row["state"] for row in table] == [
        "no target", "tracking", "tracking", "lost", "tracking", "tracking",
    ]  # fmt: skip
    assert [row["x"] for row in table] == ["", "4.0000", "5.0000", "", "9.0000", "10.0000"]
    ids = [each.id for message in answers(tmp_path / "out") for each in message.detections]
    assert ids == ["1", "1", "2", "2"]


def test_broken_images_are_left_out_and_said(tmp_path, capsys):
    sent = bag_maker.pairs(6)
    image = types.read(sent[4].data, IMAGE)
    image.data = image.data[:0]  # a driver that sends headers without pixels
    sent[4] = Sent(RGB, IMAGE, sent[4].time, types.written(image, IMAGE))
    sent[8] = Sent(RGB, IMAGE, sent[8].time, b"")
    for number in (6, 7):
        image = types.read(sent[number].data, IMAGE)
        image.encoding = "nonsense"
        sent[number] = Sent(*sent[number][:3], types.written(image, IMAGE))
    run(bag_maker.write(tmp_path / "bag", sent), *BOX, "--output", tmp_path / "out")
    said = capsys.readouterr().err
    assert "1 of 5 pairs: RGB image refused: data has 0 bytes" in said
    assert "1 of 5 pairs: RGB image refused: encoding 'nonsense' cannot be read" in said
    assert "1 messages without any content are left out" in said
    assert [row["state"] for row in rows(tmp_path / "out")] == [
        "tracking", "tracking", "tracking", "error", "tracking",
    ]  # fmt: skip
    assert "a box in 4 of 5 pairs" in said


def test_stamps_that_jump_back_end_the_target(tmp_path, capsys):
    sent = bag_maker.pairs(4)
    sent += [
        Sent(each.topic, IMAGE, each.time + 4 * STEP, moved(each, -5_000_000_000)) for each in sent
    ]
    run(bag_maker.write(tmp_path / "bag", sent), *BOX, "--output", tmp_path / "out")
    assert "1 times the stamps went back: the target is forgotten there" in capsys.readouterr().err
    assert [row["state"] for row in rows(tmp_path / "out")] == ["tracking"] * 4 + ["no target"] * 4


def test_unequal_rates_are_told_with_what_takes_every_image(tmp_path, capsys):
    sent = bag_maker.pairs(30)
    slow = [each for i, each in enumerate(sent) if each.topic == RGB or i % 6 == 1]
    path = bag_maker.write(tmp_path / "bag", slow)
    run(path, *BOX, "--output", tmp_path / "out")
    said = capsys.readouterr().err
    assert "thermal /thermal/image_raw (mono16): 10 images at 10.0 Hz; 10 pairs" in said
    assert "20 of 30 RGB images found no thermal one; the rates differ: --pairing rgb_l" in said
    run(path, *BOX, "--pairing", "rgb_leads", "--output", tmp_path / "all")
    assert len(rows(tmp_path / "all")) == 29  # the first came before any thermal image


@pytest.mark.parametrize("camera", [RGB, THERMAL])
def test_one_camera_alone_is_tracked_and_said(tmp_path, capsys, camera):
    sent = [each for each in bag_maker.pairs(4) if each.topic == camera]
    run(bag_maker.write(tmp_path / "bag", sent), *BOX, "--output", tmp_path / "out",
        "--export", tmp_path / "frames")  # fmt: skip
    absent = "thermal" if camera == RGB else "RGB"
    assert f"no {absent} camera" in capsys.readouterr().err
    assert len(rows(tmp_path / "out")) == 4
    sequence = open_sequence(tmp_path / "frames")
    assert (sequence.rgb is None) == (camera == THERMAL)


def test_a_recording_cut_off_is_tracked_as_far_as_it_goes(tmp_path, capsys):
    path = bag_maker.cut(bag_maker.write(tmp_path / "bag", bag_maker.pairs(40), "mcap"), 1.0)
    file = bag_maker.file_of(path)
    file.write_bytes(file.read_bytes()[:-5])
    run(path, *BOX, "--output", tmp_path / "out")
    said = capsys.readouterr().err
    assert "metadata.yaml is missing" in said
    assert "bag.mcap has no index: its 80 whole messages are read" in said
    assert len(rows(tmp_path / "out")) == 40


def test_frames_are_exported_as_training_reads_them(bag, tmp_path):
    run(bag, *BOX, "--output", tmp_path / "out.mp4", "--export", tmp_path / "mine" / "one",
        "--export-every", 2)  # fmt: skip
    sequence = open_sequence(tmp_path / "mine" / "one")
    assert len(sequence) == 3
    assert np.array_equal(sequence.groundtruth[:, 0], [4, 6, 8])
    pairs = list(sequence.frames())
    assert np.array_equal(pairs[1].thermal, bag_maker.warm(2))  # 16 bits, as recorded
    assert pairs[1].rgb is not None
    assert np.abs(pairs[1].rgb.astype(int) - bag_maker.colour(2)).mean() < 12


def test_as_many_frames_are_exported_as_training_takes(tmp_path):
    path = bag_maker.write(tmp_path / "bag", bag_maker.pairs(81))
    run(path, *BOX, "--output", tmp_path / "out.mp4", "--export", tmp_path / "one")
    count = len(open_sequence(tmp_path / "one"))
    assert count == 41
    assert max(1, count // 40) == 1  # the step that training goes through them with


def test_a_file_as_output_is_a_video_with_boxes_beside_it(bag, tmp_path):
    video = tmp_path / "new" / "out.mp4"
    assert run(bag, *BOX, "--output", video) == [video, video.with_suffix(".txt")]
    assert np.array_equal(read_boxes(video.with_suffix(".txt"))[:, 0], [4, 5, 6, 7, 8, 9])


def test_a_folder_of_frames_is_a_recording(bag, tmp_path, capsys):
    run(bag, *BOX, "--output", tmp_path / "a.mp4", "--export", tmp_path / "frames")
    run(tmp_path / "frames", *BOX, "--output", tmp_path / "out")
    assert [row["stamp"] for row in rows(tmp_path / "out")][:2] == ["0.000000000", "0.033333333"]
    assert len(answers(tmp_path / "out")) == 6
    for arguments, sentence in (
        ([tmp_path / "frames", "--rgb-topic", "/x"], "--rgb-topic is for rosbag2 recordings"),
        ([tmp_path / "a.mp4"], "say which camera .*a.mp4 is: --rgb"),
        ([tmp_path / "nothing"], "no recording at .*nothing"),
    ):
        with pytest.raises(ValueError, match=sentence):
            run(*arguments, *BOX, "--output", tmp_path / "b.mp4")
