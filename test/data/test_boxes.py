"""Boxes as text."""

import os

import numpy as np
import pytest

from ainet_core.data.boxes import read_boxes, write_boxes


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1,2,3,4\n1,2,3\n", "line 2: .* '1,2,3'"),
        ("1,2,3,4,5\n", "line 1"),
        ("1,2,3,4\n\n1,2,3,4\n", "line 2: .* got ''"),
        ("x,y,w,h\n1,2,3,4\n", "line 1: .* 'x,y,w,h'"),
        ("1,2,three,4\n", "line 1"),
        ("1,2,inf,4\n", "line 1"),
        ("1,2,nan,4\n", "line 1"),
        ("1;2;3;4\n", "line 1"),
    ],
)
def test_lines_that_are_no_box_are_named(tmp_path, text, shown):
    file = tmp_path / "boxes.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"boxes\.txt, " + shown):
        read_boxes(file)


def test_files_that_are_no_text_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.txt: No such file"):
        read_boxes(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(ValueError, match=r"empty\.txt must hold one box .* empty file"):
        read_boxes(tmp_path / "empty.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match=r"binary\.txt: not text"):
        read_boxes(tmp_path / "binary.txt")


def test_boxes_of_another_shape_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"got shape \(3,\)"):
        write_boxes(tmp_path / "boxes.txt", np.zeros(3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("separator", [",", "\t", " ", ", ", "  ", " ,\t"])
def test_the_usual_separators_are_read(tmp_path, separator):
    file = tmp_path / "boxes.txt"
    file.write_bytes((separator.join(["1", "2.5", "-3", "4e1"]) + "\r\n").encode() * 2 + b"\n")
    assert read_boxes(file).tolist() == [[1, 2.5, -3, 40]] * 2


def test_what_is_written_is_read(tmp_path):
    boxes = np.array([[1.25, 2, 3.3333, 4], [np.nan] * 4, [0, 0, 0, 0], [-5, 100, 1e4, 0.5]])
    file = tmp_path / "new" / "boxes.txt"
    write_boxes(file, boxes)
    assert np.array_equal(read_boxes(file), boxes, equal_nan=True)
    assert file.read_text().splitlines()[1:3] == ["nan,nan,nan,nan", "0,0,0,0"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "boxes.txt"
    write_boxes(file, np.ones((2, 4)))

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_boxes(file, np.zeros((2, 4)))
    assert read_boxes(file).tolist() == np.ones((2, 4)).tolist()
    assert [entry.name for entry in tmp_path.iterdir()] == ["boxes.txt"]
