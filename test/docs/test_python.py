"""The Python of the documentation runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from documentation import ROOT, Block, blocks


def readme() -> dict[str, Any]:
    """What the README's lines are given: images, a box, and frames; once without RGB."""
    coarse = np.random.default_rng(0).integers(0, 256, (24, 32, 3))
    rgb = np.kron(coarse, np.ones((10, 10, 1))).astype(np.uint8)  # nothing moves
    thermal = rgb[::2, ::2, 0].astype(np.uint16) * 50
    frames = [(rgb, thermal), (None, thermal), (rgb, thermal)]
    return {"rgb": rgb, "thermal": thermal, "box": (120, 80, 40, 60), "frames": frames}


def following() -> dict[str, Any]:
    """A bearing to the right of the axis, and a rate to the right."""
    vector = SimpleNamespace(vector=SimpleNamespace(x=0.2, y=0.0, z=0.0))
    return {"bearing": vector, "rate": vector, "gain": 1.5}


GIVEN = {"README.md": readme, "docs/following.md": following}


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.page.name)
def test_it_runs(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    names = GIVEN[str(block.page.relative_to(ROOT))]()
    exec(compile(block.text, block.page.name, "exec"), names)
    if block.page.name == "README.md":
        assert len(block.text.splitlines()) <= 10
        assert capsys.readouterr().out.count("tracking") == 3
        assert np.isfinite(names["target"].box).all()
    else:
        assert names["yaw_rate"] == pytest.approx(-0.5)  # to the right, as the page says


def test_no_page_is_given_what_it_does_not_need() -> None:
    assert {str(block.page.relative_to(ROOT)) for block in blocks("python")} == set(GIVEN)
