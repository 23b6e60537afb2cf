"""Boxes of an exported recording, corrected: what is refused, written, filled, taken back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data.boxes import read_boxes, write_boxes
from ainet_core.data.readers import open_sequence
from ainet_core.recordings.correct import states_of
from ainet_core.recordings.corrections import ABSENT, BOXES, TRACKED, UNKNOWN, Corrections

FRAMES, WIDTH, HEIGHT = 12, 160, 120


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """As `ainet track --export` writes it: a box of 20x30 that walks 3 pixels a frame."""
    for camera, ending in (("visible", "jpg"), ("infrared", "png")):
        (tmp_path / camera).mkdir()
        for number in range(FRAMES):
            image = np.full((HEIGHT, WIDTH, 3) if camera == "visible" else (60, 80), 90, np.uint8)
            cv2.imwrite(str(tmp_path / camera / f"{number:06d}.{ending}"), image)
    boxes = np.array([[10 + 3 * number, 40, 20, 30] for number in range(FRAMES)], float)
    write_boxes(tmp_path / BOXES, boxes)
    return tmp_path


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        Corrections(tmp_path / "nowhere")


def test_a_folder_without_boxes_says_who_writes_them(export: Path) -> None:
    (export / BOXES).unlink()
    with pytest.raises(ValueError, match=r"must hold groundtruth\.txt, as `ainet track --export"):
        Corrections(export)


def test_a_line_that_is_no_box_is_named(export: Path) -> None:
    lines = (export / BOXES).read_text().splitlines()
    (export / BOXES).write_text("\n".join([*lines[:4], "1,2,three,4", *lines[5:]]))
    with pytest.raises(ValueError, match="line 5"):
        Corrections(export)


def test_boxes_and_images_must_be_as_many(export: Path) -> None:
    write_boxes(export / BOXES, np.ones((FRAMES - 2, 4)))
    with pytest.raises(ValueError, match=f"{FRAMES}"):
        Corrections(export)


def test_what_was_kept_of_another_export_is_refused(export: Path) -> None:
    write_boxes(export / TRACKED, np.ones((3, 4)))
    with pytest.raises(ValueError, match=f"expected {FRAMES} boxes.*got 3.*delete it"):
        Corrections(export)


@pytest.mark.parametrize(
    ("box", "reason"),
    [((200, 10, 20, 20), "must overlap the 160x120 image"), ((10, 10, -5, 20), "w, h > 0")],
)
def test_a_box_that_cannot_be_is_refused_and_changes_nothing(
    export: Path, box: tuple[float, ...], reason: str
) -> None:
    corrections, before = Corrections(export), (export / BOXES).read_text()
    with pytest.raises(ValueError, match=reason):
        corrections.change(2, box)
    assert (export / BOXES).read_text() == before
    assert corrections.undo() is None


def test_a_file_that_cannot_be_written_changes_nothing(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrections = Corrections(export)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ainet_core.recordings.corrections.write_boxes", full)
        with pytest.raises(OSError, match="No space left"):
            corrections.change(2, ABSENT)
    assert not corrections.is_corrected.any()
    assert corrections.undo() is None


@pytest.mark.parametrize("number", [0, 2, 3, 11])
def test_filling_needs_a_corrected_box_before_and_after(export: Path, number: int) -> None:
    corrections = Corrections(export)
    corrections.change(2, (10, 10, 20, 20))
    corrections.change(3, (80, 10, 20, 20))
    with pytest.raises(ValueError, match="correct one before and one after"):
        corrections.fill(number)


@pytest.mark.parametrize("word", [ABSENT, UNKNOWN])
def test_filling_lays_nothing_over_what_somebody_said(
    export: Path, word: tuple[float, ...]
) -> None:
    corrections = Corrections(export)
    corrections.change(2, (10, 10, 20, 20))
    corrections.change(5, word)
    corrections.change(9, (80, 10, 20, 20))
    before = (export / BOXES).read_text()
    for number in (3, 7):
        with pytest.raises(ValueError, match="frame 6 was said to have none"):
            corrections.fill(number)
    assert (export / BOXES).read_text() == before


def test_every_change_is_in_the_file_at_once_and_the_tracker_s_boxes_stay(export: Path) -> None:
    tracked = read_boxes(export / BOXES)
    corrections = Corrections(export)
    corrections.change(3, (30.123, 41, 22, 28))
    corrections.change(4, UNKNOWN)
    corrections.change(5, ABSENT)
    written = read_boxes(export / BOXES)
    assert written[3].tolist() == [30.12, 41, 22, 28]
    assert np.isnan(written[4]).all()
    assert (written[5] == 0).all()
    assert np.array_equal(np.delete(written, [3, 4, 5], 0), np.delete(tracked, [3, 4, 5], 0))
    assert np.array_equal(read_boxes(export / TRACKED), tracked)
    assert np.flatnonzero(corrections.is_corrected).tolist() == [3, 4, 5]
    assert states_of(corrections)[2:6] == ["tracked", "corrected", "unknown", "absent"]


def test_opened_again_it_knows_what_was_corrected(export: Path) -> None:
    Corrections(export).change(3, (30, 41, 22, 28))
    again = Corrections(export)
    assert np.flatnonzero(again.is_corrected).tolist() == [3]
    again.change(3, again.tracked[3])
    assert not again.is_corrected.any()


def test_training_reads_the_corrected_boxes_and_no_second_sequence(export: Path) -> None:
    corrections = Corrections(export)
    corrections.change(5, ABSENT)
    sequence = open_sequence(export)
    assert len(sequence) == FRAMES
    assert sequence.visible.tolist() == [number != 5 for number in range(FRAMES)]


def test_straight_lines_fill_the_gap_and_are_taken_back_as_one(export: Path) -> None:
    corrections = Corrections(export)
    corrections.change(2, (10, 10, 20, 20))
    corrections.change(6, (50, 18, 40, 20))
    before = corrections.boxes.copy()
    assert corrections.fill(4) == 3
    between = [[20, 12, 25, 20], [30, 14, 30, 20], [40, 16, 35, 20]]
    assert corrections.boxes[3:6].tolist() == between
    assert np.array_equal(read_boxes(export / BOXES), corrections.boxes)
    assert corrections.undo() == 4
    assert np.array_equal(corrections.boxes, before)
    assert [corrections.undo(), corrections.undo(), corrections.undo()] == [6, 2, None]
    assert np.array_equal(read_boxes(export / BOXES), corrections.tracked)


def test_a_corrected_frame_fills_those_before_it(export: Path) -> None:
    corrections = Corrections(export)
    corrections.change(2, (10, 10, 20, 20))
    corrections.change(6, (50, 10, 20, 20))
    assert corrections.fill(6) == 3
    assert corrections.boxes[2:7, 0].tolist() == [10, 20, 30, 40, 50]


def test_what_was_filled_is_filled_anew_around_a_corrected_frame(export: Path) -> None:
    corrections = Corrections(export)
    corrections.change(2, (10, 10, 20, 20))
    corrections.change(8, (40, 10, 20, 20))
    corrections.fill(5)
    corrections.change(5, (55, 10, 20, 20))
    assert corrections.fill(3) == 2
    assert corrections.fill(8) == 2
    assert corrections.boxes[2:9, 0].tolist() == [10, 25, 40, 55, 50, 45, 40]
    for _ in range(3):
        corrections.undo()
    assert corrections.boxes[2:9, 0].tolist() == [10, 15, 20, 25, 30, 35, 40]


def test_leaps_sudden_sizes_and_comings_and_goings_are_worth_a_look(export: Path) -> None:
    boxes = read_boxes(export / BOXES)
    assert Corrections(export).suspicious() == []
    boxes[4:] += [60, 0, 0, 0]  # leaps there
    boxes[8, 2:] *= 1.6  # large in one frame alone
    boxes[11] = np.nan  # lost
    (export / TRACKED).unlink()
    write_boxes(export / BOXES, boxes)
    assert Corrections(export).suspicious() == [4, 8, 9, 11]


def test_a_target_that_always_moves_fast_is_no_surprise(export: Path) -> None:
    boxes = np.array([[4 + 12 * number, 40, 16, 16] for number in range(FRAMES)], float)
    write_boxes(export / BOXES, boxes)
    assert Corrections(export).suspicious() == []
