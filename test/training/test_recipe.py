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
        ("sources: {kind: world}", "sources must be a list"),
        ("sources: [world]", r"sources.0 must hold `key: value` pairs, got 'world'"),
        ("sources: []", "at least one source"),
        ("sources: [{kind: world, pth: x}]", "sources.0: unknown key 'pth', did you mean 'path'"),
        ("sources: [{kind: benchmark, share: 1}]", "needs `dataset`"),
        ("model: {wdth: 3}", "unknown key 'wdth', did you mean 'width'"),
        ("model: {width: 99}", "width must be a multiple of heads"),
        ("model: 3", "model must be a mapping, got 3"),
        ("batch: 0", "recipe batch must be at least 1, got 0"),
        ("batch: true", "batch must be int, got True"),
        ("learning_rate: [1]", "learning_rate must be a number"),
        ("betas: 0.9", "betas must be a list of numbers"),
        ("betas: [0.9]", "betas must be two numbers"),
        ("precision: half", "precision must be one of auto, float32, bf16, float64"),
        ("schedule: steps", "schedule must be one of cosine, drops"),
        ("schedule: drops", "needs `drop_epochs`"),
        ("epochs: 0", "at least one step"),
        ("preset: huge", "preset must be one of base"),
        ("steps: [1", "not YAML"),
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


def test_settings_reach_into_sources_and_the_network() -> None:
    path = RECIPES[0].with_name("nano.yaml")
    recipe = Recipe.load(path, ["sources.0.share=0.5", "model.ofm=false", "epochs=2"])
    assert recipe.sources[0].share == 0.5
    assert not recipe.config().ofm
    assert recipe.total_steps == 8000
    for wrong in ("sources.99.share=1", "sources.first.share=1", "steps.0=1"):
        with pytest.raises(ValueError, match="no such place"):
            Recipe.load(path, ["steps=3", wrong])


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_in_full_is_read_back(path: Path) -> None:
    recipe = Recipe.load(path)
    assert Recipe.from_dict(recipe.to_dict(), "again") == recipe


def test_the_papers_recipe_is_the_papers() -> None:
    recipe = Recipe.load(RECIPES[0].with_name("paper.yaml"))
    assert recipe.preset == "base"
    assert recipe.total_steps == 15 * 60_000 // 16
    assert (recipe.learning_rate, recipe.weight_decay, recipe.backbone_share) == (1e-4, 1e-4, 0.1)
    assert recipe.drop_epochs == (10,)
    assert recipe.sources[0].dataset == "lasher"
