"""The demo as its user starts it: refusals, then both processes to the table and the pictures."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from processes import CHILD_ENVIRONMENT, ROOT

from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.evaluation.metrics import overlap
from ainet_core.tracking.tracker import Tracker, shipped_weights
from ainet_ros.demo_report import Film, Record, table_rows, write_report
from ainet_ros.demo_sequence import HIDDEN, demo_sequence


def demo(*arguments: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ainet_ros.demo", *arguments],
        cwd=ROOT, env=CHILD_ENVIRONMENT, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip


def sequence(count: int = 20) -> Sequence:
    rgb = [np.full((60, 80, 3), 50 + i, np.uint8) for i in range(count)]
    thermal = [np.full((30, 40), 9000 + i, np.uint16) for i in range(count)]
    boxes = np.array([[10.0 + i, 20, 15, 25] for i in range(count)])
    return Sequence("test", ArrayFrames(rgb), ArrayFrames(thermal), boxes, 25.0)


def test_a_sequence_without_boxes_or_without_a_camera_is_refused(tmp_path):
    for name in ("rgb", "tir"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "1.png"), np.zeros((40, 40), np.uint8))
    with pytest.raises(ValueError, match="has no box to start on"):
        demo_sequence(str(tmp_path))
    (tmp_path / "tir" / "1.png").unlink()
    (tmp_path / "tir").rmdir()
    (tmp_path / "groundtruth.txt").write_text("1,1,10,10\n")
    with pytest.raises(ValueError, match="no thermal camera"):
        demo_sequence(str(tmp_path))


@pytest.mark.dds
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sequence", "/nowhere"], "no folder /nowhere"),
        (["--checkpoint", "/nowhere.safetensors"], "no checkpoint at /nowhere.safetensors"),
    ],
)
def test_a_demo_that_cannot_start_says_why(tmp_path, arguments, said):
    result = demo(*arguments, "--output", str(tmp_path))
    assert result.returncode != 0
    assert said in result.stderr


def test_the_first_of_several_box_files_is_played_from_its_first_box(tmp_path):
    for name in ("rgb", "tir"):
        (tmp_path / name).mkdir()
        for i in range(4):
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), np.full((40, 40), i, np.uint8))
    (tmp_path / "groundtruth_1.txt").write_text("nan,nan,nan,nan\n1,1,10,10\n1,1,10,10\n")
    (tmp_path / "groundtruth_2.txt").write_text("5,5,10,10\n")
    assert len(demo_sequence(str(tmp_path))) == 3
    assert len(demo_sequence(str(tmp_path), frames=2)) == 2
    assert demo_sequence(str(tmp_path), "2").groundtruth[0].tolist() == [5, 5, 10, 10]


def test_the_report_counts_scores_and_draws(tmp_path):
    played = sequence()
    record = Record(sent=20)
    for i in range(0, 20, 2):
        box = None if i == 18 else tuple(played.groundtruth[i])
        record.add(i, box, sent_at=i / 25, now=i / 25 + 0.01)
    status = {"pairs_received": "20", "pairs_skipped": "10", "device": "cpu", "backend": "native"}
    rows = dict(table_rows(record, played.groundtruth, status))
    assert rows["pairs sent"] == rows["pairs received"] == "20"
    assert rows["pairs processed"] == "10 (10 skipped)"
    assert rows["PR (processed frames)"] == "0.900"  # the empty message is a miss
    assert rows["latency, median"] == "10.0 ms"
    assert rows["frames/s"] == "12.5"
    write_report(tmp_path, Film(played), record, status)
    assert_report(tmp_path, frames=20, size=(160, 76))
    boxes = np.loadtxt(tmp_path / "boxes.txt", delimiter=",")
    assert boxes.shape == (20, 4)
    assert np.isfinite(boxes[:, 0]).sum() == 9


def assert_report(folder: Path, frames: int, size: tuple[int, int]) -> None:
    video = cv2.VideoCapture(str(folder / "track.mp4"))
    images = []
    while (read := video.read())[0]:
        images.append(read[1])
    assert len(images) == frames
    assert images[0].shape[1::-1] == size
    picture = cv2.imread(str(folder / "track.png"))
    assert picture is not None
    assert picture.shape[1] == 1920
    assert picture.std() > 5  # something is drawn
    assert "pairs sent" in (folder / "table.txt").read_text()


@pytest.mark.dds
@pytest.mark.slow
def test_the_demo_loses_no_pair_and_answers_under_the_right_headers(tmp_path, checkpoint):
    result = demo("--frames", "60", "--checkpoint", str(checkpoint), "--output", str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    lines = (tmp_path / "table.txt").read_text().splitlines()
    rows = dict(line.split("  ", 1) for line in lines)
    rows = {name: value.strip() for name, value in rows.items()}
    assert rows["pairs sent"] == rows["pairs received"] == "60"
    processed, skipped = rows["pairs processed"].split(" (")
    assert int(processed) + int(skipped.split()[0]) == 60
    assert int(processed) >= 5
    assert rows["wrong headers"] == "0"
    assert rows["device"] == "cpu"
    assert_report(tmp_path, frames=60, size=(1280, 508))


def test_what_is_played_for_the_page_goes_back_and_forth():
    film = Film(sequence(4))
    list(film.load())
    greys = [int(pair.rgb[0, 0, 0]) for pair in islice(film.back_and_forth(), 9)]
    assert greys == [50, 51, 52, 53, 52, 51, 50, 51, 52]


@pytest.mark.dds
@pytest.mark.slow
def test_the_demo_with_a_page_says_where_it_is_and_plays_until_it_is_interrupted(
    tmp_path, checkpoint
):
    pytest.importorskip("aiohttp", reason="the page's server is not installed: make venv")
    command = [sys.executable, "-m", "ainet_ros.demo", "--page", "--page-port", "0"]
    command += ["--frames", "10", "--checkpoint", str(checkpoint), "--output", str(tmp_path)]
    child = subprocess.Popen(
        command, cwd=ROOT, env=CHILD_ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        told = next(line for line in child.stdout if "operator's page: http://127.0.0.1:" in line)
        address = told.split("page: ")[1].split()[0]
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert b"page.js" in answer.read()
        child.send_signal(signal.SIGINT)
        assert child.wait(40) == 0
    finally:
        child.kill()
    assert not (tmp_path / "table.txt").exists()


@pytest.mark.dds
@pytest.mark.slow
def test_the_demo_with_a_page_whose_port_is_taken_says_so(tmp_path, checkpoint):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        asked = ["--page", "--page-port", port, "--frames", "10"]
        result = demo(*asked, "--checkpoint", str(checkpoint), "--output", str(tmp_path))
    assert result.returncode == 1
    assert f"no operator's page on port {port} of 127.0.0.1" in result.stderr


@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
def test_its_target_goes_out_of_sight_is_told_lost_and_found_again():
    tracker, played = Tracker.from_preset("nano", "cpu"), demo_sequence("")[: HIDDEN.stop + 30]
    pairs = played.frames()
    tracker.init(*next(pairs), played.groundtruth[0])
    told = [tracker.update(*pair) for pair in pairs]
    states = [target.state for target in told]
    assert states[HIDDEN.stop - 2] == "lost"
    assert "recovered" in states[HIDDEN.stop :]
    assert overlap(told[-1].box[None], played.groundtruth[-1:])[0] > 0.5
