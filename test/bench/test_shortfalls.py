"""The bench that says why groups fall short: its sums by hand, and a page from small results."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import shortfalls
from shortfalls import Case, loss_of, page, seen_before, small_png

from ainet_core.data import write_boxes
from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.data.synthetic import StagedWorld, stage
from ainet_core.data.synthetic.staging import circle
from ainet_core.evaluation.results import ResultFolder
from ainet_core.evaluation.scoring import TrackResult

TRUTH = np.tile([40.0, 30.0, 20.0, 20.0], (4, 1))
FRAMES = 12


def test_a_picture_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(shortfalls, "MOST_BYTES", 100)
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="expected a picture of at most 100 bytes, got"):
        small_png(cv2.imencode(".png", noise)[1].tobytes())


def test_what_is_missing_is_the_sum_of_its_parts():
    boxes = np.array(
        [(40, 30, 20, 20), (45, 35, 10, 10), (45, 30, 20, 20), (70, 30, 20, 20)], float
    )
    loss = loss_of(boxes, TRUTH, (100, 100))
    np.testing.assert_allclose(loss.overlap, [1, 0.25, 0.6, 0])
    np.testing.assert_allclose(loss.size, [0, 0.75, 0, 0], atol=1e-12)
    np.testing.assert_allclose(loss.centre, [0, 0, 0.4, 0], atol=1e-12)
    np.testing.assert_allclose(loss.lost, [0, 0, 0, 1])
    np.testing.assert_allclose(loss.ratio, [1, 0.5, 1, 1])
    assert not loss.border.any()
    assert loss.shares == pytest.approx({"size": 75 / 215, "centre": 40 / 215, "lost": 100 / 215})


def test_the_border_is_that_of_the_image():
    at_edge = TRUTH + (38.5, 0, 0, 0)
    loss = loss_of(at_edge - (4, 0, 0, 0), at_edge, (100, 100))
    assert loss.border.all()
    assert loss.border_share == pytest.approx(1)


def case(boxes: np.ndarray, scores: np.ndarray | None = None, truth: np.ndarray = TRUTH) -> Case:
    frames = ArrayFrames([np.zeros((100, 100, 3), np.uint8)] * len(truth))
    sequence = Sequence("one", frames, None, truth, group="air_rgb")
    result = TrackResult(boxes, scores)
    loss = loss_of(boxes[1:], truth[1:], (100, 100))
    return Case(sequence, "drone_videos", result, None, 0.4, float("nan"), loss)


def test_the_reason_is_where_most_went():
    assert case(TRUTH + (5, 5, -10, -10)).why == "size"
    assert case(TRUTH + (8, 0, 0, 0)).why == "centre"
    far = TRUTH + (40, 0, 0, 0)
    assert case(far, np.full(4, 0.2)).why == "lost"
    assert case(far, np.full(4, 0.8)).why == "jumped"
    edge = TRUTH - (39, 0, 0, 0)
    assert case(edge + (6, 0, 0, 0), truth=edge).why == "border"
    assert "Most overlap goes to the size: its box has 0.50 times the true side" in (
        case(TRUTH + (5, 5, -10, -10)).words()
    )


def test_a_truth_that_jumps_is_told():
    truth = TRUTH.copy()
    truth[2:, 0] += 50
    assert case(truth, truth=truth).jumps == {2: 2.5}
    assert case(truth, truth=truth).words().endswith("jumps by 2.5 target sides at frame 2.")
    assert "jumps" not in case(TRUTH + (8, 0, 0, 0)).words()


def test_what_somebody_wrote_stays():
    cases = {"air_rgb": [case(TRUTH + (8, 0, 0, 0))]}
    text = page(cases, {"air_rgb": 26}, {"one": "a\nbush"})
    assert "Seen: a\nbush" in text
    assert "| air_rgb | 1 of 26 |" in text
    assert seen_before(text) == {"one": "a\nbush"}
    assert "nobody has looked yet" in page(cases, {"air_rgb": 26}, {})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A list with one sequence that may be shown and one that may not, and results of both."""
    world = StagedWorld(0, stage(FRAMES, circle(FRAMES, (64, 48), 20, 3), 24), (96, 128))
    lines = ["name,group,rgb,thermal,groundtruth,first_frame,last_frame"]
    for name, group, folder in (("free", "air_rgb", "drone_videos"),
                                ("closed", "generic_rgb", "single_camera")):  # fmt: skip
        place = tmp_path / folder / name
        (place / "rgb").mkdir(parents=True)
        for number in range(FRAMES):
            picture = world.frame(number).rgb[:, :, ::-1]
            cv2.imwrite(str(place / "rgb" / f"{number:03d}.png"), picture)
        truth = world.sequence().groundtruth
        write_boxes(place / "groundtruth.txt", truth)
        lines.append(f"{name},{group},{folder}/{name}/rgb,,{folder}/{name}/groundtruth.txt,0,11")
        for tracker, move in (("nano", 4.0), ("csrt-rgb", 2.0)):
            results = ResultFolder(tmp_path / "results" / tracker)
            results.path.mkdir(parents=True, exist_ok=True)
            results.write(name, TrackResult(truth + (move, 0, 0, 0), np.full(FRAMES, 0.7)))
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_only_frames_that_may_be_handed_on_are_drawn(data, monkeypatch):
    drawn = []
    real = shortfalls.film_strip
    monkeypatch.setattr(
        shortfalls, "film_strip", lambda s, *rest: drawn.append(s.name) or real(s, *rest)
    )
    output = data / "page.md"
    options = {"--results": "results", "--data": "list.csv", "--output": "page.md"}
    given = [part for name, file in options.items() for part in (name, str(data / file))]
    monkeypatch.setattr(sys, "argv", ["shortfalls", *given])
    shortfalls.main()
    assert drawn == ["free"]
    text = output.read_text()
    assert "| generic_rgb | 1 of 1 |" in text
    assert text.count("CSRT 0.") == 2
    assert "Frames: Drone-detection-dataset, CC0." in text
    for name in ("free", "closed"):
        picture = (data / f"shortfalls_{name}.png").read_bytes()
        assert 1000 < len(picture) < shortfalls.MOST_BYTES
