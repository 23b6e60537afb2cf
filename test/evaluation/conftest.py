"""A folder of short sequences, and a way to call the command as users do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.data.boxes import write_boxes

SEED = 5


@pytest.fixture(scope="session")
def short_sequences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sequences of 12 registered RGB-T frames in our folder layout."""
    print(f"seed {SEED}")
    root = tmp_path_factory.mktemp("sequences")
    rng = np.random.default_rng(SEED)
    for name in ("left", "right", "upward"):
        _write_sequence(root / name, rng)
    return root


@pytest.fixture
def ainet() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `ainet ...` in a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ainet_core.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)

    return run


def _write_sequence(folder: Path, rng: np.random.Generator) -> None:
    target = rng.integers(0, 255, (24, 20, 3), np.uint8)
    background = cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (160, 120))
    speed, boxes = rng.uniform(-2, 2, 2), []
    for camera in ("rgb", "tir"):
        (folder / camera).mkdir(parents=True)
    for number in range(12):
        x, y = (np.array([70, 48]) + speed * number).astype(int)
        rgb = background.copy()
        rgb[y : y + 24, x : x + 20] = target
        cv2.imwrite(str(folder / "rgb" / f"{number:03}.png"), rgb)
        cv2.imwrite(str(folder / "tir" / f"{number:03}.png"), 255 - rgb[..., 1])
        boxes.append([x, y, 20, 24])
    write_boxes(folder / "groundtruth.txt", np.array(boxes))
