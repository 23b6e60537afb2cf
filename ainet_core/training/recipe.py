"""A training recipe: a YAML file that holds what differs from these defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ainet_core.model.config import ModelConfig, preset_config
from ainet_core.training.keys import at_least, build, checked, one_of, put, read_yaml

KINDS = ("videos", "stills", "tracks", "regions", "moving", "sequences", "benchmark", "world")
PRECISIONS = ("auto", "float32", "bf16", "float64")


def _key(meaning: str, default: Any = dataclasses.MISSING) -> Any:
    """A key of a recipe. `meaning` is its row in docs/training.md."""
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Source:
    """Where pairs come from. Every key's meaning stands beside it, and in docs/training.md.

    Raises:
        ValueError: a value outside of its range.
    """

    kind: str = _key(
        "videos (NAME.mp4 with NAME.txt), stills (boxes.csv), tracks (NAME.mp4 with "
        "NAME_auto_boxes.csv), regions (unlabelled stills or videos), moving (unlabelled videos "
        "of a fixed camera), sequences (folders with boxes), benchmark (a published data set, "
        "read image by image while training), world (generated, needs no data)"
    )
    share: float = _key("of all samples, before the shares are made to add up to 1")
    path: str = _key("below the data folder; for regions of registered pairs the RGB side", "")
    camera: str = _key("rgb, thermal, or both for registered pairs", "rgb")
    thermal: str = _key("for regions of registered pairs, the thermal side", "")
    skip: str = _key("files whose name matches this regular expression are left out", "")
    count: int = _key("clips for each file, or worlds", 6)
    frames: int = _key("for videos: frames that are kept of each", 24)
    dataset: str = _key("for benchmark: lasher, rgbt234, gtot or vtuav", "")
    gap: int = _key("for benchmark: a pair's frames are at most this far apart", 200)

    def __post_init__(self) -> None:
        one_of("source kind", self.kind, KINDS)
        one_of("source camera", self.camera, ("rgb", "thermal", "both"))
        at_least("source", self, {"share": 0, "count": 1, "frames": 2, "gap": 1})
        if (self.kind == "benchmark") != bool(self.dataset):
            raise ValueError(
                "source kind benchmark, and no other, needs `dataset`, "
                f"got kind {self.kind!r} and dataset {self.dataset!r}"
            )

    @property
    def label(self) -> str:
        """Kind and path, as messages name a source."""
        return f"{self.kind} {self.path}".strip()


@dataclass(frozen=True)
class Recipe:
    """How to train. Every key's meaning stands beside it, and in docs/training.md.

    Raises:
        ValueError: a value outside of its range, or two that do not fit each other.
    """

    preset: str = _key("which network: base, small, tiny or nano", "nano")
    model: Mapping[str, Any] = _key(
        "what differs from the preset's ModelConfig, say {ofm: false}", None
    )
    start: str = _key(
        "weights to start from: a file of ours, or `shipped`; empty: the pre-trained stem where "
        "the network has one, random numbers for the rest", ""
    )  # fmt: skip
    steps: int = _key("optimiser steps; 0: epochs x epoch_pairs / batch", 0)
    epochs: float = _key("see steps", 1.0)
    epoch_pairs: int = _key("pairs in one epoch", 96_000)
    batch: int = _key("pairs of one step, over all processes and parts together", 24)
    accumulate: int = _key("parts that each process computes one after the other; saves memory", 1)
    precision: str = _key(
        "auto (bf16 on CUDA, else float32), float32, bf16 (mixed) or float64", "auto"
    )
    workers: int = _key("processes that prepare batches, for each process that trains", 1)
    learning_rate: float = _key("peak, of AdamW", 1e-3)
    backbone_share: float = _key("of learning_rate, for the encoder's ViT", 1.0)
    stem_learning_rate: float = _key("0: the pre-trained stem stays frozen", 0.0)
    weight_decay: float = _key("on matrices only", 1e-2)
    betas: tuple[float, ...] = _key("AdamW's two", (0.9, 0.99))
    warm_up: int = _key("steps of linear warm-up", 150)
    schedule: str = _key("cosine (down to final_share) or drops (after drop_epochs)", "cosine")
    final_share: float = _key("of the learning rate, at the end of the cosine", 0.02)
    drop_epochs: tuple[float, ...] = _key("after these epochs the rate falls by drop_factor", ())
    drop_factor: float = _key("see drop_epochs", 0.1)
    gradient_norm: float = _key("longer gradients are scaled down to this", 1.0)
    averaging: float = _key("share of the averaged weights that a step keeps", 0.998)
    both_cameras: float = _key("share of the batches with two cameras", 0.6)
    seed: int = _key("sample i is a function of (seed, i)", 1)
    log_every: int = _key("steps between two lines of losses.csv", 20)
    picture_every: int = _key("steps between two pictures of samples and predictions", 1000)
    save_every: float = _key("seconds between two checkpoints", 120.0)
    sources: tuple[Source, ...] = _key(
        "where pairs come from, see below", (Source("world", 1.0, camera="both", count=60),)
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", dict(self.model or {}))
        self.config()
        one_of("precision", self.precision, PRECISIONS)
        one_of("schedule", self.schedule, ("cosine", "drops"))
        least: dict[str, float] = dict.fromkeys(
            ("batch", "accumulate", "workers", "epoch_pairs", "log_every", "picture_every"), 1
        )
        at_least("recipe", self, least | {"steps": 0, "warm_up": 0, "save_every": 0})
        if len(self.betas) != 2:
            raise ValueError(f"betas must be two numbers, got {list(self.betas)}")
        if (self.schedule == "drops") != bool(self.drop_epochs):
            raise ValueError(
                "schedule drops, and no other, needs `drop_epochs`, "
                f"got schedule {self.schedule!r} and drop_epochs {list(self.drop_epochs)}"
            )
        if self.total_steps < 1:
            raise ValueError(f"expected at least one step, got epochs {self.epochs}")
        if not self.sources:
            raise ValueError("expected at least one source, got none")

    @property
    def total_steps(self) -> int:
        return self.steps or round(self.epochs * self.steps_per_epoch)

    @property
    def steps_per_epoch(self) -> float:
        return self.epoch_pairs / self.batch

    def config(self) -> ModelConfig:
        """The network's config: the preset's, with what `model` changes."""
        preset = preset_config(self.preset)
        return dataclasses.replace(preset, **checked(ModelConfig, self.model, "model"))

    def to_dict(self) -> dict[str, Any]:
        """The recipe in full, as plain YAML values; `Recipe.load` reads it back."""
        values = dataclasses.asdict(self)
        for key, value in values.items():
            if isinstance(value, tuple):
                values[key] = list(value)
        return values

    @classmethod
    def load(cls, path: Path, overrides: list[str] | None = None) -> Recipe:
        """Read a recipe, then apply overrides like `steps=200` or `sources.0.share=0.2`.

        Raises:
            FileNotFoundError: no such file.
            ValueError: not a mapping, an unknown key (with the nearest one) or an ill-typed value.
        """
        if not path.is_file():
            raise FileNotFoundError(f"no recipe at {path}")
        values = read_yaml(path.read_text(), str(path))
        values = {} if values is None else values
        if not isinstance(values, dict):
            raise ValueError(f"{path} must hold `key: value` lines, got {type(values).__name__}")
        for override in overrides or []:
            key, separator, value = override.partition("=")
            if not separator:
                raise ValueError(f"--set expects key=value, got {override!r}")
            put(values, key, read_yaml(value, f"--set {override}"))
        return cls.from_dict(values, str(path))

    @classmethod
    def from_dict(cls, values: dict[str, Any], where: str) -> Recipe:
        """Raises ValueError as `load`; `where` is named in it."""
        sources = values.get("sources")
        if sources is not None:
            if not isinstance(sources, list):
                raise ValueError(f"{where}: sources must be a list, got {sources!r}")
            made = [
                build(Source, source, f"{where}: sources.{number}")
                for number, source in enumerate(sources)
            ]
            values = {**values, "sources": tuple(made)}
        return build(cls, values, where)


def keys_table(kind: type) -> str:
    """The keys of Recipe or Source as a Markdown table: docs/training.md holds this."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for item in dataclasses.fields(kind):
        name = str(item.type).replace("tuple[float, ...]", "list of float")
        name = name.replace("tuple[Source, ...]", "list of sources").replace(
            "Mapping[str, Any]", "mapping"
        )
        lines.append(
            f"| `{item.name}` | {name} | {_shown(item.default)} | {item.metadata['meaning']} |"
        )
    return "\n".join(lines)


def _shown(default: Any) -> str:
    if default is dataclasses.MISSING:
        return "required"
    if default in ("", (), None):
        return "none"
    if isinstance(default, tuple) and isinstance(default[0], Source):
        return f"{default[0].count} generated worlds"
    return f"`{list(default) if isinstance(default, tuple) else default}`"
