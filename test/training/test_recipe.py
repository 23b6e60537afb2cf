"""Recipes: what is refused, and that the shipped ones are read."""

from pathlib import Path

import pytest

from ainet_core.training.recipe import Recipe

RECIPES = sorted((Path(__file__).parents[2] / "config" / "training").glob("*.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz: 3", "unknown key 'stepz', did you mean 'steps'"),
        ("steps: many", "steps must be int, got 'many'"),
        ("- steps", "must hold `key: value` lines, got list"),
        ("sources: [{kind: cloud, share: 1}]", "got 'cloud'"),
        ("sources: [{kind: world}]", "share"),
    ],
)
def test_refuses(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        Recipe.load(path)


def test_refuses_a_missing_file_and_a_setting_without_value(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no recipe at"):
        Recipe.load(tmp_path / "none.yaml")
    with pytest.raises(ValueError, match="key=value, got 'steps'"):
        Recipe.load(RECIPES[0], ["steps"])


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_are_read(path: Path) -> None:
    recipe = Recipe.load(path, ["steps=7", "learning_rate=1e-4"])
    assert recipe.steps == 7
    assert recipe.learning_rate == 1e-4
    assert recipe.sources
