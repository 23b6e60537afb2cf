"""Better or worse than before, or only noise: paired bootstrap over sequences.

A mean over 76 sequences moves by points when a few of them change by chance. Both evaluations have
the same sequences, so the differences are resampled, sequence by sequence (Efron and Tibshirani
1993, percentile interval). With few sequences the interval is too narrow rather than too wide:
below `FEWEST` nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ainet_core.evaluation.protocol import Protocol
from ainet_core.evaluation.scoring import Evaluation, SequenceFigures

FEWEST = 4
EVERYTHING = "all sequences"
BETTER, WORSE = "better", "worse"
UNDECIDED, TOO_FEW = "no difference shown", "too few to tell"

_RATES = (("SR", "success"), ("PR", "precision"), ("NPR", "normalized_precision"))
_EXACT = 1e-9  # rates that differ by less are equal but for rounding
_SHOWN = 5

Pair = tuple[SequenceFigures, SequenceFigures]


@dataclass(frozen=True)
class Difference:
    """One rate over one part of the sequences. Rates are 0 .. 1.

    Attributes:
        part: `EVERYTHING` or a group.
        rate: SR, PR or NPR; MSR, MPR or MNPR with two truths.
        low, high: 95 % interval of new - old; nan below `FEWEST` sequences.
        verdict: BETTER, WORSE, UNDECIDED or TOO_FEW.
    """

    part: str
    rate: str
    sequences: int
    new: float
    old: float
    low: float
    high: float
    verdict: str

    @property
    def change(self) -> float:
        return self.new - self.old


@dataclass(frozen=True)
class Change:
    """SR of one sequence, 0 .. 1."""

    name: str
    group: str
    new: float
    old: float


@dataclass(frozen=True)
class Comparison:
    """What changed from one evaluation to another.

    Attributes:
        new, old: the trackers' names.
        differences: over all sequences, then over each group.
        gains, losses: sequences with the largest changes of SR, the largest first.
        only_new, only_old: sequences that the other one lacks; they are left out.
    """

    new: str
    old: str
    differences: tuple[Difference, ...]
    gains: tuple[Change, ...]
    losses: tuple[Change, ...]
    only_new: tuple[str, ...]
    only_old: tuple[str, ...]

    @property
    def success(self) -> Difference:
        """SR over all sequences."""
        return self.differences[0]


def compare(new: Evaluation, old: Evaluation, seed: int = 0, samples: int = 2000) -> Comparison:
    """Compare two evaluations over the sequences that both have.

    Args:
        seed: of the resampling; the same seed gives the same intervals.
        samples: how often the sequences are drawn anew.

    Raises:
        ValueError: another protocol, no common sequence, or one that was scored on another truth.
    """
    pairs = _paired(new, old)
    differences: list[Difference] = []
    for part, members in _parts(pairs).items():
        differences += _differences(part, members, new.protocol, seed, samples)
    changes = [Change(a.name, a.group, a.success, b.success) for a, b in pairs]
    changes.sort(key=lambda change: change.old - change.new)  # gains first; stable
    common = {a.name for a, _ in pairs}
    return Comparison(
        new=new.tracker,
        old=old.tracker,
        differences=tuple(differences),
        gains=tuple(c for c in changes[:_SHOWN] if c.new - c.old > _EXACT),
        losses=tuple(c for c in changes[: -_SHOWN - 1 : -1] if c.old - c.new > _EXACT),
        only_new=tuple(s.name for s in new.sequences if s.name not in common),
        only_old=tuple(s.name for s in old.sequences if s.name not in common),
    )


def describe(comparison: Comparison) -> str:
    """A plain text table for the terminal; rates in percent."""
    new, old = comparison.new, comparison.old
    title = "new against old" if new == old else f"{new} against {old}"
    lines = [
        f"{title}, 95 % interval over sequences",
        f"{'':28} {'rate':>4} {'old':>6} {'new':>6} {'change':>7} {'interval':>16}  verdict",
        *(_line(difference) for difference in comparison.differences),
    ]
    rate = comparison.success.rate
    for word, changes in (("gained most:", comparison.gains), ("lost most:", comparison.losses)):
        for c in changes:
            lines.append(f"{word:12} {c.name:28} {rate} {100 * c.old:.1f} -> {100 * c.new:.1f}")
    for word, names in (("new", comparison.only_new), ("old", comparison.only_old)):
        if names:
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            lines.append(f"only the {word} one has, left out: {len(names)} ({shown})")
    return "\n".join(lines) + "\n"


def _line(d: Difference) -> str:
    interval = "" if np.isnan(d.low) else f"{100 * d.low:+.1f} .. {100 * d.high:+.1f}"
    part = f"{d.part} ({d.sequences})"
    return (
        f"{part:28} {d.rate:>4} {100 * d.old:6.1f} {100 * d.new:6.1f} {100 * d.change:+7.1f} "
        f"{interval:>16}  {d.verdict}"
    )


def _paired(new: Evaluation, old: Evaluation) -> list[Pair]:
    if new.protocol != old.protocol:
        raise ValueError(
            f"cannot compare {new.tracker} by {new.protocol.name}'s protocol "
            f"with {old.tracker} by {old.protocol.name}'s"
        )
    before = {s.name: s for s in old.sequences}
    pairs = [(s, before[s.name]) for s in new.sequences if s.name in before]
    if not pairs:
        raise ValueError(f"cannot compare {new.tracker} with {old.tracker}: no common sequence")
    for a, b in pairs:
        if a.frames != b.frames:
            raise ValueError(
                f"{a.name}: expected the same truth for both, "
                f"got {a.frames} and {b.frames} scored frames"
            )
    return pairs


def _parts(pairs: Items[Pair]) -> dict[str, list[Pair]]:
    parts = {EVERYTHING: list(pairs)}
    for pair in pairs:
        if pair[0].group:
            parts.setdefault(pair[0].group, []).append(pair)
    return parts


def _differences(
    part: str, pairs: Items[Pair], protocol: Protocol, seed: int, samples: int
) -> list[Difference]:
    weights = np.array([a.frames if protocol.by_frames else 1 for a, _ in pairs], np.float64)
    letter, found = protocol.letter, []
    for name, rate in _RATES:
        new = np.array([getattr(a, rate) for a, _ in pairs])
        old = np.array([getattr(b, rate) for _, b in pairs])
        low, high = _interval(new - old, weights, seed, samples)
        found.append(Difference(
            part, letter + name, len(pairs), float(np.average(new, weights=weights)),
            float(np.average(old, weights=weights)), low, high, _verdict(low, high),
        ))  # fmt: skip
    return found


def _interval(
    differences: NDArray[np.float64], weights: NDArray[np.float64], seed: int, samples: int
) -> tuple[float, float]:
    """95 % of the weighted means of sequences drawn with replacement."""
    count = len(differences)
    if count < FEWEST:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(count, size=(samples, count))
    means = (differences * weights)[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _verdict(low: float, high: float) -> str:
    if np.isnan(low):
        return TOO_FEW
    if low > _EXACT:
        return BETTER
    return WORSE if high < -_EXACT else UNDECIDED
