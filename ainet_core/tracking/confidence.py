"""How sure is the tracker? From what a frame shows to the chance that its box is right.

The network's score alone says little: a look-alike scores high. Beside it count whether something
else in the search region scores as well, and how alike target and template are in the stem's
features, compared with what was usual. A logistic regression, fitted on sequences that no
network was trained on, makes a probability of these (`bench/confidence.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

FIRST_FRAMES = 8  # whose mean likeness to the template is what is usual at first
PACE = 0.1  # share of a later frame in what is usual: looks drift
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
        coarse_drop, fine_drop: weights of how far they are above what is usual.
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
        self._usual = UsualLikeness()

    def observe(self, evidence: Evidence, lost: bool = False) -> float:
        """The chance, 0 .. 1, that box and target overlap by more than half.

        `lost`: what is looked at may be anything, and is nothing to compare with later.
        """
        if self._calibration is None:
            return evidence.score
        if not lost:
            self._usual.follow(evidence)
        weights = self._calibration
        terms = features(evidence, self._usual)
        total = weights.bias + sum(getattr(weights, name) * x for name, x in terms.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


class UsualLikeness:
    """How alike target and template usually are: the first frames' mean, which follows slowly.

    Attributes:
        coarse, fine: as in `Evidence`.
    """

    def __init__(self) -> None:
        self.coarse = self.fine = 0.0
        self._frames = 0

    def follow(self, evidence: Evidence) -> None:
        """Take the next frame; one that fell by `MOST_DROP` shows something else."""
        drops = evidence.coarse - self.coarse, evidence.fine - self.fine
        if self._frames < FIRST_FRAMES:
            self._frames += 1
            share = 1 / self._frames
        elif min(drops) <= -MOST_DROP:
            return
        else:
            share = PACE
        self.coarse += share * drops[0]
        self.fine += share * drops[1]


def features(evidence: Evidence, usual: UsualLikeness) -> dict[str, float]:
    """What the calibration weighs, by the names of its weights."""
    return {
        "score": _logit(evidence.score),
        "rival": _logit(evidence.rival),
        "coarse": evidence.coarse,
        "fine": evidence.fine,
        "coarse_drop": max(evidence.coarse - usual.coarse, -MOST_DROP),
        "fine_drop": max(evidence.fine - usual.fine, -MOST_DROP),
        "change": evidence.change,
    }


def _logit(share: float) -> float:
    share = min(max(share, 1e-4), 1 - 1e-4)
    return math.log(share / (1 - share))
