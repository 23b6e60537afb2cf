"""docs/training.md names what exists, and holds the tables and figures that the code gives."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ainet_core.cli import make_parser
from ainet_core.model.config import preset_config
from ainet_core.model.cost import measure_cost
from ainet_core.training.plan import operations_per_step
from ainet_core.training.recipe import Recipe, Source, keys_table

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "training.md").read_text()
COMMANDS = re.findall(r"ainet (?:train|track|import-weights) [^\n`]*", TEXT) + [
    f"ainet {found}" for found in re.findall(r"-m ainet_core\.cli (.*)", TEXT)
]


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str) -> None:
    words = shlex.split(command, comments=True)[1:]
    options = make_parser().parse_args(words)
    if options.command == "train":
        Recipe.load(ROOT / options.recipe, options.set)


def test_recipes_exist_and_all_are_listed() -> None:
    named = set(re.findall(r"config/training/(\w+\.yaml)", TEXT))
    assert named == {path.name for path in (ROOT / "config" / "training").glob("*.yaml")}


@pytest.mark.parametrize("kind", [Recipe, Source])
def test_tables_are_the_codes(kind: type) -> None:
    expected = keys_table(kind)
    assert expected in TEXT, f"docs/training.md must hold this table:\n{expected}"


def test_figures_are_counted() -> None:
    paper = Recipe.load(ROOT / "config" / "training" / "paper.yaml")
    assert paper.total_steps * paper.batch == 900_000
    base = measure_cost(preset_config("base"))
    assert f"{base.operations / 1e9:.1f} GFLOP for a pair" in TEXT
    assert f"x {base.parameters / 1e6:.0f} M parameters" in TEXT
    step = operations_per_step(paper)
    assert f"{step / 1e12:.1f} TFLOP a step, {step * paper.total_steps / 1e15:.0f} PFLOP" in TEXT
    beyond = Recipe.load(ROOT / "config" / "training" / "beyond.yaml")
    step = operations_per_step(beyond)
    assert f"{step / 1e12:.0f} TFLOP a step" in TEXT
    assert f"{step * beyond.total_steps / 1e18:.1f} EFLOP in all" in TEXT
    nano = measure_cost(preset_config("nano"))
    assert f"({nano.operations / 1e9:.2f} GFLOP a pair" in TEXT
