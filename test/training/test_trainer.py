"""A small run: it learns, and goes on where it was stopped."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ainet_core.data.boxes import write_boxes
from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import load_checkpoint, save_checkpoint
from ainet_core.model.config import preset_config
from ainet_core.training.recipe import Recipe, Source
from ainet_core.training.trainer import Trainer, learning_rate_share


def recipe(steps: int) -> Recipe:
    source = Source("sequences", 1.0, path="scenes", camera="both")
    return Recipe(steps=steps, batch=4, warm_up=2, sources=(source,))


def test_refuses_data_that_is_not_there(tmp_path: Path, data: Path, start: Path) -> None:
    with pytest.raises(FileNotFoundError, match="needs --data FOLDER"):
        Trainer(recipe(2), None, tmp_path, start, "cpu").run()
    with pytest.raises(FileNotFoundError, match="no data folder at"):
        Trainer(recipe(2), tmp_path / "nothing", tmp_path, start, "cpu").run()
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        Trainer(recipe(2), data, tmp_path / "run", start, "cpu").run(resume=True)


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, data: Path, start: Path
) -> None:
    whole = Trainer(recipe(4), data, tmp_path / "whole", start, "cpu")
    whole.run()

    stopped = Trainer(recipe(4), data, tmp_path / "parts", start, "cpu")
    save_after(stopped, 2)
    resumed = Trainer(recipe(4), data, tmp_path / "parts", start, "cpu")
    weights = resumed.run(resume=True)

    assert resumed.step == 4
    for (name, a), b in zip(
        whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    assert load_checkpoint(weights).config == preset_config("nano")
    with (tmp_path / "parts" / "losses.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)][-1] == "4"


def save_after(trainer: Trainer, steps: int) -> None:
    """Stop a run as a killed process would, right after it saved."""

    class StoppedError(Exception):
        pass

    train_step = trainer.train_step

    def step(batch):
        figures = train_step(batch)
        if trainer.step == steps:
            trainer.save()
            raise StoppedError
        return figures

    trainer.train_step = step  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        trainer.run()


def test_the_learning_rate_warms_up_and_falls() -> None:
    made = Recipe(steps=100, warm_up=10, final_share=0.02)
    shares = [learning_rate_share(step, made) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == pytest.approx(1.0)
    assert shares[100] == pytest.approx(0.02)
