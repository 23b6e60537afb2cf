"""From evidence to a probability."""

import json

import pytest

from ainet_core.tracking.confidence import Calibration, Confidence, Evidence
from ainet_core.tracking.tracker import Tracker, calibration_of, shipped_weights

SURE = Evidence(score=0.7, rival=0.1, coarse=0.9, fine=0.8, change=0.05)
FLAT = {"bias": 0.0, "score": 0.0, "rival": 0.0, "coarse": 0.0, "fine": 0.0, "coarse_drop": 0.0,
        "fine_drop": 0.0, "change": 0.0}  # fmt: skip


@pytest.mark.parametrize(
    "content", ["", "[1]", "{}", json.dumps({**FLAT, "bias": "high"}), '{"bias": 1}']
)
def test_refuses_what_is_no_calibration(tmp_path, content: str) -> None:
    path = tmp_path / "x.confidence.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"x\.confidence\.json is no calibration of a network"):
        Calibration.load(path)


def test_comes_back_from_its_file(tmp_path) -> None:
    made = Calibration(**{**FLAT, "bias": 1.5, "change": -2.25})
    made.save(tmp_path / "some.confidence.json", {"fitted_on": "nothing"})
    assert calibration_of(tmp_path / "some.safetensors") == made
    assert calibration_of(tmp_path / "other.safetensors") is None


def test_without_a_calibration_the_score_counts() -> None:
    assert Confidence(None).observe(SURE) == SURE.score


def test_every_weight_counts_as_it_says() -> None:
    for name, value in (("score", 0.847), ("rival", -2.197), ("coarse", 0.9), ("fine", 0.8),
                        ("change", 0.05), ("coarse_drop", 0.0), ("fine_drop", 0.0)):  # fmt: skip
        odds = Confidence(Calibration(**{**FLAT, name: 2.0})).observe(SURE)
        assert odds == pytest.approx(1 / (1 + 2.718281828 ** (-2 * value)), abs=1e-3), name


def seen(coarse: float) -> Evidence:
    return Evidence(score=0.7, rival=0.1, coarse=coarse, fine=0.8, change=0.05)


def drops() -> Confidence:
    """One that weighs nothing but the fall of the coarse likeness, after eight frames at .9."""
    confidence = Confidence(Calibration(**{**FLAT, "coarse_drop": 10.0}))
    for _ in range(8):
        assert confidence.observe(seen(0.9)) == pytest.approx(0.5)
    return confidence


@pytest.mark.parametrize("coarse", [0.7, 0.5, 0.1])
def test_a_sudden_fall_tells_and_is_nothing_to_get_used_to(coarse: float) -> None:
    confidence = drops()
    for _ in range(300):
        told = confidence.observe(seen(coarse - 1e-6))
    assert told == pytest.approx(1 / (1 + 2.718281828**2), abs=1e-5)  # a fall counts up to .2
    assert confidence.observe(seen(0.9)) == pytest.approx(0.5)


def test_looks_that_drift_become_usual() -> None:
    confidence = drops()
    told = [confidence.observe(seen(0.9 - 0.4 * frame / 300)) for frame in range(300)]
    assert min(told) > 0.3
    assert confidence.observe(seen(0.5)) > 0.3


def test_a_lost_target_teaches_nothing() -> None:
    confidence = drops()
    for _ in range(300):
        confidence.observe(seen(0.8), lost=True)
    assert confidence.observe(seen(0.9)) == pytest.approx(0.5)


@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
def test_the_shipped_calibration_tells_the_sure_from_the_doubtful() -> None:
    calibration = Tracker.from_preset("nano", "cpu").calibration
    assert calibration is not None
    confidence = Confidence(calibration)
    # The likeness is the mean over the cameras: of a sure target rather less on the fine map.
    assert confidence.observe(Evidence(0.7, 0.1, 0.8, 0.55, 0.05)) > 0.8
    assert confidence.observe(Evidence(0.5, 0.45, 0.6, 0.4, 0.4)) < 0.1
