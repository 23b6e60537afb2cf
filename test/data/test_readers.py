"""Folders, pairs of videos and benchmark lists."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data import open_sequence, open_videos, read_benchmark, write_boxes
from ainet_core.data.folder import ImageFolder
from ainet_core.data.video import VideoFile

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
HEADER = "name,group,rgb,thermal,groundtruth,first_frame,last_frame\n"


def make_video(path: Path, count: int, rate: float = 25.0) -> Path:
    """Frame i is red of brightness 8 * i: order, colour order and count can be read off."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, (64, 48))
    for index in range(count):
        writer.write(np.full((48, 64, 3), (0, 0, 8 * index), np.uint8))
    writer.release()
    return path


def make_images(path: Path, count: int, dtype: type = np.uint8) -> Path:
    path.mkdir(parents=True)
    for index in range(count):
        image = np.full((12, 16), index * (100 if dtype == np.uint16 else 1), dtype)
        cv2.imwrite(str(path / f"{index + 1}.png"), image)  # 1, 2, ... 10: not padded
    return path


def make_boxes(path: Path, count: int) -> Path:
    write_boxes(path, np.tile([1.0, 2.0, 3.0, 4.0], (count, 1)))
    return path


@pytest.fixture
def pair(tmp_path):
    """A plain folder: two videos of 12 frames and their boxes."""
    make_video(tmp_path / "visible.mp4", 12)
    make_video(tmp_path / "infrared.mp4", 12)
    make_boxes(tmp_path / "groundtruth.txt", 12)
    return tmp_path


class TestRefused:
    def test_folders_without_cameras(self, tmp_path):
        with pytest.raises(ValueError, match="nowhere: no such folder"):
            open_sequence(tmp_path / "nowhere")
        with pytest.raises(ValueError, match=r"expected visible\.mp4 or rgb/ and .* got neither"):
            open_sequence(tmp_path)
        with pytest.raises(ValueError, match="got neither"):
            open_videos(None, None)

    def test_two_of_the_same_camera(self, pair):
        make_images(pair / "rgb", 3)
        with pytest.raises(ValueError, match=r"expected one of rgb and visible\.mp4"):
            open_sequence(pair)

    def test_unreadable_videos(self, tmp_path):
        with pytest.raises(ValueError, match=r"gone\.mp4: no such file"):
            VideoFile(tmp_path / "gone.mp4")
        (tmp_path / "words.mp4").write_text("not a video")
        with pytest.raises(ValueError, match=r"words\.mp4: expected a video"):
            VideoFile(tmp_path / "words.mp4")

    def test_a_video_that_ends_early(self, pair):
        video = VideoFile(pair / "visible.mp4")
        video._count = 15  # as the index of a recording that broke off would say
        with pytest.raises(ValueError, match=r"visible\.mp4: expected 15 frames, got 12"):
            list(video.between(0, 15))
        with pytest.raises(ValueError, match="got 12"):
            video[14]

    def test_unreadable_images(self, tmp_path):
        with pytest.raises(ValueError, match="rgb: no such folder"):
            ImageFolder(tmp_path / "rgb")
        (tmp_path / "rgb").mkdir()
        with pytest.raises(ValueError, match="rgb must hold images"):
            ImageFolder(tmp_path / "rgb")
        (tmp_path / "rgb" / "0001.png").write_bytes(b"\x89PNG cut off")
        for thermal in (False, True):
            with pytest.raises(ValueError, match=r"cannot read .*0001\.png"):
                ImageFolder(tmp_path / "rgb", thermal)[0]

    def test_unequal_lengths(self, pair):
        make_video(pair / "infrared.mp4", 9)
        with pytest.raises(ValueError, match=r"visible\.mp4 and .*infrared\.mp4 .* got 12 and 9"):
            open_sequence(pair)

    @pytest.mark.parametrize("count", [5, 20])
    def test_too_few_and_too_many_boxes(self, pair, count):
        make_boxes(pair / "groundtruth.txt", count)
        with pytest.raises(ValueError, match=rf"groundtruth\.txt: expected 12 .* got {count}"):
            open_sequence(pair)

    def test_boxes_that_are_not_named(self, pair):
        (pair / "groundtruth.txt").unlink()
        make_boxes(pair / "groundtruth_1.txt", 12)
        make_boxes(pair / "groundtruth_2.txt", 12)
        with pytest.raises(ValueError, match=r"got groundtruth_1\.txt, groundtruth_2\.txt"):
            open_sequence(pair)
        with pytest.raises(ValueError, match=r"expected boxes in 3 or groundtruth_3\.txt"):
            open_sequence(pair, "3")

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("a,g,visible.mp4,,groundtruth.txt,0,12", r"line 2: .* 0\.\.11, .* last_frame 12"),
            ("a,g,visible.mp4,,groundtruth.txt,5,4", "first_frame 5, last_frame 4"),
            ("a,g,visible.mp4,,groundtruth.txt,zero,4", "whole numbers, got 'zero'"),
            ("a,g,,,groundtruth.txt,0,4", "got neither"),
            ("a,g,other.mp4,,groundtruth.txt,0,4", r"other\.mp4: no such file"),
            (
                "a,g,visible.mp4,,short.txt,0,4",
                r"short\.txt: .* up to frame 4.* got 3",
            ),
            ("a,g,visible.mp4", "expected 7 values"),
        ],
    )
    def test_rows_of_a_list(self, pair, row, message):
        make_boxes(pair / "short.txt", 3)
        (pair / "list.csv").write_text(HEADER + row + "\n")
        with pytest.raises(ValueError, match=r"list\.csv, line 2: .*" + message.split(": ")[-1]):
            read_benchmark(pair / "list.csv")

    def test_lists_that_are_none(self, pair):
        with pytest.raises(ValueError, match=r"gone\.csv"):
            read_benchmark(pair / "gone.csv")
        (pair / "list.csv").write_text("name,rgb\n")
        with pytest.raises(ValueError, match="missing group, thermal"):
            read_benchmark(pair / "list.csv")


def test_a_folder_of_videos(pair):
    sequence = open_sequence(pair)
    assert (sequence.name, len(sequence), sequence.rate) == (pair.name, 12, 25.0)
    assert sequence.groundtruth.tolist() == [[1, 2, 3, 4]] * 12
    for index, (rgb, thermal) in enumerate(sequence.frames()):
        assert rgb.shape == (48, 64, 3)
        assert thermal.shape == (48, 64)
        assert abs(float(rgb[..., 0].mean()) - 8 * index) < 4  # red comes first
        assert rgb[..., 2].mean() < 4


def test_videos_at_random_equal_videos_in_order(pair):
    video = VideoFile(pair / "visible.mp4")
    in_order = list(video.between(0, 12))
    for index in (3, 4, 11, 0, 7, 7):
        assert np.array_equal(video[index], in_order[index])
    assert np.array_equal(next(video.between(5, 8)), in_order[5])
    assert np.array_equal(pickle.loads(pickle.dumps(video))[2], in_order[2])


def test_a_folder_of_images_in_natural_order(tmp_path):
    make_images(tmp_path / "rgb", 11)
    make_images(tmp_path / "tir", 11, np.uint16)
    sequence = open_sequence(tmp_path, rate=9.0)
    assert (len(sequence), sequence.rate) == (11, 9.0)
    assert sequence[10].rgb.tolist()[0][0] == [10, 10, 10]
    assert sequence[10].thermal.dtype == np.uint16
    assert sequence[10].thermal[0, 0] == 1000
    assert not sequence.visible.any()  # no boxes: nothing annotated


def test_boxes_are_chosen_by_name(pair, tmp_path_factory):
    write_boxes(pair / "groundtruth_2.txt", np.full((12, 4), 7.0))
    elsewhere = make_boxes(tmp_path_factory.mktemp("other") / "mine.txt", 12)
    assert open_sequence(pair).groundtruth[0, 0] == 1
    for wanted in ("2", "groundtruth_2.txt"):
        sequence = open_sequence(pair, wanted)
        assert sequence.groundtruth[0, 0] == 7
        assert sequence.name == f"{pair.name}_2"
    assert open_sequence(pair, elsewhere).groundtruth[0, 0] == 1


def test_missing_boxes_may_be_allowed(pair):
    make_boxes(pair / "groundtruth.txt", 5)
    sequence = open_sequence(pair, allow_missing=True)
    assert sequence.visible.tolist() == [True] * 5 + [False] * 7
    assert np.isnan(sequence.groundtruth[5:]).all()


def test_one_video_alone(pair):
    assert open_videos(pair / "visible.mp4", None)[0].thermal is None
    thermal = open_videos(None, pair / "infrared.mp4", pair / "groundtruth.txt", name="t")
    assert (thermal.name, thermal[0].rgb) == ("t", None)
    assert thermal.visible.all()


def test_a_list_takes_parts_of_videos(pair):
    boxes = np.arange(48, dtype=float).reshape(12, 4)
    write_boxes(pair / "groundtruth.txt", boxes)
    (pair / "list.csv").write_text(
        HEADER
        + "both,people,visible.mp4,infrared.mp4,groundtruth.txt,3,7\n"
        + "alone,air,,infrared.mp4,groundtruth.txt,0,11\n"
    )
    both, alone = read_benchmark(pair / "list.csv")
    assert (both.name, both.group, len(both), alone.group) == ("both", "people", 5, "air")
    assert both.groundtruth.tolist() == boxes[3:8].tolist()
    levels = [round(float(frame.rgb[..., 0].mean()) / 8) for frame in both.frames()]
    assert levels == [3, 4, 5, 6, 7]
    assert read_benchmark(pair / "list.csv", pair)[1][0].rgb is None


needs_data = pytest.mark.skipif(
    not (SHARED / "benchmark.csv").is_file(), reason="development data ../shared/data is absent"
)


@needs_data
@pytest.mark.parametrize(
    ("name", "groundtruth", "count", "visible"),
    [("stairs", None, 151, 151), ("pier", "2", 560, 395), ("forecourt", None, 205, 55)],
)
def test_real_sequences(name, groundtruth, count, visible):
    path = SHARED / "sequences" / name
    sequence = open_sequence(path, groundtruth, allow_missing=name == "forecourt")
    assert (len(sequence), int(sequence.visible.sum())) == (count, visible)
    rgb, thermal = sequence[0]
    assert (rgb.shape, thermal.shape) == ((480, 640, 3), (480, 640))


@needs_data
def test_every_row_of_the_development_benchmark():
    sequences = read_benchmark(SHARED / "benchmark.csv")
    assert len(sequences) == 76
    assert sum(len(sequence) for sequence in sequences) == 22_839
    for sequence in sequences:
        assert sequence.visible[0], sequence.name
        rgb, thermal = sequence[0]
        height, width = (rgb if rgb is not None else thermal).shape[:2]
        x, y, w, h = sequence.groundtruth[0]
        assert x > -1
        assert y > -1
        assert x + w <= width + 1
        assert y + h <= height + 1
