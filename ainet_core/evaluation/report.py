"""The page that shows an evaluation: one HTML file that needs no other and no network."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ainet_core.data.sequence import Sequence
from ainet_core.evaluation import report_tables as tables
from ainet_core.evaluation.comparison import Comparison, compare
from ainet_core.evaluation.film_strip import film_strip, spread
from ainet_core.evaluation.metrics import Boxes
from ainet_core.evaluation.plots import curve_plots, speed_plot, threshold_words
from ainet_core.evaluation.protocol import Protocol
from ainet_core.evaluation.scoring import Evaluation, SequenceFigures
from ainet_core.whole import write_text_whole

_TEMPLATE = Path(__file__).with_name("report.html.j2")
_WORST = 10
_OF_ONE_TRACKER = ("tracker", "weights", "modality", "condition", "sequences", "versions")


@dataclass(frozen=True)
class Strip:
    """A film strip: JPEG in base64, and the words beside it."""

    name: str
    words: str
    alt: str
    data: str


def write_report(
    evaluations: Items[Evaluation],
    output: Path,
    *,
    sequences: Mapping[str, Sequence] | None = None,
    boxes: Mapping[str, Mapping[str, Boxes]] | None = None,
    baseline: Items[Evaluation] = (),
    command: str = "",
) -> None:
    """Write one HTML file.

    Args:
        evaluations: of one data set; the first tracker's worst sequences are shown as film strips.
            `NAME@CONDITION` belongs to `NAME` and appears in the table "what it costs".
        output: the file; its folder is made.
        sequences: with images, by name; None: no film strips.
        boxes: (N, 4) x, y, w, h by tracker and sequence; None: no film strips.
        baseline: earlier evaluations, compared with the tracker of the same name, or one with one.
        command: that makes this page.

    Raises:
        ValueError: no evaluations, two of the same name, several protocols, a baseline that fits
            none of them, or the plotting library is missing.
    """
    _check(evaluations)
    template = _template()
    recorded, degraded = _by_condition(evaluations)
    comparisons, not_compared = _comparisons(recorded, baseline)
    strips, why_none = _strips(recorded[0], sequences, boxes)
    page = template.render(
        title="Evaluation of "
        + ", ".join(e.tracker for e in recorded[:3])
        + (", ..." if len(recorded) > 3 else ""),
        summary=_summary(recorded),
        unequal=len({frozenset(s.name for s in e.sequences) for e in recorded}) > 1,
        protocol=protocol_words(evaluations[0].protocol),
        runs=_runs(evaluations),
        command=command,
        date=datetime.datetime.now().isoformat(" ", "minutes"),
        trackers=tables.tracker_table(recorded),
        plots=curve_plots(recorded),
        threshold_words=threshold_words(recorded[0].protocol),
        speed=speed_plot(recorded),
        comparisons=[_comparison_part(c, n) for n, c in enumerate(comparisons)],
        not_compared=not_compared,
        cost=tables.cost_table(degraded) if degraded else None,
        groups=tables.group_table(recorded),
        attributes=tables.attribute_table(recorded),
        sequences=tables.sequence_table(recorded),
        first=recorded[0].tracker,
        strips=strips,
        why_no_strips=why_none,
    )
    write_text_whole(Path(output), page)


def protocol_words(protocol: Protocol) -> list[str]:
    """The protocol's conventions as sentences."""
    words = [
        "The target is given in the first frame and never again.",
        f"A frame is precise if the centre error is {'below' if protocol.strict else 'at most'} "
        f"{protocol.pixels:g} pixels.",
        "Normalised precision allows 0.2 target sizes.",
        "Success is the area under the success curve (trapezoids)." if protocol.by_frames
        else "Success is the mean of the success curve over 21 overlaps from 0 to 1.",
        "Sequences weigh as many frames as they have." if protocol.by_frames
        else "All sequences weigh the same.",
    ]  # fmt: skip
    if protocol.maximum:
        words.append("Each camera has its own truth; the better of the two counts in each frame "
                     "(MPR, MNPR, MSR).")  # fmt: skip
    if protocol.lasher:
        words.append("A result without area repeats the one before; a true box with a value <= 0 "
                     "is a hit in precision and a miss in success.")  # fmt: skip
    if protocol.toolkit:
        words.append("Result boxes are rounded to whole pixels, as the benchmark's toolkit does.")
    if protocol.only_visible:
        words.append("Frames without the target or without annotation are left out.")
    words.append("A failure is 10 frames or more in a row with an overlap of at most 0.1.")
    return words


def _check(evaluations: Items[Evaluation]) -> None:
    if not evaluations:
        raise ValueError("expected results of at least one tracker, got none")
    names = [e.tracker for e in evaluations]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"expected trackers of different names, got {twice[0]!r} twice")
    protocols = list(dict.fromkeys(e.protocol.name for e in evaluations))
    if len(protocols) > 1:
        raise ValueError(f"expected one protocol for all trackers, got {', '.join(protocols)}")


def _template() -> Any:
    try:
        import jinja2
        import matplotlib  # noqa: F401  asked for here, before any work is done
    except ImportError as error:
        raise ValueError(
            f"the report needs {error.name}: pip install ainet_ros[evaluation]"
        ) from None
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))


def _by_condition(
    evaluations: Items[Evaluation],
) -> tuple[list[Evaluation], list[tuple[Evaluation, Evaluation, str]]]:
    """Those as recorded, and (as recorded, degraded, condition) where both have a sequence."""
    by_name = {e.tracker: e for e in evaluations}
    recorded, degraded = [], []
    for e in evaluations:
        name, _, condition = e.tracker.rpartition("@")
        base = by_name.get(name)
        if base is not None and tables.shared_names([base, e]):
            degraded.append((base, e, condition))
        else:
            recorded.append(e)
    return recorded, degraded


def _comparisons(
    recorded: Items[Evaluation], baseline: Items[Evaluation]
) -> tuple[list[Comparison], list[str]]:
    """Trackers of the same name compared, and the names that only one side has."""
    old = {e.tracker: e for e in baseline}
    if len(recorded) == 1 and len(baseline) == 1:
        old = {recorded[0].tracker: baseline[0]}
    found = [compare(e, old[e.tracker]) for e in recorded if e.tracker in old]
    if baseline and not found:
        raise ValueError(
            f"nothing to compare: expected one of {', '.join(e.tracker for e in recorded)}, "
            f"got {', '.join(e.tracker for e in baseline)}"
        )
    names = dict.fromkeys([e.tracker for e in recorded] + [*old])
    common = {c.new for c in found}
    return found, [name for name in names if name not in common] if baseline else []


def _comparison_part(comparison: Comparison, number: int) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "differences": tables.difference_table(comparison, f"difference-{number}"),
        "changes": tables.change_table(comparison, f"changes-{number}"),
    }


def _summary(recorded: Items[Evaluation]) -> list[tuple[str, str]]:
    names = {s.name: s for e in recorded for s in e.sequences}
    groups = dict.fromkeys(s.group for s in names.values() if s.group)
    frames = sum(s.frames for s in names.values())
    rows = [
        ("Data set", f"{recorded[0].protocol.name}, scored by its protocol"),
        ("Sequences", f"{len(names)}, with {frames} scored frames"),
        ("Trackers", ", ".join(e.tracker for e in recorded)),
    ]
    return rows + ([("Groups", ", ".join(groups))] if groups else [])


def _runs(evaluations: Items[Evaluation]) -> list[dict[str, Any]]:
    """How results were made, once for all trackers that one run made."""
    runs: dict[str, dict[str, Any]] = {}
    for e in evaluations:
        about = [(key, str(value)) for key, value in e.run.items() if key not in _OF_ONE_TRACKER
                 and isinstance(value, str | int | float) and value != ""]  # fmt: skip
        versions = e.run.get("versions")
        if isinstance(versions, dict):
            about.append(("versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
        run = runs.setdefault(repr(about), {"about": about, "trackers": [], "weights": []})
        run["trackers"].append(e.tracker)
        if weights := str(e.run.get("weights") or ""):
            run["weights"].append(weights)
    for run in runs.values():
        run["weights"] = list(dict.fromkeys(run["weights"]))
    return list(runs.values())


def _strips(
    evaluation: Evaluation,
    sequences: Mapping[str, Sequence] | None,
    boxes: Mapping[str, Mapping[str, Boxes]] | None,
) -> tuple[list[Strip], str]:
    """Film strips of the worst sequences, or why there are none."""
    if sequences is None:
        return [], "There are no film strips: the images were not at hand when this was written."
    if boxes is None or evaluation.tracker not in boxes:
        return [], f"There are no film strips: the boxes of {evaluation.tracker} were not at hand."
    known = boxes[evaluation.tracker]
    worst = sorted(evaluation.sequences, key=lambda s: s.success)[:_WORST]
    shown = [s for s in worst if s.name in sequences and s.name in known]
    if not shown:
        return [], "There are no film strips: the images are those of other sequences."
    return [_strip(s, sequences[s.name], known[s.name]) for s in shown], ""


def _strip(figures: SequenceFigures, sequence: Sequence, boxes: Boxes) -> Strip:
    numbers = spread(len(sequence), 8)
    cameras = " above, thermal below" if sequence.rgb and sequence.thermal else ""
    cameras = ("RGB" if sequence.rgb is not None else "thermal") + cameras
    often = {0: "never lost", 1: "lost once"}
    lost = often.get(figures.failures, f"lost {figures.failures} times")
    rates = f"SR {100 * figures.success:.1f}, PR {100 * figures.precision:.1f}"
    words = f"{rates}, {lost}; {cameras}"
    alt = f"{figures.name}, frames {', '.join(map(str, numbers))}: {words}"
    data = base64.b64encode(film_strip(sequence, boxes)).decode("ascii")
    group = f"{figures.group}; " if figures.group else ""
    return Strip(figures.name, group + words, alt, data)
