"""Curves of the field and speed against accuracy, as SVG that stands inside a page.

Lines differ in colour and in dashes. Words stay words: they can be searched and read aloud, and
their colour is the page's own, dark or light.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

from ainet_core.evaluation.metrics import NORMALIZED, OVERLAPS, Values
from ainet_core.evaluation.protocol import Protocol
from ainet_core.evaluation.scoring import Evaluation, mean_curve

_COLOURS = ("#0077bb", "#d55e00", "#009e73", "#b85c9e", "#8a6fd1", "#a67c00", "#7a8088")
_DASHES = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)))
_MARKERS = "osD^vP*X"
_INK = "#010203"  # stands for the page's text colour until the SVG is written
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 12,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _INK,
    "grid.alpha": 0.15,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Plot:
    """An SVG and the words for those who cannot see it."""

    title: str
    svg: str
    alt: str


def curve_plots(evaluations: Items[Evaluation]) -> list[Plot]:
    """Precision, normalised precision and success, one line per tracker, the best first in the
    legend."""
    protocol = evaluations[0].protocol
    letter = protocol.letter
    return [
        _curves("Precision", f"{letter}PR", "centre error in pixels", evaluations,
                protocol.pixel_thresholds, "precision_curve", "precision"),
        _curves("Normalised precision", f"{letter}NPR", "centre error in target sizes",
                evaluations, NORMALIZED, "normalized_curve", "normalized_precision"),
        _curves("Success", f"{letter}SR", "overlap", evaluations,
                OVERLAPS, "success_curve", "success"),
    ]  # fmt: skip


def speed_plot(evaluations: Items[Evaluation]) -> Plot | None:
    """Frames per second (log) against SR; None where nobody's time is known."""
    points = [
        (number, e.tracker, 1e3 / figures.latency[0], 100 * figures.success)
        for number, e in enumerate(evaluations)
        if (figures := e.mean()).latency[0] > 0  # nan is not
    ]
    if not points:
        return None
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        figure, axes = _canvas(len(points))
        handles = [
            axes.plot([x], [y], linestyle="none", marker=_MARKERS[number % len(_MARKERS)],
                      markersize=10, color=_COLOURS[number % len(_COLOURS)])[0]
            for number, _, x, y in points
        ]  # fmt: skip
        axes.set_xscale("log")
        low, high = min(p[2] for p in points), max(p[2] for p in points)
        axes.set_xlim(low / 2, high * 2)
        axes.set_xticks(ticks := _round_steps(low / 2, high * 2), [f"{t:g}" for t in ticks])
        axes.set_xticks([], minor=True)
        axes.set_ylim(0, 100)
        axes.set_xlabel("frames per second (median; log scale)")
        axes.set_ylabel(f"{evaluations[0].protocol.letter}SR in %")
        words = [f"{name}: {x:.0f} frames/s, {y:.1f}" for _, name, x, y in points]
        _legend(figure, axes, handles, words)
        return Plot("Speed against accuracy", _svg(figure, "speed"), "; ".join(words))


def threshold_words(protocol: Protocol) -> str:
    """Where the curves are read off."""
    return (
        f"PR is read at {protocol.pixels:g} pixels, NPR at 0.2 target sizes, "
        f"SR is the {'area under' if protocol.by_frames else 'mean of'} the success curve."
    )


def _curves(
    title: str, rate: str, along: str, evaluations: Items[Evaluation],
    thresholds: Values, curve: str, value: str,
) -> Plot:  # fmt: skip
    import matplotlib

    lines = [
        (100 * getattr(e.mean(), value), number, e.tracker, 100 * mean_curve(
            (getattr(s, curve) for s in e.sequences), e.sequences, e.protocol))
        for number, e in enumerate(evaluations)
    ]  # fmt: skip
    lines.sort(key=lambda line: (-line[0], line[1]))
    with matplotlib.rc_context(_STYLE):
        figure, axes = _canvas(len(lines))
        handles = [
            axes.plot(thresholds, values, linewidth=2, color=_COLOURS[number % len(_COLOURS)],
                      linestyle=_DASHES[number % len(_DASHES)])[0]
            for _, number, _, values in lines
        ]  # fmt: skip
        axes.set_xlim(float(thresholds[0]), float(thresholds[-1]))
        axes.set_ylim(0, 100)
        axes.set_xlabel(along)
        axes.set_ylabel("frames in %")
        words = [f"{name}: {rate} {figure_:.1f}" for figure_, _, name, _ in lines]
        _legend(figure, axes, handles, words)
        return Plot(title, _svg(figure, value), f"{title} over {along}. " + "; ".join(words))


def _canvas(entries: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # without pyplot nothing global is touched

    below = 0.26 * entries + 0.8  # inches for the legend and the axis' words
    figure = Figure(figsize=(4.2, 2.9 + below))
    height = 2.9 + below
    axes = figure.add_axes((0.15, below / height, 0.82, (2.9 - 0.12) / height))
    return figure, axes


def _legend(figure: Any, axes: Any, handles: list[Any], words: list[str]) -> None:
    # Names are put in afterwards: "_x" would be left out, and "$x$" read as a formula.
    legend = figure.legend(
        handles, [str(number) for number in range(len(words))], loc="lower left",
        bbox_to_anchor=(0.02, 0), frameon=False, handlelength=3,
        borderaxespad=0.2, numpoints=1,
    )  # fmt: skip
    for text, word in zip(legend.get_texts(), words, strict=True):
        text.set_parse_math(False)
        text.set_text(word)


def _svg(figure: Any, salt: str) -> str:
    """Only the <svg> element; `salt` keeps ids of several plots in one page apart."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r'\bid="(figure|axes|patch|line2d|text|xtick|ytick|legend|matplotlib[.\w]*)_\d+"',
                 "", svg)  # fmt: skip
    svg = re.sub(r' width="[\d.]+pt"| height="[\d.]+pt"', "", svg, count=2)
    return svg.replace("<svg", '<svg aria-hidden="true"', 1)


def _round_steps(low: float, high: float) -> list[float]:
    """Ticks of a log axis, at most about seven: words beside each other must not touch."""
    digits = (1, 2, 5) if high < 100 * low else (1,)
    steps = [digit * 10.0**power for power in range(-3, 7) for digit in digits]
    return [step for step in steps if low <= step <= high]
