"""Figures as a plain text table for the terminal."""

from __future__ import annotations

from ainet_core.evaluation.scoring import Evaluation, Figures


def figures_table(evaluation: Evaluation) -> str:
    """One row for each group and attribute, then the means; rates in percent.

    "lost" is failures in 1000 frames, "AUC" how well the score tells on from off the target,
    "ms" the median time of a frame.
    """
    letter = evaluation.protocol.letter
    header = (
        f"{evaluation.tracker:28} {letter + 'PR':>6} {letter + 'NPR':>6} {letter + 'SR':>6} "
        f"{'lost':>6} {'AUC':>6} {'ms':>7} {'sequences':>9}"
    )
    parts = {**evaluation.groups(), **evaluation.attributes()}
    rows = [_row(name, figures) for name, figures in parts.items()]
    if len(evaluation.groups()) > 1:
        precision, normalized, success = evaluation.mean_over_groups()
        rates = f"{100 * precision:6.1f} {100 * normalized:6.1f} {100 * success:6.1f}"
        rows.append(f"{'mean over groups':28} {rates}")
    return "\n".join([header, *rows, _row("all sequences", evaluation.mean())]) + "\n"


def _row(name: str, figures: Figures) -> str:
    return (
        f"{name:28} {100 * figures.precision:6.1f} {100 * figures.normalized_precision:6.1f} "
        f"{100 * figures.success:6.1f} {figures.failures:6.1f} {figures.separation:6.2f} "
        f"{figures.latency[0]:7.1f} {figures.sequences:9d}"
    )
