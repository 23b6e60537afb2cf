"""The bench that looks for limits: its verdicts by hand, and that easy values hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import limits
import numpy as np
import pytest
from limits import FACTORS, Done, Outcome, judged, limit, measure, what_happens

from ainet_core.data.synthetic import StagedWorld
from ainet_core.tracking.tracker import Tracker, shipped_weights

HELD = Outcome(0.8, 0.8, 0.0, 0.0, 1.0)
LOST = Outcome(0.3, 0.0, 0.6, 0.9, 1.0)
ASTRAY = Outcome(0.3, 0.0, 0.6, 0.1, 1.0)
SMALL = Outcome(0.4, 0.2, 0.0, 0.0, 0.5)


class Copy:
    """Answers with the box that `init` gave, "lost" from the third update on."""

    def init(self, rgb, thermal, box):
        self.box, self.updates = box, 0
        self.seen = (rgb is not None, thermal is not None)

    def update(self, rgb, thermal):
        self.updates += 1
        return SimpleNamespace(box=self.box, state="lost" if self.updates > 2 else "tracking")


def test_a_value_holds_by_its_median_and_by_its_ends():
    assert limits.holds([HELD] * 4 + [LOST])
    assert not limits.holds([HELD] * 3 + [LOST] * 2)
    assert not limits.holds([HELD._replace(success=0.45)] * 5)
    assert limits.holds([HELD] * 3 + [HELD._replace(success=0.1)] * 2)


def test_the_limit_is_before_the_first_failure():
    hard, easy = [LOST] * 5, [HELD] * 5
    assert limit({1: easy, 2: easy, 3: hard, 4: easy}) == (2, 3)
    assert limit({1: hard}) == (None, 1)
    assert limit({1: easy, 2: easy}) == (2, None)


def test_what_happens_in_words():
    assert what_happens([HELD, LOST, LOST, ASTRAY, SMALL]) == (
        "2 of 5: lost, and says so; 1 of 5: goes astray, and calls it tracked; "
        "1 of 5: box too small; side 0.5 to 0.5 times the true one; 1 held"
    )


def test_boxes_are_cut_to_the_image_and_hidden_frames_left_out():
    truth = np.tile([90.0, 40, 10, 20], (4, 1))
    boxes = truth.copy()
    boxes[:, 2] = 20  # the whole target, half of it outside
    boxes[3] = (0, 0, 10, 20)
    seen = np.array([True, True, True, False])
    outcome = judged(boxes, truth, np.array([False] * 4), seen, (100, 100))
    assert outcome == (1.0, 1.0, 0.0, 0.0, 1.0)
    outcome = judged(boxes, truth, np.array([False] * 3 + [True]), np.ones(4, bool), (100, 100))
    assert (outcome.success, outcome.off, outcome.told) == (0.75, 0.25, 1.0)
    assert outcome.kind == "held"


def test_every_factor_can_be_staged_and_has_its_own_scenes():
    keys = set()
    for factor in FACTORS:
        for value in factor.values:
            staging = factor.stage(value)
            keys.add(limits.digest(staging))
            assert len(staging) >= limits.FRAMES
    assert len(keys) == sum(len(factor.values) for factor in FACTORS)


def test_a_run_gives_a_table_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FRAMES", 12)
    factors = tuple(
        replace(f, values=f.values[:4]) for f in FACTORS if f.name in ("motion", "noise")
    )
    measured = measure(Copy(), Done(tmp_path, None), factors, range(2), beyond=2)
    assert [len(results) for results in measured.values()] == [2, 2]  # both fail at once
    text = limits.page(measured, factors, 2)
    row = r"| motion of the target | no value tried | 0.5 (SR "
    assert row in text
    assert "lost, and says so" in text
    (file,) = tmp_path.iterdir()
    assert len(file.read_text().splitlines()) == 8
    again = measure(None, Done(tmp_path, None), factors, range(2), 2)  # no tracker is needed
    assert again == measured
    assert Done(tmp_path, None).read(FACTORS, range(2)) == measured
    assert Done(tmp_path, None).read(FACTORS, range(3)) == {}
    assert "Not measured yet: small target, large target" in limits.page(measured, FACTORS, 2)
    limits.plot(measured, factors, tmp_path / "limits.png")
    assert (tmp_path / "limits.png").stat().st_size > 1000


def test_the_page_has_every_factor():
    text = (Path(limits.__file__).parents[1] / "docs" / "limits.md").read_text()
    lacking = text.partition("Not measured yet: ")[2].partition(".\n")[0]
    for factor in FACTORS:
        if f"| {factor.title} | " not in text:
            assert factor.title in lacking
        else:
            assert f"| {factor.title}, {factor.unit} | {factor.values[0]:g}: " in text


@pytest.fixture(scope="module")
def tracker():
    if shipped_weights("nano") is None:
        pytest.skip("no weights ship with this checkout")
    return Tracker.from_preset("nano", "cpu")


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.name)
def test_the_tracker_holds_at_an_easy_value(tracker, factor, monkeypatch):
    monkeypatch.setattr(limits, "FRAMES", 16)
    world = StagedWorld(0, factor.stage(factor.values[0]), limits.SIZE)
    outcome = limits.run(tracker, world, factor.cameras)
    assert outcome.success >= limits.HOLDS, outcome
    assert outcome.end > limits.ENDS, outcome
