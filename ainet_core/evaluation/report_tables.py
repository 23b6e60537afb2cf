"""The report's tables: numbers as people read them, with the value that they sort by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass

from ainet_core.evaluation.comparison import (
    BETTER,
    WORSE,
    Change,
    Comparison,
    Difference,
    compare,
)
from ainet_core.evaluation.scoring import (
    Evaluation,
    Figures,
    SequenceFigures,
    mean_figures,
)

_SIDE_BY_SIDE = 4  # trackers up to which a part's precision is shown beside its success


@dataclass(frozen=True)
class Cell:
    """Attributes:
    text: what is shown.
    value: what it sorts by; nan goes last.
    kind: "number", "word", "best", "better" or "worse".
    """

    text: str
    value: float | str
    kind: str = "number"


@dataclass(frozen=True)
class Table:
    """Columns as (name, what it means, "" if that is clear); each row begins with its name."""

    key: str
    caption: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]


def tracker_table(evaluations: Items[Evaluation]) -> Table:
    """One row for each tracker."""
    letter = evaluations[0].protocol.letter
    shared = shared_names(evaluations)
    unequal = any(len(e.sequences) != len(shared) for e in evaluations)
    columns = [
        ("tracker", ""),
        ("sequences", ""),
        (f"{letter}SR", "success rate in %"),
        (f"{letter}PR", "precision rate in %"),
        (f"{letter}NPR", "normalised precision rate in %"),
    ]
    if unequal and shared:
        columns.append((f"{letter}SR, shared", "over the sequences that every tracker has"))
    if any(e.groups() for e in evaluations):
        columns += [("mean of groups", f"{letter}SR in %, every group with the same weight"),
                    ("worst group", f"{letter}SR in %")]  # fmt: skip
    columns += [
        ("lost", "times the target was lost, in 1000 frames"),
        ("to failure", "mean number of frames until the target was first lost"),
        ("score AUC", "how well the score tells on from off the target; 0.5 is chance"),
        ("ms, median", "milliseconds a frame"),
        ("95 %", "milliseconds that 95 % of the frames stay below"),
        ("99 %", "milliseconds that 99 % of the frames stay below"),
        ("frames/s", "from the median time of a frame"),
    ]
    names = [name for name, _ in columns]
    rows = [_tracker_row(e, names, shared) for e in evaluations]
    rates = (f"{letter}SR", f"{letter}PR", f"{letter}NPR", "mean of")
    best = {n for n, name in enumerate(names) if name.startswith(rates)}
    return Table("trackers", "Each tracker over all its sequences", tuple(columns),
                 _with_best(rows, best))  # fmt: skip


def part_table(
    key: str,
    caption: str,
    parts: Mapping[str, Mapping[str, Figures | SequenceFigures]],
    letter: str = "",
) -> Table:
    """Trackers side by side.

    Args:
        parts: tracker -> part (a group, an attribute, a sequence) -> figures.
        letter: "M" with two truths.
    """
    rates = [("SR", "success")]
    if len(parts) <= _SIDE_BY_SIDE:
        rates.append(("PR", "precision"))
    columns = [(key, "")] + [
        (f"{tracker} {letter}{rate}", "in %") for rate, _ in rates for tracker in parts
    ]
    names = dict.fromkeys(name for figures in parts.values() for name in figures)
    rows = []
    for name in names:
        cells = [_word(name)]
        for _, rate in rates:
            cells += [_percent(getattr(p.get(name), rate, math.nan)) for p in parts.values()]
        rows.append(cells)
    best = [set(range(1 + n * len(parts), 1 + (n + 1) * len(parts))) for n in range(len(rates))]
    marked = [_best_in_row(row, best) if len(parts) > 1 else tuple(row) for row in rows]
    return Table(key, caption, tuple(columns), tuple(marked))


def group_table(evaluations: Items[Evaluation]) -> Table:
    parts = {e.tracker: e.groups() for e in evaluations}
    table = part_table("group", "By group of scenes", parts, evaluations[0].protocol.letter)
    return _with_counts(table, parts)


def attribute_table(evaluations: Items[Evaluation]) -> Table:
    parts = {e.tracker: e.attributes() for e in evaluations}
    caption = "By challenge; a sequence may have several"
    return _with_counts(
        part_table("attribute", caption, parts, evaluations[0].protocol.letter), parts
    )


def sequence_table(evaluations: Items[Evaluation]) -> Table:
    """With group (if there is any) and number of frames in front of the trackers' columns."""
    parts = {e.tracker: {s.name: s for s in e.sequences} for e in evaluations}
    plain = part_table("sequence", "Every sequence", parts, evaluations[0].protocol.letter)
    known = {s.name: s for e in evaluations for s in e.sequences}
    grouped = any(s.group for s in known.values())
    rows = []
    for name, *others in plain.rows:
        s = known[name.text]
        group = (_word(s.group or "-"),) if grouped else ()
        rows.append((name, *group, Cell(str(s.frames), s.frames), *others))
    before = (("group", ""),) if grouped else ()
    columns = (plain.columns[0], *before, ("frames", "that are scored"), *plain.columns[1:])
    return Table(plain.key, plain.caption, columns, tuple(rows))


def cost_table(pairs: Items[tuple[Evaluation, Evaluation, str]]) -> Table:
    """What a condition costs: (as recorded, under the condition, its name)."""
    rows = []
    for recorded, degraded, condition in pairs:
        d = compare(degraded, recorded).success
        rows.append((
            _word(recorded.tracker), _word(condition), Cell(str(d.sequences), d.sequences),
            _percent(d.old), _percent(d.new), *_change_cells(d),
        ))  # fmt: skip
    rate = f"{pairs[0][0].protocol.letter}SR"
    columns = (
        ("tracker", ""), ("condition", ""), ("sequences", "that both have"),
        (f"{rate} as recorded", "in %"), (f"{rate} then", "under the condition, in %"),
        ("difference", "in points"), ("95 % interval", "over sequences"), ("verdict", ""),
    )  # fmt: skip
    return Table("cost", "What a condition costs, over the same sequences", columns, tuple(rows))


def difference_table(comparison: Comparison, key: str) -> Table:
    """Old against new: all sequences, then each group."""
    rows = tuple(
        (_word(d.part), _word(d.rate), Cell(str(d.sequences), d.sequences),
         _percent(d.old), _percent(d.new), *_change_cells(d))
        for d in comparison.differences
    )  # fmt: skip
    columns = (
        ("part", ""), ("rate", ""), ("sequences", "that both have"), ("old", "in %"),
        ("new", "in %"), ("change", "in points"), ("95 % interval", "over sequences"),
        ("verdict", ""),
    )  # fmt: skip
    return Table(key, f"{comparison.new}: new against old", columns, rows)


def change_table(comparison: Comparison, key: str) -> Table:
    """The sequences with the largest changes each way."""
    changes: list[Change] = [*comparison.gains, *reversed(comparison.losses)]
    rows = []
    for c in changes:
        change, kind = c.new - c.old, BETTER if c.new > c.old else WORSE
        rows.append((_word(c.name), _word(c.group or "-"), _percent(c.old), _percent(c.new),
                     Cell(f"{100 * change:+.1f}", change, kind)))  # fmt: skip
    rate = comparison.success.rate
    columns = (("sequence", ""), ("group", ""), (f"old {rate}", "in %"), (f"new {rate}", "in %"),
               ("change", "in points"))  # fmt: skip
    caption = f"{comparison.new}: the largest changes of single sequences"
    return Table(key, caption, columns, tuple(rows))


def shared_names(evaluations: Items[Evaluation]) -> set[str]:
    """Of the sequences that every tracker has."""
    return set.intersection(*({s.name for s in e.sequences} for e in evaluations))


def _with_counts(table: Table, parts: Mapping[str, Mapping[str, Figures]]) -> Table:
    """A column for the number of sequences; the most of any tracker."""
    rows = []
    for name, *others in table.rows:
        count = max(p[name.text].sequences for p in parts.values() if name.text in p)
        rows.append((name, Cell(str(count), count), *others))
    columns = (table.columns[0], ("sequences", "the most of any tracker"), *table.columns[1:])
    return Table(table.key, table.caption, columns, tuple(rows))


def _tracker_row(e: Evaluation, columns: list[str], shared: set[str]) -> list[Cell]:
    mean, groups = e.mean(), e.groups()
    cells = [_word(e.tracker), Cell(str(mean.sequences), mean.sequences), _percent(mean.success),
             _percent(mean.precision), _percent(mean.normalized_precision)]  # fmt: skip
    if any(name.endswith("shared") for name in columns):
        common = [s for s in e.sequences if s.name in shared]
        cells.append(_percent(mean_figures(common, e.protocol).success))
    if "worst group" in columns:
        rates = {name: figures.success for name, figures in groups.items()}
        over = e.mean_over_groups()[2] if rates else math.nan
        worst = min(rates, key=lambda name: rates[name], default="")
        value = rates.get(worst, math.nan)
        cells += [_percent(over), Cell(f"{worst} {100 * value:.1f}" if worst else "-", value)]
    fps = 1e3 / mean.latency[0] if mean.latency[0] > 0 else math.nan
    return [
        *cells,
        _number(mean.failures, 1),
        _number(mean.frames_to_failure, 0),
        _number(mean.separation, 2),
        *(_number(value, 1 if value >= 1 else 2) for value in mean.latency),
        _number(fps, 0 if fps >= 10 else 1),
    ]


def _change_cells(d: Difference) -> tuple[Cell, Cell, Cell]:
    kind = d.verdict if d.verdict in (BETTER, WORSE) else "word"
    interval = "-" if math.isnan(d.low) else f"{100 * d.low:+.1f} to {100 * d.high:+.1f}"
    return (
        Cell(f"{100 * d.change:+.1f}", d.change),
        Cell(interval, d.low),
        Cell(d.verdict, d.verdict, kind),
    )


def _with_best(rows: list[list[Cell]], columns: set[int]) -> tuple[tuple[Cell, ...], ...]:
    if len(rows) < 2:
        return tuple(tuple(row) for row in rows)
    top = {c: max((float(r[c].value) for r in rows if r[c].value == r[c].value), default=math.nan)
           for c in columns}  # fmt: skip
    return tuple(
        tuple(_as_best(cell) if n in top and cell.value == top[n] else cell
              for n, cell in enumerate(row))
        for row in rows
    )  # fmt: skip


def _best_in_row(row: list[Cell], blocks: list[set[int]]) -> tuple[Cell, ...]:
    marked = list(row)
    for block in blocks:
        known = [float(row[n].value) for n in block if row[n].value == row[n].value]
        if len(known) > 1:
            for n in block:
                marked[n] = _as_best(row[n]) if row[n].value == max(known) else row[n]
    return tuple(marked)


def _as_best(cell: Cell) -> Cell:
    return Cell(cell.text, cell.value, "best")


def _word(text: str) -> Cell:
    return Cell(text, text, "word")


def _percent(value: float) -> Cell:
    return _number(100 * value, 1)


def _number(value: float, digits: int) -> Cell:
    return Cell("-" if math.isnan(value) else f"{value:.{digits}f}", value)
