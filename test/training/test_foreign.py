"""Foreign checkpoints: what is refused, and that the encoder is the other network's."""

from __future__ import annotations

import dataclasses
import os
import sys
import types
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from ainet_core.cli import main
from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import load_checkpoint
from ainet_core.model.config import ModelConfig, preset_config
from ainet_core.training.foreign import import_weights, resize_positions

CONFIG = ModelConfig(
    width=32, depth=3, heads=4, template_size=64, search_size=128, head_width=16, state_size=4
)
SEED = 11


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"seed {SEED}")
    torch.manual_seed(SEED)


def vit_weights(prefix: str = "") -> dict[str, Tensor]:
    """Random weights of a plain ViT in timm's layout."""
    c, hidden = CONFIG.width, 4 * CONFIG.width
    shapes = {"patch_embed.proj.weight": (c, 3, 16, 16), "patch_embed.proj.bias": (c,),
              "norm.weight": (c,), "norm.bias": (c,)}  # fmt: skip
    for layer in range(CONFIG.depth):
        for name, shape in {
            "norm1": (c,), "norm2": (c,), "attn.qkv": (3 * c, c), "attn.proj": (c, c),
            "mlp.fc1": (hidden, c), "mlp.fc2": (c, hidden),
        }.items():  # fmt: skip
            shapes[f"blocks.{layer}.{name}.weight"] = shape
            shapes[f"blocks.{layer}.{name}.bias"] = shape[:1]
    return {prefix + name: torch.randn(shape) * 0.2 for name, shape in shapes.items()}


def plain_vit(w: dict[str, Tensor], z: Tensor, x: Tensor, pos_z: Tensor, pos_x: Tensor):
    """An independent joint ViT over template and search tokens: every block's output, normed."""
    heads, c = CONFIG.heads, CONFIG.width

    def embed(image: Tensor) -> Tensor:  # patches cut by hand, not by a convolution
        patches = F.unfold(image, 16, stride=16).transpose(1, 2)
        return patches @ w["patch_embed.proj.weight"].flatten(1).T + w["patch_embed.proj.bias"]

    def norm(tokens: Tensor, name: str) -> Tensor:
        mean = tokens.mean(-1, keepdim=True)
        spread = (tokens.var(-1, correction=0, keepdim=True) + 1e-6).sqrt()
        return (tokens - mean) / spread * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(tokens: Tensor, name: str) -> Tensor:
        return tokens @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    tokens = torch.cat([embed(z) + pos_z, embed(x) + pos_x], dim=1)
    outputs = []
    for layer in range(CONFIG.depth):
        name = f"blocks.{layer}"
        qkv = linear(norm(tokens, f"{name}.norm1"), f"{name}.attn.qkv")
        parts = qkv.unflatten(2, (3, heads, c // heads))
        q, k, v = (parts[:, :, i].transpose(1, 2) for i in range(3))
        weight = (q @ k.transpose(2, 3) / (c // heads) ** 0.5).softmax(-1)
        mixed = (weight @ v).transpose(1, 2).flatten(2)
        tokens = tokens + linear(mixed, f"{name}.attn.proj")
        hidden = linear(norm(tokens, f"{name}.norm2"), f"{name}.mlp.fc1")
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
        tokens = tokens + linear(hidden, f"{name}.mlp.fc2")
        outputs.append(tokens)
    return outputs, norm(tokens, "norm")


@torch.no_grad()
def assert_same_encoder(model: AINet, w: dict[str, Tensor], pos_z: Tensor, pos_x: Tensor) -> None:
    # In float64: the random weights make features of size 10, whose last float32 digit is 1e-6.
    w = {name: value.double() for name, value in w.items()}
    pos_z, pos_x = pos_z.double(), pos_x.double()
    z, x = torch.randn(1, 3, 64, 64).double(), torch.randn(1, 3, 128, 128).double()
    expected, final = plain_vit(w, z, x, pos_z, pos_x)
    model.double().eval()
    both = torch.stack([z, z]), torch.stack([x, x])  # two cameras that see the same
    fused = model.encode(model.encode_template(both[0], torch.ones(1, 2).double()), both[1])
    for ours, theirs in zip(fused, expected, strict=True):
        torch.testing.assert_close(ours / 2, theirs, rtol=0, atol=1e-5)
    torch.testing.assert_close(model.norm(fused[-1]), final, rtol=0, atol=1e-5)
    different = torch.stack([z, torch.randn_like(z)]), torch.stack([x, torch.randn_like(x)])
    template = model.encode_template(different[0], torch.ones(1, 2).double())
    alone = model.encode(template, different[1])
    expected_other, _ = plain_vit(w, different[0][1], different[1][1], pos_z, pos_x)
    # A fresh DFM lets both cameras pass: their sum is the sum of two single encoders.
    torch.testing.assert_close(alone[-1], expected[-1] + expected_other[-1], rtol=0, atol=2e-5)


def foreign_class(module: str, name: str) -> type:
    """A class that can be pickled now; its module is gone when the file is read."""
    made = type(name, (), {"__module__": module})
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
    setattr(sys.modules[module], name, made)
    return made


def forget_foreign_modules() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "lib"]:
        del sys.modules[name]


@pytest.fixture(name="settings")
def _settings():
    cls = foreign_class("lib.train.admin.local", "EnvironmentSettings")
    meter = foreign_class("lib.train.admin.stats", "AverageMeter")
    made = cls()
    made.workspace_dir = "/somewhere"
    statistics = {"train": {"Loss/total": meter()}}
    yield {"settings": made, "stats": statistics, "epoch": 300}
    forget_foreign_modules()


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_refuses_a_pickle_that_would_run_a_command(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    content = {"net": vit_weights("backbone."), "x": Hostile(f"touch {trap}")}
    torch.save(content, tmp_path / "h.pth")
    with pytest.raises(ValueError, match=r"asks for \w+.system: refused"):
        import_weights(tmp_path / "h.pth", CONFIG)
    torch.save({"x": Hostile(f"touch {trap}")}, tmp_path / "old.pth",
               _use_new_zipfile_serialization=False)  # fmt: skip
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        import_weights(tmp_path / "old.pth", CONFIG)
    assert not trap.exists()


def test_refuses_what_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file at"):
        import_weights(tmp_path / "none.pth", CONFIG)
    with pytest.raises(ValueError, match="convolution stem"):
        import_weights(tmp_path / "none.pth", preset_config("nano"))
    (tmp_path / "text.pth").write_text("not a checkpoint")
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        import_weights(tmp_path / "text.pth", CONFIG)
    whole = {**vit_weights(), "pos_embed": torch.randn(1, 65, 32),
             "cls_token": torch.zeros(1, 1, 32)}  # fmt: skip
    cases = [
        ({"a": torch.zeros(1)}, "expected the keys of OSTrack"),
        ({k: v for k, v in whole.items() if "blocks.2" not in k}, "missing keys blocks.2"),
        ({**whole, "blocks.0.ls1.gamma": torch.zeros(32)}, "unexpected keys blocks.0.ls1.gamma"),
        ({**whole, "fc_norm.weight": torch.zeros(32)}, "unexpected keys for timm ViT: fc_norm"),
        ({**whole, "norm.weight": torch.zeros(64)}, r"norm.weight has shape \(64,\)"),
        ({k: v for k, v in whole.items() if k != "cls_token"}, "pos_embed must be"),
        ({"net": {**whole, "epoch": 3}}, "expected weights alone, got epoch"),
    ]
    for content, message in cases:
        torch.save(content, tmp_path / "case.pth")
        with pytest.raises(ValueError, match=message):
            import_weights(tmp_path / "case.pth", CONFIG)


@pytest.mark.parametrize("temporal", [False, True], ids=["OSTrack", "DropTrack"])
def test_a_trackers_encoder(tmp_path: Path, settings: dict, temporal: bool) -> None:
    w = vit_weights("backbone.")
    pos_z, pos_x = torch.randn(1, 16, 32), torch.randn(1, 64, 32)
    net = {**w, "backbone.pos_embed_z": pos_z, "backbone.pos_embed_x": pos_x,
           "backbone.cls_token": torch.zeros(1, 1, 32),
           "backbone.pos_embed": torch.zeros(1, 197, 32),
           "box_head.conv1_ctr.0.weight": torch.zeros(8, 32, 3, 3)}  # fmt: skip
    if temporal:
        net["backbone.temporal_pos_embed_z"] = torch.randn(1, 1, 32)
        net["backbone.temporal_pos_embed_x"] = torch.randn(1, 1, 32)
        pos_z = pos_z + net["backbone.temporal_pos_embed_z"]
        pos_x = pos_x + net["backbone.temporal_pos_embed_x"]
    path = tmp_path / "tracker.pth.tar"
    torch.save({**settings, "net": net}, path)
    forget_foreign_modules()

    imported = import_weights(path, CONFIG)
    assert imported.inert == [
        "lib.train.admin.local.EnvironmentSettings", "lib.train.admin.stats.AverageMeter"
    ]  # fmt: skip
    assert not any(name.startswith("lib.train") for name in sys.modules)
    assert sorted(imported.ignored) == [
        "backbone.cls_token", "backbone.pos_embed", "box_head.conv1_ctr.0.weight"
    ]  # fmt: skip
    plain = {name.removeprefix("backbone."): value for name, value in w.items()}
    assert_same_encoder(imported.model, plain, pos_z, pos_x)


@pytest.mark.parametrize("layout", ["MAE", "timm", "safetensors", "distilled"])
def test_an_image_models_encoder_with_resized_positions(tmp_path: Path, layout: str) -> None:
    w = vit_weights()
    first = 2 if layout == "distilled" else 1
    positions = torch.randn(1, first + 36, 32)  # of a 96 x 96 image
    content = {**w, "pos_embed": positions, "cls_token": torch.zeros(1, 1, 32)}
    path = tmp_path / "model.pth"
    if layout == "MAE":
        content |= {"mask_token": torch.zeros(1, 1, 32), "decoder_pred.bias": torch.zeros(3)}
        torch.save({"model": content}, path)
    elif layout == "safetensors":
        path = tmp_path / "model.safetensors"
        save_file({**content, "head.weight": torch.zeros(10, 32)}, str(path))
    else:
        if layout == "distilled":
            content["dist_token"] = torch.zeros(1, 1, 32)
        torch.save({**content, "head.weight": torch.zeros(10, 32)}, path)

    imported = import_weights(path, CONFIG)
    assert "cls_token" in imported.ignored
    square = positions[:, first:].transpose(1, 2).reshape(1, 32, 6, 6)
    expected = [
        F.interpolate(square, (n, n), mode="bicubic").flatten(2).transpose(1, 2) for n in (4, 8)
    ]
    assert_same_encoder(imported.model, w, *expected)


def test_without_fusion_the_output_is_the_trackers(tmp_path: Path) -> None:
    """Baseline of the ablations: final norm included."""
    baseline = dataclasses.replace(CONFIG, dfm=False, ofm=False)
    w = vit_weights()
    positions = torch.randn(1, 1 + 16, 32)
    content = {**w, "pos_embed": positions, "cls_token": torch.zeros(1, 1, 32)}
    torch.save(content, tmp_path / "a.pth")
    model = import_weights(tmp_path / "a.pth", baseline).model
    assert_same_encoder(
        model, w, positions[:, 1:], resize_positions(positions[:, 1:], CONFIG.search_grid)
    )


def test_the_command_imports_for_a_preset_or_a_recipe(tmp_path: Path, capsys) -> None:
    w = vit_weights()
    content = {**w, "pos_embed": torch.randn(1, 197, 32), "cls_token": torch.zeros(1, 1, 32)}
    torch.save(content, tmp_path / "vit.pth")
    recipe = tmp_path / "mine.yaml"
    sizes = {name: getattr(CONFIG, name) for name in ("width", "depth", "heads", "head_width",
                                                      "template_size", "search_size")}  # fmt: skip
    recipe.write_text(yaml.safe_dump({"preset": "base", "model": sizes}))
    output = tmp_path / "start.safetensors"
    arguments = ["import-weights", str(tmp_path / "vit.pth"), "--output", str(output), "--as"]
    assert main([*arguments, "base"]) == 2
    assert "missing keys blocks.10" in capsys.readouterr().err
    assert main([*arguments, str(recipe)]) == 0
    assert "ignored keys: cls_token" in capsys.readouterr().out
    assert load_checkpoint(output).config.search_size == CONFIG.search_size
