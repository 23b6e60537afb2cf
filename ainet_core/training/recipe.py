"""A training recipe: a YAML file that holds what differs from these defaults."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

KINDS = ("videos", "stills", "tracks", "regions", "moving", "sequences", "world")


@dataclass(frozen=True)
class Source:
    """Where pairs come from.

    Attributes:
        kind: videos (NAME.mp4 with NAME.txt), stills (boxes.csv), tracks (NAME.mp4 with
            NAME_auto_boxes.csv), regions (unlabelled stills or videos), moving (unlabelled videos
            of a fixed camera), sequences (folders with boxes), world (generated).
        share: of all samples, before the shares are made to add up to 1.
        path: below the data folder; for regions of registered pairs the RGB side.
        camera: rgb or thermal; both for registered pairs.
        thermal: for regions of registered pairs, the thermal side below the data folder.
        skip: files whose name matches this regular expression are left out.
        count: clips for each file, or worlds.
    """

    kind: str
    share: float
    path: str = ""
    camera: str = "rgb"
    thermal: str = ""
    skip: str = ""
    count: int = 6

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"source kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.camera not in ("rgb", "thermal", "both"):
            raise ValueError(f"source camera must be rgb, thermal or both, got {self.camera!r}")


@dataclass(frozen=True)
class Recipe:
    """How to train. Times are in optimiser steps."""

    preset: str = "nano"
    steps: int = 4000
    batch: int = 24
    learning_rate: float = 1e-3
    stem_learning_rate: float = 0.0  # 0: the pre-trained stem stays frozen
    weight_decay: float = 1e-2  # on matrices only
    betas: tuple[float, float] = (0.9, 0.99)
    warm_up: int = 150
    final_share: float = 0.02  # of the learning rate, at the end of the cosine
    gradient_norm: float = 1.0
    averaging: float = 0.998  # of the weights that are kept
    both_cameras: float = 0.6  # share of the batches with two cameras
    seed: int = 1
    sources: tuple[Source, ...] = field(
        default_factory=lambda: (Source("world", 1.0, camera="both", count=60),)
    )

    @classmethod
    def load(cls, path: Path, overrides: list[str] | None = None) -> Recipe:
        """Read a recipe, then apply overrides like `steps=200`.

        Raises:
            FileNotFoundError: no such file.
            ValueError: not a mapping, an unknown key (with the nearest one) or an ill-typed value.
        """
        if not path.is_file():
            raise FileNotFoundError(f"no recipe at {path}")
        values = yaml.safe_load(path.read_text()) or {}
        if not isinstance(values, dict):
            raise ValueError(f"{path} must hold `key: value` lines, got {type(values).__name__}")
        for override in overrides or []:
            key, separator, value = override.partition("=")
            if not separator:
                raise ValueError(f"--set expects key=value, got {override!r}")
            values[key] = yaml.safe_load(value)
        sources = values.pop("sources", None)
        recipe = _build(cls, values, str(path))
        if sources is None:
            return recipe
        made = tuple(_build(Source, source, f"{path}: source") for source in sources)
        return dataclasses.replace(recipe, sources=made)


def _build(kind: type, values: dict[str, Any], where: str) -> Any:
    known = {item.name: item for item in dataclasses.fields(kind)}
    checked = {}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ValueError(f"{where}: unknown key {key!r}{hint}")
        checked[key] = _typed(value, known[key].type, f"{where}: {key}")
    try:
        return kind(**checked)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None


def _typed(value: Any, annotation: Any, where: str) -> Any:
    if annotation == "float" and isinstance(value, str):
        # YAML reads 1e-4 as text.
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"{where} must be a number, got {value!r}") from None
    if annotation == "float" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if annotation.startswith("tuple") and isinstance(value, list):
        value = tuple(float(item) for item in value)
    expected = {"int": int, "float": float, "str": str}.get(annotation)
    if expected is not None and (not isinstance(value, expected) or isinstance(value, bool)):
        raise ValueError(f"{where} must be {annotation}, got {value!r}")
    return value
