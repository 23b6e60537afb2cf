"""Runs in processes of their own: killed and resumed, and two processes against one."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
TIMES = ("wait", "seconds")


def command(recipe: Path, data: Path, output: Path, *more: str) -> list[str]:
    return ["ainet_core.cli", "train", str(recipe), "--data", str(data),
            "--output", str(output), "--device", "cpu", *more]  # fmt: skip


def train(recipe: Path, data: Path, output: Path, *more: str) -> None:
    arguments = [sys.executable, "-m", *command(recipe, data, output, *more)]
    subprocess.run(arguments, env=ENVIRONMENT, check=True, timeout=300, capture_output=True)


def rows(output: Path) -> list[dict[str, str]]:
    with (output / "losses.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file)]


@pytest.mark.slow
def test_killed_and_resumed_is_as_if_nothing_had_happened(
    tmp_path: Path, data: Path, write_recipe
) -> None:
    recipe = write_recipe(steps=40, batch=4, save_every=0.1)
    train(recipe, data, tmp_path / "whole")

    parts = tmp_path / "parts"
    arguments = [sys.executable, "-m", *command(recipe, data, parts)]
    with subprocess.Popen(arguments, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as run:
        until = time.monotonic() + 120
        while not (parts / "last.pt").exists() or len(rows(parts)) < 6:
            assert time.monotonic() < until
            assert run.poll() is None, "the run ended before it could be killed"
            time.sleep(0.01)
        run.kill()  # SIGKILL
    assert int(rows(parts)[-1]["step"]) < 40
    train(recipe, data, parts, "--resume")

    assert rows(parts) == rows(tmp_path / "whole")  # to the last printed digit
    states = [torch.load(tmp_path / name / "last.pt") for name in ("whole", "parts")]
    assert states[0]["step"] == states[1]["step"] == 40
    for part in ("model", "average"):
        for name, value in states[0][part].items():
            assert torch.equal(value, states[1][part][name]), name
    weights = [load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts")]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


@pytest.mark.slow
def test_two_processes_are_as_one(tmp_path: Path, data: Path, write_recipe) -> None:
    recipe = write_recipe(precision="float64", steps=20, batch=4, save_every=1000)
    train(recipe, data, tmp_path / "one")

    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                "--nproc-per-node", "2", "-m"]  # fmt: skip
    subprocess.run(
        [*launcher, *command(recipe, data, tmp_path / "two")],
        env=ENVIRONMENT, check=True, timeout=300, capture_output=True,
    )  # fmt: skip
    one, two = rows(tmp_path / "one"), rows(tmp_path / "two")
    assert len(one) == len(two) == 20
    for a, b in zip(one, two, strict=True):
        for name in ("loss", "focal", "l1", "giou", "gradient"):
            assert float(b[name]) == pytest.approx(float(a[name]), rel=1e-5), (a["step"], name)
    # What differs by a little in one step would differ by much after twenty.
    weights = [load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two")]
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-3, atol=1e-4)
