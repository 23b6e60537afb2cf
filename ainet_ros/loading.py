"""From the node's settings to a tracker that is ready: found, loaded, warmed up."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from ainet_core.imaging.registration import Alignment
from ainet_core.tracking.allocator import give_back_freed_memory
from ainet_core.tracking.target_state import StateThresholds
from ainet_ros.answers import TrackerLike
from ainet_ros.parameters import Settings


def load_tracker(settings: Settings) -> TrackerLike:
    """AINet as the settings ask for it.

    Raises:
        ImportError: torch does not load; says under which Python, and what to do.
        ValueError, FileNotFoundError: unknown preset or device, no weights, no CUDA, or something
            that only CUDA does asked of a CPU.
    """
    try:
        import torch
    except (ImportError, OSError) as error:  # not there, or one of its libraries is not
        raise ImportError(
            f"PyTorch does not load under {sys.executable} ({error}); ROS 2 starts its nodes with "
            "this interpreter: install torch for it, or make a virtual environment with "
            "`python3 -m venv --system-site-packages`, install torch there, source it and build "
            "with `python -m colcon build`, so that the node starts under that interpreter"
        ) from None
    from ainet_core.tracking.step import Precision
    from ainet_core.tracking.tracker import Tracker, TrackerSettings

    if settings.threads:
        torch.set_num_threads(settings.threads)
    precision: Precision = "bfloat16" if settings.precision == "bfloat16" else "float32"
    chosen = TrackerSettings(
        threads=settings.threads, precision=precision, graph=settings.cuda_graph
    )
    if settings.checkpoint:
        return Tracker.from_checkpoint(settings.checkpoint, settings.device, chosen)
    return Tracker.from_preset(settings.preset, settings.device, chosen)


def load_alignment(settings: Settings) -> Alignment | None:
    """How thermal lies in RGB; None where the images show the same view already.

    Raises:
        ValueError, FileNotFoundError: no such file, or not one of `ainet calibrate`.
    """
    return Alignment.load(Path(settings.alignment_file)) if settings.alignment_file else None


def another_preset(tracker: TrackerLike, settings: Settings) -> str:
    """The sentence about a checkpoint whose network is not the preset's; "" where it is.

    The checkpoint's own network is used: it says itself what it is.
    """
    model = getattr(tracker, "model", None)
    if not settings.checkpoint or model is None:
        return ""
    from ainet_core.model.config import PRESETS

    same = [name for name, preset in PRESETS.items() if model.config == preset.config]
    if settings.preset in same:
        return ""
    return (
        f"{settings.checkpoint} holds a network of {same[0] if same else 'no'} preset, "
        f"not {settings.preset}: the checkpoint's is used"
    )


def set_thresholds(tracker: TrackerLike, settings: Settings) -> None:
    """When a target counts as lost, from the next `init` on; a test's tracker may not have it."""
    current = getattr(tracker, "settings", None)
    if current is not None:
        state = StateThresholds(settings.lost_below, settings.lost_after, settings.found_above)
        tracker.settings = replace(current, state=state)  # type: ignore[attr-defined]


def warm_up(tracker: TrackerLike) -> None:
    """Run the whole network, so that the first real image is not the slow one.

    With both cameras twice, then with each one alone: the network meets other shapes there.
    """
    noise = np.random.default_rng(0)
    rgb = noise.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    thermal = noise.integers(0, 256, (480, 640), dtype=np.uint8)
    tracker.init(rgb, thermal, (300.0, 200.0, 60.0, 80.0))
    for images in ((rgb, thermal), (rgb, thermal), (rgb, None), (None, thermal)):
        tracker.update(*images)


def give_back() -> None:
    """Return the memory of a tracker that nobody refers to any more, the GPU's too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    give_back_freed_memory()
