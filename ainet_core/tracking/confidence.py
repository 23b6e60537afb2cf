"""How sure is the tracker? From what a frame shows to the chance that its box is right.

The network's score alone says little: a look-alike scores high. Beside it count whether something
else in the search region scores as well, and how alike target and template are in the stem's
features, compared with the first frames. A logistic regression, fitted on sequences that no
network was trained on, makes a probability of these (`bench/confidence.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

FIRST_FRAMES = 8  # whose likeness to the template is what later ones are compared with
MOST_DROP = 0.2  # a likeness that fell further says no more: a target may turn, a film be cut


@dataclass(frozen=True)
class Evidence:
    """What one frame shows at the cell that was read.

    Attributes:
        score: 0 .. 1, the network's for that cell.
        rival: 0 .. 1, the highest score more than two cells away.
        coarse, fine: cosines with the target as a whole on the stem's two maps.
        change: the larger |log| of width and height read / those of the box before.
    """

    score: float
    rival: float
    coarse: float
    fine: float
    change: float


@dataclass(frozen=True)
class Calibration:
    """Weights of a logistic regression on a frame's evidence.

    Attributes:
        bias: added to the weighted sum.
        score, rival: weights of their logits.
        coarse, fine: weights of the cosines.
        coarse_drop, fine_drop: weights of how far they are above those of the first frames.
        change: weight of the change of size.
    """

    bias: float
    score: float
    rival: float
    coarse: float
    fine: float
    coarse_drop: float
    fine_drop: float
    change: float

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Raises ValueError that names the file and what is wrong in it."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{field.name: float(content[field.name]) for field in fields(cls)})
        except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} is no calibration of a network: {error!r}") from None

    def save(self, path: Path, notes: Mapping[str, object]) -> None:
        """Write it as JSON, with notes on where it comes from."""
        weights = {field.name: round(getattr(self, field.name), 5) for field in fields(self)}
        path.write_text(json.dumps({**weights, **notes}, indent=1) + "\n", encoding="utf-8")


class Confidence:
    """Turns one target's evidence into probabilities, frame by frame.

    Args:
        calibration: of the network; None: the score is taken as it is.
    """

    def __init__(self, calibration: Calibration | None) -> None:
        self._calibration = calibration
        self._first: list[Evidence] = []

    def observe(self, evidence: Evidence) -> float:
        """The chance, 0 .. 1, that box and target overlap by more than half."""
        if self._calibration is None:
            return evidence.score
        if len(self._first) < FIRST_FRAMES:
            self._first.append(evidence)
        weights = self._calibration
        terms = features(evidence, self._first)
        total = weights.bias + sum(getattr(weights, name) * x for name, x in terms.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def features(evidence: Evidence, first: list[Evidence]) -> dict[str, float]:
    """What the calibration weighs, by the names of its weights; `first`: evidence at the start."""
    return {
        "score": _logit(evidence.score),
        "rival": _logit(evidence.rival),
        "coarse": evidence.coarse,
        "fine": evidence.fine,
        "coarse_drop": max(evidence.coarse - _mean([one.coarse for one in first]), -MOST_DROP),
        "fine_drop": max(evidence.fine - _mean([one.fine for one in first]), -MOST_DROP),
        "change": evidence.change,
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _logit(share: float) -> float:
    share = min(max(share, 1e-4), 1 - 1e-4)
    return math.log(share / (1 - share))
