"""A data set read image by image: what is refused and skipped, and that memory is constant."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ainet_core.data.pairs import PairSampler
from ainet_core.model.config import preset_config
from ainet_core.training import streams
from ainet_core.training.clips import load_group
from ainet_core.training.dataset import BatchDataset
from ainet_core.training.recipe import Recipe, Source
from ainet_core.training.streams import Index, StreamedClips, build_index, training_sequences
from ainet_core.training.trainer import Trainer
from ainet_core.training.unreadable import Unreadable

LASHER = {"kind": "benchmark", "dataset": "lasher", "path": "LasHeR", "camera": "both", "share": 1}


def test_refuses_the_test_set_and_an_empty_folder(tmp_path: Path, make_lasher) -> None:
    with pytest.raises(ValueError, match="expected sequences of lasher, got none"):
        training_sequences("lasher", tmp_path)
    make_lasher(tmp_path, 2, 4)
    (tmp_path / "trainingset").rename(tmp_path / "testingset")
    with pytest.raises(ValueError, match="got sequences of the test set alone"):
        training_sequences("lasher", tmp_path)
    with pytest.raises(ValueError, match="dataset must be one of lasher"):
        training_sequences("imagenet", tmp_path)


def test_sequences_without_boxes_stop_it(tmp_path: Path, make_lasher) -> None:
    make_lasher(tmp_path / "LasHeR", 3, 4)
    for name in ("init.txt", "visible.txt"):
        (tmp_path / "LasHeR" / "trainingset" / "walker001" / name).unlink()
    with pytest.raises(ValueError, match=r"1 of 3 files cannot be used.*init.txt"):
        load_group(0, Source(**LASHER), tmp_path, seed=1)


def test_the_index_is_built_once_and_read_back(tmp_path: Path, make_lasher, monkeypatch) -> None:
    make_lasher(tmp_path / "LasHeR", 3, 8)
    source = Source(**LASHER)
    first = load_group(0, source, tmp_path, seed=1, keep=tmp_path)
    monkeypatch.setattr(streams, "build_index", None)
    again = load_group(0, source, tmp_path, seed=1, keep=tmp_path)
    assert first.frames == again.frames == 24
    assert first.describe() == "benchmark LasHeR: 3 sequences, 24 frames, read while training"
    for name, value in vars(first.clips.frames).items():
        np.testing.assert_array_equal(value, vars(again.clips.frames)[name])


def test_a_clip_is_a_stretch_within_the_gap(tmp_path: Path, make_lasher) -> None:
    make_lasher(tmp_path, 2, 30)
    index, broken = build_index("lasher", training_sequences("lasher", tmp_path))
    assert broken == []
    clips = StreamedClips(index, gap=10)
    assert len(clips) == 2 * streams.PLACES
    starts = set()
    for number in range(len(clips)):
        clip = clips[number]
        assert 2 <= len(clip) <= 11
        starts.add(tuple(clip.boxes[0]))
    assert len(starts) > 10
    clip = clips[1]
    x, y, w, h = clip.boxes[3].astype(int)
    patch = clip.rgb[3][y : y + h, x : x + w]
    assert patch.std() > 2 * clip.rgb[3].std() * 0.5  # the checkered square is there
    assert clip.thermal[3].shape == clip.rgb[3].shape[:2]


def test_samples_are_a_function_of_seed_and_number(tmp_path: Path, make_lasher) -> None:
    make_lasher(tmp_path / "LasHeR", 3, 12)
    group = load_group(0, Source(**LASHER), tmp_path, seed=1)
    config = preset_config("nano")
    made = [
        PairSampler([(group.clips, 1.0)], config, seed=3, batch=4).sample(7) for _ in range(2)
    ]
    np.testing.assert_array_equal(made[0].search, made[1].search)
    np.testing.assert_array_equal(made[0].box, made[1].box)


def test_an_unreadable_image_gives_its_place_to_the_next(tmp_path: Path, make_lasher) -> None:
    root = make_lasher(tmp_path / "LasHeR", 2, 6)
    group = load_group(0, Source(**LASHER), tmp_path, seed=1)
    for image in sorted((root / "trainingset" / "walker000").rglob("*.jpg"))[:5]:
        image.write_bytes(b"not an image")
    sampler = PairSampler([(group.clips, 1.0)], preset_config("nano"), seed=3, batch=8)
    loaded = [BatchDataset(sampler, 0, 6)[item] for item in range(6)]
    assert all(one.batch is not None and len(one.batch.present) == 8 for one in loaded)
    assert any("walker000" in line for one in loaded for line in one.unreadable)


def test_too_many_unreadable_images_stop_it(tmp_path: Path) -> None:
    counter = Unreadable(tmp_path, ["known before"])
    for number in range(10):
        counter.count([f"cannot read {number}"] * 3, images=10)
    with pytest.raises(ValueError, match="11 images are unreadable, more than 1%"):
        counter.count(["cannot read 10"], images=10)
    assert len(counter.lines) == 12
    patient = Unreadable(tmp_path, [])
    patient.count([], images=100_000)
    patient.count([f"cannot read {number}" for number in range(50)], images=1)


def test_a_run_whose_data_vanish_says_so(tmp_path: Path, make_lasher, write_recipe) -> None:
    make_lasher(tmp_path / "data" / "LasHeR", 2, 6)
    recipe = Recipe.load(write_recipe(sources=[LASHER], steps=60))
    trainer = Trainer(recipe, tmp_path / "data", tmp_path / "run", device="cpu")
    train_step = trainer.train_step

    def step(batch):
        if trainer.step == 2:
            shutil.rmtree(tmp_path / "data")
        return train_step(batch)

    trainer.train_step = step  # type: ignore[method-assign]
    with pytest.raises(FileNotFoundError, match="is gone; the last checkpoint is whole"):
        trainer.run()
    assert (tmp_path / "run" / "last.pt").is_file()
    with pytest.raises(FileNotFoundError, match="no data folder at"):
        Trainer(recipe, tmp_path / "data", tmp_path / "run", device="cpu")


def test_a_dry_run_on_a_lasher_shaped_folder(tmp_path: Path, make_lasher, write_recipe) -> None:
    make_lasher(tmp_path / "LasHeR", 4, 10)
    recipe = Recipe.load(write_recipe(sources=[LASHER], steps=0, epochs=15, epoch_pairs=60_000))
    told = Trainer(recipe, tmp_path, tmp_path / "run", device="cpu").dry_run()
    assert "benchmark LasHeR: 4 sequences, 40 frames, read while training" in told
    assert "112,500 of 8 pairs, 15.0 epochs of 60,000 pairs" in told
    assert not (tmp_path / "run").exists()


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    """An index of LasHeR's size, 735,000 frames, and a thousand clips of it: under 200 MB more."""
    code = """
import resource, sys
import numpy as np
from ainet_core.training.streams import Index, StreamedClips
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sequences, frames = 979, 750
count = sequences * frames
names = np.array([f"{n:06d}.jpg".encode() for n in range(frames)])
index = Index(
    np.array([[f"/data/LasHeR/trainingset/{s:04d}/{c}" for c in ("visible", "infrared")]
              for s in range(sequences)]),
    np.arange(sequences + 1) * frames,
    np.tile(np.stack([names, names], 1), (sequences, 1)),
    np.tile(np.arange(frames), sequences),
    np.tile([10.0, 10.0, 20.0, 20.0], (count, 1)),
)
clips = StreamedClips(index, 200)
for number in range(0, len(clips), 61):
    assert len(clips[number]) == 201
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(ran.stdout) < 200
    assert Index  # what the code above builds


def test_decoded_images_are_not_kept(tmp_path: Path, make_lasher) -> None:
    make_lasher(tmp_path, 2, 30)
    index, _ = build_index("lasher", training_sequences("lasher", tmp_path))
    clip = StreamedClips(index, gap=50)[0]
    assert clip.rgb[0] is not clip.rgb[0]
