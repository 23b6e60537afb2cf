"""Read checkpoints of other projects without running what is in them.

Trackers pickle their settings and statistics beside the weights. Where such a class is asked for,
an inert stand-in is given, which keeps nothing and does nothing; its module is never imported.
Everything else that a pickle may name, beyond tensors and plain containers, is refused.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

# Modules of trackers (OSTrack and its relatives) and of what training scripts pickle.
INERT_MODULES = ("lib.train.", "lib.test.", "lib.config.", "lib.models.", "lib.utils.", "ltr.",
                 "pytracking.")  # fmt: skip
INERT_NAMES = ("argparse.Namespace", "easydict.EasyDict", "numpy.core.multiarray.scalar",
               "numpy._core.multiarray.scalar", "numpy.dtype")  # fmt: skip


class _Inert:
    """Stands for a foreign object."""

    def __new__(cls, *_: object, **__: object) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def read_foreign(path: Path) -> tuple[Any, list[str]]:
    """A checkpoint's content, and the names of the classes that were replaced by inert ones.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a checkpoint, or one that names something else than weights.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(str(path)), []
        return _read_pickle(path)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} is not a readable checkpoint: {reason}") from error


def _read_pickle(path: Path) -> tuple[Any, list[str]]:
    if not zipfile.is_zipfile(path):  # the format of torch before 1.6
        return torch.load(path, map_location="cpu", weights_only=True), []
    if not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"):
        raise ValueError(f"import-weights needs PyTorch 2.6 or later, this is {torch.__version__}")
    named = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    refused = [name for name in named if not _is_inert(name)]
    if refused:
        raise ValueError(
            f"{path} asks for {', '.join(refused)}: refused, weights do not need that"
        )
    # Each name has a class of its own; the allow-list is theirs for this file only.
    stand_ins: list[Any] = [(type("Inert", (_Inert,), {}), name) for name in named]
    with torch.serialization.safe_globals(stand_ins):
        return torch.load(path, map_location="cpu", weights_only=True), named


def _is_inert(name: str) -> bool:
    return name in INERT_NAMES or name.startswith(INERT_MODULES)
