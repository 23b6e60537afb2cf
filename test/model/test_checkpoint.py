"""Weights on disk: what is refused, and that they come back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from networks import SMALL, small_network
from safetensors.torch import save_file

from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import load_checkpoint, load_weights, save_checkpoint


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_refuses_what_is_not_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(b"\x80\x04not weights at all")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_checkpoint(path)


def test_refuses_foreign_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, str(path))
    with pytest.raises(ValueError, match="not an AINet checkpoint"):
        load_checkpoint(path)


def test_refuses_the_weights_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_checkpoint(path, small_network())
    with pytest.raises(ValueError, match="depth=3 instead of 2"):
        load_weights(AINet(dataclasses.replace(SMALL, depth=2)), path)


@pytest.mark.parametrize("half", [False, True])
def test_weights_come_back(tmp_path: Path, half: bool) -> None:
    path = tmp_path / "weights.safetensors"
    network = small_network()
    save_checkpoint(path, network, {"steps": "7"}, half=half)
    again = load_checkpoint(path)
    tolerance = 1e-3 if half else 0
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=tolerance, atol=tolerance)
    assert again.config == network.config
