"""`ainet data check`: each way in which a data set can be broken is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.cli import main
from ainet_core.data.check import Report, check
from ainet_core.data.layouts import LAYOUTS

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDERS = [*LAYOUTS, "folder"]


def cut(path: Path) -> None:
    """Keep the first half of a file, as a download does that was stopped."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def only(report: Report, root: Path) -> str:
    """The one problem of a report, paths relative to the data."""
    assert len(report.problems) == 1, report.problems
    return report.problems[0].replace(f"{root}/", "")


class TestRefused:
    def test_no_data_set(self, tmp_path, capsys):
        for arguments in (
            [str(tmp_path / "gone")],
            [str(tmp_path)],
            [str(tmp_path), "--dataset", "gtot"],
            [str(tmp_path / "gone"), "--dataset", "gtot"],
        ):
            assert main(["data", "check", *arguments]) == 2
            assert capsys.readouterr().err.startswith("ainet data: ")
        with pytest.raises(ValueError, match="got 'otb'"):
            check(tmp_path, dataset="otb")

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda p: (p / "visible/v001.jpg").unlink(), "1 frame missing between v000.jpg and"),
            (lambda p: (p / "infrared/i003.jpg").unlink(), "got 4 RGB and 3 thermal"),
            (lambda p: (p / "init.txt").write_text("1,2,3,4\n"), "expected 4 boxes, one per fra"),
            (lambda p: (p / "init.txt").write_text("1,2,3,4\nx\n"), "line 2: expected 4 numbers"),
            (lambda p: (p / "init.txt").unlink(), "init.txt or visible.txt is missing"),
            (lambda p: (p / "infrared").rename(p / "tir"), "infrared/ is missing"),
            (lambda p: (p / "visible/v003.jpg").write_bytes(b""), "v003.jpg: an empty file"),
            (lambda p: (p / "visible/v000.jpg").write_text("html"), "cannot read"),
            (lambda p: cut(p / "visible/v003.jpg"), "v003.jpg"),
            (lambda p: (p / "visible/._v000.jpg").write_text("x"), "a hidden file"),
            (lambda p: (p / "visible/v004.jpg.part").touch(), "an unfinished download"),
            (lambda p: (p / "visible.zip.crdownload").touch(), "an unfinished download"),
        ],
    )
    def test_a_broken_sequence(self, tree, damage: Callable[[Path], None], message):
        root = tree("lasher")
        damage(root / "testingset/girl")
        report = check(root)
        assert any(message in problem for problem in report.problems), report.problems
        assert all("girl" in problem for problem in report.problems)
        assert report.sequences == 3

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("16,2,3,4", "line 2: box 16,2,3,4 lies outside the 16x12 image"),
            ("-5,2,5,4", "line 2: box -5,2,5,4 lies outside"),
            ("nan,nan,nan,nan", "line 2: nan instead of a box"),
            ("1,2,nan,4", "line 2: expected 4 numbers"),
        ],
    )
    def test_a_bad_box(self, tree, line, message):
        root = tree("rgbt234")
        (root / "fog/infrared.txt").write_text(f"1,2,3,4\n{line}\n1,2,3,4\n1,2,3,4\n")
        assert only(check(root), root).startswith(f"fog/infrared.txt, {message}")

    def test_no_box_in_the_first_frame(self, tree):
        root = tree("folder")
        boxes = root / "walk/groundtruth.txt"
        boxes.write_text("nan,nan,nan,nan\n0,0,0,0\n1,2,3,4\n1,2,3,4\n")
        assert only(check(root), root) == (
            "walk/groundtruth.txt, line 1: expected a box in the first frame; "
            "the first is in line 3"
        )
        boxes.write_text("nan,nan,nan,nan\n" * 4)
        assert "got none in any" in only(check(root), root)

    def test_many_problems_of_a_kind_are_counted(self, tree):
        root = tree("gtot")
        (root / "Pool/groundTruth_v.txt").write_text("1 2 3 4\n" + "90 2 95 4\n" * 19)
        problems = check(root).problems
        assert "expected 4 boxes" in problems[0]
        assert problems[4] == "  and 16 more like the last"

    def test_an_image_in_the_middle_is_found_with_full(self, tree):
        root = tree("vtuav")
        cut(root / "test_ST/test_ST_001/bike_001/ir/000012.jpg")
        assert check(root).problems == ()
        assert "bike_001/ir/000012.jpg" in only(check(root, full=True), root)

    def test_an_image_that_breaks_off_but_can_be_decoded(self, tree):
        root = tree("gtot")
        noise = np.random.default_rng(1).integers(0, 255, (12, 16), np.uint8)
        image = root / "Pool/i/00004i.jpg"
        (root / "Pool/i/00004i.png").unlink()
        cv2.imwrite(str(image), noise)
        image.write_bytes(image.read_bytes()[:-4])
        assert only(check(root), root) == "Pool/i/00004i.jpg: the image breaks off"

    def test_images_of_another_size(self, tree):
        root = tree("rgbt210")
        cv2.imwrite(str(root / "fog/visible/00004v.jpg"), np.zeros((6, 8, 3), np.uint8))
        assert "expected 16x12 pixels, got 8x6" in only(check(root), root)

    def test_numbers_that_repeat(self, tree):
        root = tree("folder")
        (root / "clips/night/tir/1.png").rename(root / "clips/night/tir/02.png")
        assert "02.png and 2.png have the same number" in "".join(check(root).problems)

    def test_a_camera_that_did_not_arrive(self, tree):
        root = tree("folder")
        (root / "clips/night/rgb").mkdir()
        problems = check(root).problems
        assert problems[0] == f"{root}/clips/night/rgb: no images"
        assert "got 0 RGB and 4 thermal" in problems[1]

    def test_a_sequence_that_a_list_names(self, tree):
        root = tree("lasher")
        (root / "testingset/boy").rename(root / "boy")
        (root / "testingset/girl").rename(root / "girl")
        (root / "testingsetList.txt").write_text("boy\ngirl\nman\n")
        assert "1 of 3 sequences are missing: man" in only(check(root), root)

    def test_attributes_that_are_missing(self, tree):
        root = tree("lasher")
        (root / "AttriSeqsTxt/girl.txt").unlink()
        assert "AttriSeqsTxt/girl.txt" in only(check(root), root)
        (root / "Attributes_order.txt").unlink()
        assert "Attributes_order.txt" in only(check(root), root)

    def test_what_only_the_reader_refuses(self, tree):
        root = tree("folder")
        (root / "walk/rgb").rename(root / "walk/visible")
        (root / "walk/tir").rename(root / "walk/rgb")
        problem = only(check(root), root)
        assert "expected one of rgb and visible for the same camera" in problem

    @pytest.mark.parametrize("full", [False, True])
    def test_a_video_that_breaks_off(self, tree, full):
        root = tree("folder")
        writer = cv2.VideoWriter(
            str(root / "clips/infrared.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 25, (64, 48)
        )
        for _ in range(12):
            writer.write(np.zeros((48, 64, 3), np.uint8))
        writer.release()
        assert check(root, full).problems == ()
        cut(root / "clips/infrared.mp4")
        assert "infrared.mp4" in only(check(root, full), root)

    def test_lists(self, tree):
        root = tree("folder")
        header = "name,group,rgb,thermal,groundtruth,first_frame,last_frame\n"
        file = root / "list.csv"
        row = "a,g,walk/rgb,walk/tir,walk/groundtruth.txt,0,3\n"
        file.write_text(header + row)
        assert check(file).problems == ()
        (root / "walk/groundtruth.txt").write_text("0,0,0,0\n1,2,3,4\n99,2,3,4\n1,2,3,4\n")
        first, outside = check(file, full=True).problems
        assert first.endswith(
            "a, frame 0: expected a box in the first frame; the first is in frame 1"
        )
        assert "a, frame 2: box 99,2,3,4 lies outside" in outside
        (root / "walk/rgb/3.png").write_bytes(b"")
        assert "list.csv, a: cannot read" in check(file).problems[0]
        file.write_text(header + row + "b,g,gone.mp4,,walk/groundtruth.txt,0,3\n")
        assert "line 3: cannot read" in only(check(file), root)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_whole_tree_is_clean(tree, capsys, name, full):
    root = tree(name)
    assert main(["data", "check", str(root), *(["--full"] if full else [])]) == 0
    text = capsys.readouterr().out
    assert f"{root} looks like {name}: " in text
    assert "nothing is wrong" in text


def test_what_is_there_is_counted(tree, capsys):
    root = tree("vtuav")
    report = check(root)
    assert (report.dataset, report.sequences, report.frames) == ("vtuav", 2, 50)


def test_the_size_of_the_whole_and_missing_boxes_are_said(tree):
    root = tree("rgbt210")
    assert "its test set has 210 sequences" in str(check(root))


def test_sequences_without_boxes_are_counted(tree):
    report = check(tree("folder"))
    assert (report.sequences, report.without_boxes) == (4, 1)
    assert "without boxes: 1" in str(report)


def test_training_sequences_alone_are_no_problem(tree):
    root = tree("lasher")
    (root / "testingsetList.txt").write_text("boy\ngirl\n")
    assert check(root / "trainingset").problems == ()


def test_another_layout_can_be_asked_for(tree):
    root = tree("rgbt210")
    assert check(root, dataset="lasher").dataset == "lasher"


def test_problems_end_with_exit_code_1(tree, capsys):
    root = tree("gtot")
    (root / "Pool/groundTruth_i.txt").unlink()
    assert main(["data", "check", str(root)]) == 1
    assert f"{root / 'Pool'}: groundTruth_i.txt is missing" in capsys.readouterr().out


@pytest.mark.skipif(
    not (SHARED / "benchmark.csv").is_file(), reason="development data ../shared/data is absent"
)
def test_development_data():
    forecourt, *pier = check(SHARED / "sequences").problems
    assert "forecourt/groundtruth.txt: expected 205 boxes, one per frame, got 101" in forecourt
    assert all("expected a box in the first frame" in problem for problem in pier)
    assert "otb_diving_rgb" in only(check(SHARED / "single_camera"), SHARED)
