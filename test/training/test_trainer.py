"""Small runs in this process: what is refused, what they leave behind, how they end badly."""

from __future__ import annotations

import csv
import errno
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml

from ainet_core.cli import main
from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import load_checkpoint
from ainet_core.training.optimizer import learning_rate_share, parameter_groups
from ainet_core.training.recipe import Recipe
from ainet_core.training.trainer import Trainer


def small(data: Path, write_recipe, output: Path, **changes) -> Trainer:
    return Trainer(Recipe.load(write_recipe(**changes)), data, output, device="cpu")


def figures(output: Path) -> list[dict[str, str]]:
    with (output / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_refuses_data_that_is_not_there(tmp_path: Path, data: Path, write_recipe) -> None:
    with pytest.raises(FileNotFoundError, match="needs --data FOLDER"):
        Trainer(Recipe.load(write_recipe()), None, tmp_path, device="cpu")
    with pytest.raises(FileNotFoundError, match="no data folder at"):
        small(tmp_path / "nothing", write_recipe, tmp_path)
    half = [{"kind": "sequences", "path": name, "share": 1} for name in ("a", "scenes", "b")]
    with pytest.raises(FileNotFoundError, match="no folder a, b;"):
        small(data, write_recipe, tmp_path, sources=half)
    (tmp_path / "empty" / "scenes").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="source sequences scenes: no files in"):
        small(tmp_path / "empty", write_recipe, tmp_path / "run").run()
    with pytest.raises(FileNotFoundError, match="nothing to resume"):
        small(data, write_recipe, tmp_path / "none").run(resume=True)


def test_refuses_what_does_not_fit(tmp_path: Path, data: Path, write_recipe) -> None:
    with pytest.raises(ValueError, match="batch 8 must be a multiple of 1 processes x accumu"):
        small(data, write_recipe, tmp_path, accumulate=3)
    with pytest.raises(FileNotFoundError, match="no weights ship for preset 'tiny'"):
        small(data, write_recipe, tmp_path, start="shipped")


def test_a_run_leaves_all_that_is_promised(
    tmp_path: Path, data: Path, write_recipe, small_model: dict
) -> None:
    output = tmp_path / "run"
    trainer = small(data, write_recipe, output, steps=3, picture_every=2)
    weights = trainer.run()

    assert load_checkpoint(weights).config == trainer.model.config
    summary = yaml.safe_load((output / "summary.yaml").read_text())
    assert Recipe.from_dict(summary["recipe"], "summary") == trainer.recipe
    assert summary["step"] == 3
    assert summary["figures"]["loss"] > 0
    assert summary["machine"]["torch"] == torch.__version__
    assert summary["start"] == "random numbers"
    pictures = sorted(path.name for path in (output / "pictures").iterdir())
    assert pictures == ["step_0000002.png", "step_0000003.png"]
    assert list((output / "tensorboard").iterdir())
    assert [row["step"] for row in figures(output)] == ["1", "2", "3"]
    assert {"loss", "focal", "l1", "giou", "hit", "iou", "gradient", "learning_rate", "wait",
            "seconds"} <= figures(output)[0].keys()  # fmt: skip

    with pytest.raises(ValueError, match="holds a run: --resume goes on with it"):
        small(data, write_recipe, output).run()
    wider = small_model | {"width": 64}
    with pytest.raises(ValueError, match="of another network: width=32 instead of 64"):
        small(data, write_recipe, output, model=wider).run(resume=True)
    (output / "last.pt").write_bytes(b"\x80\x02broken")
    with pytest.raises(ValueError, match="last.pt is not a readable checkpoint"):
        small(data, write_recipe, output).run(resume=True)


def test_parts_are_as_the_whole_batch(tmp_path: Path, data: Path, write_recipe) -> None:
    measured = []
    for parts in (1, 4):
        output = tmp_path / f"run{parts}"
        small(data, write_recipe, output, steps=3, accumulate=parts, save_every=100).run()
        measured.append([[float(r[k]) for k in ("loss", "gradient")] for r in figures(output)])
    a, b = (torch.tensor(values) for values in measured)
    torch.testing.assert_close(a, b, rtol=1e-3, atol=0)


def test_half_precision_trains(tmp_path: Path, data: Path, write_recipe) -> None:
    trainer = small(data, write_recipe, tmp_path / "run", precision="bf16", steps=2)
    trainer.run()
    assert next(trainer.model.parameters()).dtype == torch.float32
    assert trainer.figures["loss"] > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_trains_on_a_gpu(tmp_path: Path, data: Path, write_recipe) -> None:
    trainer = Trainer(Recipe.load(write_recipe(steps=4)), data, tmp_path / "run", device="cuda")
    trainer.run()
    assert trainer.fabric.device.type == "cuda"
    assert trainer.figures["loss"] > 0


def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, data: Path, write_recipe, monkeypatch
) -> None:
    trainer = small(data, write_recipe, tmp_path / "run", steps=4)
    whole = torch.save

    def full(state, file):
        if state["step"] == 3:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(state, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match=r"cannot write .*last.pt \(No space left on device\)"):
        trainer.run()
    assert torch.load(tmp_path / "run" / "last.pt")["step"] == 2
    assert not list((tmp_path / "run").glob("*.part"))


def test_a_limit_on_files_ends_in_one_line(tmp_path: Path, data: Path, write_recipe) -> None:
    """The same with a real error of the system, in torch's own writer.

    The limit is above a batch, which workers hand over through shared memory, and below last.pt.
    """
    code = (
        "import resource, sys; from ainet_core.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); "
        "sys.exit(main(sys.argv[1:]))"
    )
    recipe = str(write_recipe(steps=2, batch=2))
    arguments = ["train", recipe, "--data", str(data), "--device", "cpu"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--output", str(tmp_path / "run")],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    last_line = ended.stderr.strip().splitlines()[-1]
    assert last_line.startswith("ainet train: cannot write"), last_line
    assert "last.pt (File too large); what it held is whole" in last_line
    assert not (tmp_path / "run" / "last.pt").exists()


def test_a_full_gpu_says_what_to_lower(
    tmp_path: Path, data: Path, write_recipe, monkeypatch
) -> None:
    trainer = small(data, write_recipe, tmp_path / "run", accumulate=2)

    def full(batch):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainer, "train_step", full)
    with pytest.raises(MemoryError, match=r"hold 4 pairs at once: raise accumulate \(now 2\)"):
        trainer.run()


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, data: Path, write_recipe) -> None:
    trainer = small(data, write_recipe, tmp_path / "run", steps=3)
    with torch.no_grad():
        trainer.model.head.score[0].weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1: lower learning_rate"):
        trainer.run()
    assert not (tmp_path / "run" / "last.pt").exists()


def test_a_dry_run_trains_two_steps_and_writes_nothing(
    tmp_path: Path, data: Path, write_recipe
) -> None:
    trainer = small(data, write_recipe, tmp_path / "run", steps=1000)
    told = trainer.dry_run()
    assert trainer.step == 2
    assert "sequences scenes: 2 folders, 2 clips, 12 frames" in told
    assert "1,000 of 8 pairs" in told
    assert "memory: about" in told
    assert "s a step on 1 x cpu" in told
    assert not (tmp_path / "run").exists()


def test_a_dry_run_looks_further_than_files_without_targets(
    tmp_path: Path, data: Path, write_recipe
) -> None:
    shutil.copytree(data / "scenes", tmp_path / "scenes")
    for name in ("a", "b", "c"):  # a flat picture: nothing to follow
        folder = tmp_path / "scenes" / name / "rgb"
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "1.png"), np.full((90, 120, 3), 80, np.uint8))
    told = small(tmp_path, write_recipe, tmp_path / "run").dry_run()
    assert "sequences scenes: 5 folders, 2 clips" in told


def test_one_of_few_unreadable_files_stops_it(tmp_path: Path, data: Path, write_recipe) -> None:
    shutil.copytree(data / "scenes", tmp_path / "scenes")
    (tmp_path / "scenes" / "one" / "groundtruth.txt").write_text("1,2,3\n")
    with pytest.raises(ValueError, match=r"1 of 2 files cannot be used, more than 1%.*line 1"):
        small(tmp_path, write_recipe, tmp_path / "run").run()


def test_without_data_the_generated_world_takes_over(tmp_path: Path, write_recipe, caplog) -> None:
    sources = [
        {"kind": "sequences", "path": "scenes", "share": 1},
        {"kind": "world", "camera": "both", "share": 1, "count": 2},
    ]
    path = write_recipe(sources=sources, steps=1)
    trainer = Trainer(Recipe.load(path), None, tmp_path / "run", device="cpu")
    assert caplog.text.count("left out, no --data FOLDER given: sequences scenes") == 1
    trainer.run()
    assert [group.source.kind for group in trainer.groups] == ["world"]


def test_says_what_to_install(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    for name in [name for name in sys.modules if name.startswith("ainet_core.training.")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["train", "any.yaml"]) == 2
    said = capsys.readouterr().err.strip()
    assert said == (
        "ainet train: training needs lightning_fabric: pip install 'ainet_ros[training]'"
    )


def test_the_backbone_and_the_stem_learn_at_their_own_rates() -> None:
    recipe = Recipe(learning_rate=1e-3, backbone_share=0.1, stem_learning_rate=1e-5)
    model = AINet(recipe.config())
    rates = {
        id(parameter): group["peak"]
        for group in parameter_groups(model, recipe)
        for parameter in group["params"]
    }
    expected = {"blocks.0.attn.qkv.weight": 1e-4, "search_position": 1e-4,
                "dfm.0.norm.weight": 1e-3, "stem.first.0.weight": 1e-5}  # fmt: skip
    for name, rate in expected.items():
        assert rates[id(model.get_parameter(name))] == pytest.approx(rate), name


def test_the_learning_rate_drops_after_an_epoch() -> None:
    recipe = Recipe(schedule="drops", drop_epochs=(10.0,), epochs=15, epoch_pairs=60_000,
                    batch=16, warm_up=0)  # fmt: skip
    assert recipe.total_steps == 56_250
    shares = [learning_rate_share(step, recipe) for step in (0, 37_499, 37_500, 56_249)]
    assert shares == pytest.approx([1, 1, 0.1, 0.1])


def test_the_learning_rate_warms_up_and_falls() -> None:
    made = Recipe(steps=100, warm_up=10, final_share=0.02)
    shares = [learning_rate_share(step, made) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == pytest.approx(1.0)
    assert shares[100] == pytest.approx(0.02)
