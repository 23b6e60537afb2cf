"""A small network and small data, so that whole runs take seconds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from ainet_core.data.boxes import write_boxes

SMALL = {
    "width": 32, "depth": 2, "heads": 2, "template_size": 48, "search_size": 96,
    "head_width": 16, "mlp_ratio": 2.0, "state_size": 4, "expansion": 1,
}  # fmt: skip


def draw_scene(folder: Path, seed: int, frames: int = 6, names: tuple[str, str] = ("rgb", "tir")):
    """A checkered square walks over noise; returns its boxes (frames, 4)."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 120, (120, 160, 3)).astype(np.uint8)
    patch = np.kron(rng.integers(0, 2, (4, 4, 3)) * 150 + 60, np.ones((6, 6, 1)))
    boxes = []
    for camera in names:
        (folder / camera).mkdir(parents=True)
    for number in range(frames):
        image = ground.copy()
        x, y = 40 + 4 * (number % 16), 30 + 3 * (number % 16)
        image[y : y + 24, x : x + 24] = patch
        cv2.imwrite(str(folder / names[0] / f"{number:06d}.jpg"), image)
        cv2.imwrite(str(folder / names[1] / f"{number:06d}.jpg"), image[..., 0])
        boxes.append([x, y, 24, 24])
    return np.array(boxes, dtype=np.float64)


@pytest.fixture(name="data", scope="session")
def _data(tmp_path_factory) -> Path:
    """Two sequences of our own layout in scenes/."""
    root = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("one", "two")):
        folder = root / "scenes" / name
        write_boxes(folder / "groundtruth.txt", draw_scene(folder, seed))
    return root


@pytest.fixture(name="write_recipe")
def _write_recipe(tmp_path: Path):
    """Writes a recipe for the small network; keyword arguments differ from the usual."""

    def write(**changes) -> Path:
        values = {
            "preset": "tiny", "model": SMALL, "steps": 20, "batch": 8, "warm_up": 2,
            "log_every": 1, "picture_every": 1000, "save_every": 0,
            "sources": [{"kind": "sequences", "path": "scenes", "camera": "both", "share": 1}],
        }  # fmt: skip
        path = tmp_path / f"recipe_{len(list(tmp_path.glob('recipe_*')))}.yaml"
        path.write_text(yaml.safe_dump(values | changes))
        return path

    return write


@pytest.fixture(name="make_lasher")
def _make_lasher():
    """Makes a folder shaped like LasHeR's training set."""

    def make(root: Path, sequences: int, frames: int) -> Path:
        for number in range(sequences):
            folder = root / "trainingset" / f"walker{number:03d}"
            boxes = draw_scene(folder, number, frames, ("visible", "infrared"))
            lines = "".join(",".join(f"{v:g}" for v in box) + "\n" for box in boxes)
            for name in ("init.txt", "visible.txt", "infrared.txt"):
                (folder / name).write_text(lines)
        return root

    return make


@pytest.fixture(name="small_model")
def _small_model() -> dict:
    """The small network's config, as `write_recipe` has it."""
    return dict(SMALL)
