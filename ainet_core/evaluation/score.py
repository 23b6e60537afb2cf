"""Score folders of result files, ours or anybody's, without images."""

from __future__ import annotations

from pathlib import Path

from ainet_core.data.groundtruth import GroundTruth
from ainet_core.data.packaged import PACKAGED, has_packaged, packaged_names
from ainet_core.evaluation.protocol import Protocol
from ainet_core.evaluation.results import ResultFolder
from ainet_core.evaluation.scoring import Evaluation, SequenceFigures, score_sequence

_SHOWN = 5  # names in one line


def score_folder(
    path: Path,
    truths: list[GroundTruth],
    protocol: Protocol,
    allow_missing: bool = False,
) -> tuple[Evaluation, list[str]]:
    """Score `PATH/NAME.txt` of every sequence.

    Returns:
        The evaluation, and what was wrong but allowed, one line each.

    Raises:
        ValueError: results that lack or do not fit, named with file and line, without
            `allow_missing`; no sequence with results at all.
    """
    folder = ResultFolder(path)
    names = set(folder.names)
    wrong = _missing(path, names, truths)
    if wrong and not allow_missing:
        raise ValueError(f"{wrong[0]}; --allow-missing scores the others")
    sequences: list[SequenceFigures] = []
    for truth in truths:
        if truth.name not in names:
            continue
        try:
            result, note = folder.read(truth, allow_missing)
            sequences.append(score_sequence(result, truth, protocol))
        except ValueError as error:
            if not allow_missing:
                raise ValueError(f"{error}; --allow-missing leaves it out") from None
            note = f"{error}: left out"
        if note:
            wrong.append(note)
    if not sequences:
        raise ValueError(f"{path}: no sequence with results that can be scored")
    return Evaluation(path.name, protocol, tuple(sequences), folder.run), wrong


def result_folders(path: Path) -> list[Path]:
    """The folder itself if it holds results, else those of its sub-folders that do.

    Raises:
        ValueError: no such folder, or no results in it.
    """
    if not path.is_dir():
        raise ValueError(f"no results in {path}: no such folder")
    if any(path.glob("*.txt")):
        return [path]
    found = sorted(folder for folder in path.iterdir() if any(folder.glob("*.txt")))
    if not found:
        raise ValueError(f"no results in {path}: expected NAME.txt there or one folder below")
    return found


def fitting_truths(
    folders: list[Path], truths: list[GroundTruth], dataset: str
) -> dict[Path, list[GroundTruth]]:
    """For each folder the truths that it is measured by.

    Of a list or a folder of sequences a run takes those whose cameras its tracker has and those
    that were chosen, so there only `run.json`'s names count; a benchmark is always whole.
    """
    chosen = {}
    for folder in folders:
        names = ResultFolder(folder).run.get("sequences")
        part = dataset in ("folder", "list") and isinstance(names, list)
        chosen[folder] = [t for t in truths if t.name in names] if part and names else truths
    return chosen


def _missing(path: Path, names: set[str], truths: list[GroundTruth]) -> list[str]:
    lacking = [truth.name for truth in truths if truth.name not in names]
    if not lacking:
        return []
    line = f"{path}: {len(lacking)} of {len(truths)} sequences have no results: "
    line += ", ".join(lacking[:_SHOWN]) + (", ..." if len(lacking) > _SHOWN else "")
    if 2 * len(lacking) > len(truths) and (other := _other_dataset(names)):
        line += f" (the names are those of {other}: --dataset {other}?)"
    return [line]


def _other_dataset(names: set[str]) -> str:
    """The benchmark that most of the names belong to, if any."""
    for dataset in PACKAGED if has_packaged() else ():
        known = names.intersection(packaged_names(dataset))
        if names and 2 * len(known) > len(names):
            return dataset
    return ""
