"""Train an AINet: the same model classes that tracking runs.

One process, one worker that makes the batches. A checkpoint holds everything, so that a stopped
run goes on where it was.
"""

from __future__ import annotations

import csv
import logging
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ainet_core.data.pairs import PairSampler
from ainet_core.model.ainet import AINet
from ainet_core.model.checkpoint import load_weights, save_checkpoint
from ainet_core.model.config import preset_config
from ainet_core.model.head import Prediction
from ainet_core.tracking.images import normalize
from ainet_core.tracking.tracker import choose_device
from ainet_core.training.dataset import Batch, BatchDataset, batches, load_groups
from ainet_core.training.losses import generalized_iou, target_cell, tracking_loss
from ainet_core.training.recipe import Recipe
from ainet_core.training.start import start_stem

logger = logging.getLogger(__name__)

SAVE_EVERY_S = 120.0
LOG_EVERY = 20


class Trainer:
    """One training run in a folder.

    Args:
        recipe: what to do.
        data: folder that the recipe's sources lie in; None if it only uses the generated world.
        output: the run's folder: `last.pt` (to go on from), `weights.safetensors`, `losses.csv`.
        start: weights to start from, else a pre-trained stem and random numbers.
        device: as the tracker's.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Path | None,
        output: Path,
        start: Path | None = None,
        device: str = "auto",
    ) -> None:
        self.recipe, self.data, self.output = recipe, data, output
        self.device = choose_device(device)
        torch.manual_seed(recipe.seed)
        self.model = AINet(preset_config(recipe.preset))
        if start is not None:
            load_weights(self.model, start)
        elif self.model.config.convolution_stem:
            start_stem(self.model.stem)
        self.model.to(self.device).train()
        if self.model.config.convolution_stem and recipe.stem_learning_rate == 0:
            self.model.stem.requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.model, recipe), betas=recipe.betas
        )
        self.average = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.averaging)
        )
        self.step = 0
        self.seconds = 0.0

    def run(self, resume: bool = False) -> Path:
        """Train to the last step. Returns the path of the weights.

        Raises:
            FileNotFoundError: data or, with `resume`, the checkpoint is not there.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        if resume:
            self._resume()
        recipe = self.recipe
        sampler = PairSampler(
            load_groups(recipe.sources, self.data, recipe.seed),
            self.model.config, recipe.seed, recipe.batch, recipe.both_cameras,
        )  # fmt: skip
        progress = tqdm(
            batches(BatchDataset(sampler, self.step, recipe.steps)),
            initial=self.step, total=recipe.steps, desc=f"train {recipe.preset}", unit="step",
        )  # fmt: skip
        figures: dict[str, float] = {}
        saved = started = time.monotonic()
        waiting = 0.0
        ready = time.monotonic()
        before = self.seconds
        for batch in progress:
            waiting += time.monotonic() - ready
            measured = self.train_step(batch)
            for name, value in measured.items():
                figures[name] = 0.95 * figures.get(name, value) + 0.05 * value
            ready = time.monotonic()
            self.seconds = before + ready - started
            if self.step % LOG_EVERY == 0 or self.step == recipe.steps:
                share = waiting / max(ready - started, 1e-9)
                progress.set_postfix_str(
                    " ".join(f"{k} {v:.3f}" for k, v in figures.items()) + f" wait {share:.0%}"
                )
                self._log(figures)
            if ready - saved > SAVE_EVERY_S or self.step == recipe.steps:
                self.save()
                saved = ready
        return self.output / "weights.safetensors"

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; returns the losses, the share of hit cells, and the overlap."""
        template, search, extent, box, present = (part.to(self.device) for part in batch)
        prediction = self.model(to_network(template), to_network(search), extent)
        losses = tracking_loss(prediction, box, present)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * learning_rate_share(self.step, self.recipe)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_norm)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        self.step += 1
        hit, iou = accuracy(prediction, box, present)
        return {
            "loss": losses.total.item(),
            "focal": losses.focal.item(),
            "hit": hit,
            "iou": iou,
        }

    def save(self) -> None:
        """Write the state to go on from, and the averaged weights, each whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        part = self.output / "last.pt.part"
        torch.save(state, part)
        part.replace(self.output / "last.pt")
        notes = {
            "steps": str(self.step),
            "minutes": f"{self.seconds / 60:.0f}",
            "seed": str(self.recipe.seed),
            "sources": ", ".join(f"{s.kind} {s.path}".strip() for s in self.recipe.sources),
        }
        averaged = self.average.module
        assert isinstance(averaged, AINet)
        save_checkpoint(self.output / "weights.safetensors", averaged, notes, half=True)

    def _resume(self) -> None:
        path = self.output / "last.pt"
        if not path.is_file():
            raise FileNotFoundError(f"nothing to resume: no {path}")
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        logger.info("resumed at step %d of %d", self.step, self.recipe.steps)

    def _log(self, figures: dict[str, float]) -> None:
        path = self.output / "losses.csv"
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(["step", "seconds", *figures])
            values = (f"{value:.5f}" for value in figures.values())
            writer.writerow([self.step, f"{self.seconds:.0f}", *values])


def parameter_groups(model: AINet, recipe: Recipe) -> list[dict[str, Any]]:
    """Optimiser groups: weight decay on matrices only, the stem at its own learning rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = recipe.stem_learning_rate if name.startswith("stem.") else recipe.learning_rate
        matrix = parameter.ndim >= 2 and "position" not in name and "log_a" not in name
        groups.setdefault((rate, recipe.weight_decay if matrix else 0.0), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "peak": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def learning_rate_share(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine down to `final_share`."""
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    done = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    return recipe.final_share + (1 - recipe.final_share) * 0.5 * (1 + math.cos(math.pi * done))


def to_network(crops: Tensor) -> Tensor:
    """(M, B, S, S, 3) uint8 -> (M, B, 3, S, S) float, normalised."""
    return normalize(crops.permute(0, 1, 4, 2, 3).float())


@torch.no_grad()
def accuracy(prediction: Prediction, box: Tensor, present: Tensor) -> tuple[float, float]:
    """Share of samples whose best cell is the true one or touches it, and the mean IoU there."""
    if not present.any():
        return 0.0, 0.0
    grid = prediction.score_logits.shape[-1]
    best = prediction.score_logits.flatten(1).argmax(dim=1)
    true = target_cell(box, grid)
    apart = torch.maximum((best % grid - true % grid).abs(), (best // grid - true // grid).abs())
    overlap = generalized_iou(prediction.boxes(best), box).clamp(min=0)
    return (apart <= 1)[present].float().mean().item(), overlap[present].mean().item()


def describe_run(trainer: Trainer) -> str:
    """One paragraph on what a run will do."""
    recipe = trainer.recipe
    count = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    names = ", ".join(f"{s.kind} {s.path}".strip() for s in recipe.sources)
    return (
        f"{recipe.preset}: {count / 1e6:.2f} M parameters to train on {trainer.device}, "
        f"{recipe.steps} steps of {recipe.batch} pairs, seed {recipe.seed}; from {names}"
    )


