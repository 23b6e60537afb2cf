"""Train an AINet: the same model classes that tracking runs.

On Lightning Fabric, not on Lightning's Trainer: Fabric takes over device, precision, clipping and
DDP, while the loop stays one that can be read and changed here. A checkpoint holds everything and
sample i is a function of (seed, i), so a run that is killed goes on as if nothing had happened,
and N processes see the samples that one would.
"""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ainet_core.data.pairs import PairSampler
from ainet_core.model.ainet import AINet
from ainet_core.tracking.images import to_network
from ainet_core.tracking.tracker import choose_device
from ainet_core.training.clips import Group, load_group, usable_sources
from ainet_core.training.dataset import Batch, BatchDataset, Loaded, batches
from ainet_core.training.fabric import make_fabric
from ainet_core.training.figures import Meter, accuracy
from ainet_core.training.losses import tracking_loss
from ainet_core.training.optimizer import learning_rate_share, parameter_groups
from ainet_core.training.pictures import picture_batch
from ainet_core.training.plan import describe_plan
from ainet_core.training.recipe import Recipe
from ainet_core.training.run_folder import RunFolder, describe_machine
from ainet_core.training.start import start_model
from ainet_core.training.unreadable import Unreadable

logger = logging.getLogger(__name__)


class Trainer:
    """One training run in a folder.

    Args:
        recipe: what to do.
        data: folder that the recipe's sources lie in; None: the generated world alone.
        output: the run's folder, see `RunFolder`.
        start: weights to start from, instead of the recipe's.
        device: as the tracker's.

    Raises:
        ValueError: batch, processes and parts do not fit, or the weights are another network's.
        FileNotFoundError: no such weights, or the data folder lacks what the recipe needs.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Path | None,
        output: Path,
        start: Path | None = None,
        device: str = "auto",
    ) -> None:
        self.recipe, self.data = recipe, data
        self.fabric = make_fabric(choose_device(device), recipe.precision)
        if not self.fabric.is_global_zero:  # what one process says is enough
            logging.getLogger("ainet_core").setLevel(logging.ERROR)
        parts = self.fabric.world_size * recipe.accumulate
        if recipe.batch % parts:
            raise ValueError(
                f"batch {recipe.batch} must be a multiple of {self.fabric.world_size} processes "
                f"x accumulate {recipe.accumulate}"
            )
        self.sources = usable_sources(recipe.sources, data)
        self.folder = RunFolder(output)
        torch.manual_seed(recipe.seed)
        self.model = AINet(recipe.config())
        self.start = start_model(self.model, recipe.preset, str(start or recipe.start))
        self.model.train()
        if self.model.config.convolution_stem and recipe.stem_learning_rate == 0:
            self.model.stem.requires_grad_(False)
        first, second = recipe.betas
        optimizer = torch.optim.AdamW(
            parameter_groups(self.model, recipe), betas=(first, second)
        )
        self.network, self.optimizer = self.fabric.setup(self.model, optimizer)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.averaging)
        )
        self.step = 0
        self.seconds = 0.0
        self.figures: dict[str, float] = {}  # of the last log_every steps
        self.groups: list[Group] = []

    def run(self, resume: bool = False) -> Path:
        """Train to the last step. Returns the path of the weights.

        Raises:
            FileNotFoundError: data or, with `resume`, the checkpoint is not there.
            ValueError: the checkpoint is another network's; over 1 % of the data is unreadable.
            OSError: the disk is full, or the data went away; the last checkpoint is whole.
            MemoryError: the GPU's memory does not suffice.
            FloatingPointError: the loss is no number any more.
        """
        self._open(resume)
        try:
            self._load(keep=self.folder.path)
            self._train()
        except torch.cuda.OutOfMemoryError as error:
            raise MemoryError(self._out_of_memory()) from error
        finally:
            self.folder.close()
        return self.folder.weights

    def dry_run(self) -> str:
        """Read a little of every source, train two steps, write nothing.

        Returns:
            what was found, and what the run would cost. Raises as `run`.
        """
        seconds = []
        try:
            self._load(keep=None, limit=2)
            for loaded in self._batches(last=2):
                batch = self._received(loaded, Unreadable(self.data, []))
                started = time.monotonic()
                loss = float(self.train_step(batch)["loss"])  # waits for the device
                seconds.append(time.monotonic() - started)
        except torch.cuda.OutOfMemoryError as error:
            raise MemoryError(self._out_of_memory()) from error
        return describe_plan(self.recipe, self.groups, self.fabric, seconds[-1], loss)

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        """One optimiser step on this process's share of a joint batch; figures are scalars."""
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * learning_rate_share(self.step, recipe)
        parts = recipe.accumulate
        present = self._mean(batch.present.sum().float())
        # What a part divides by, so that the mean over parts and processes is the joint loss.
        processes = self.fabric.world_size
        count = (present * processes).clamp(min=1) / (parts * processes)
        figures: dict[str, Tensor] = {}
        for number in range(parts):
            with self.fabric.no_backward_sync(self.network, enabled=number + 1 < parts):
                measured = self._backward(batch.part(number, parts), count)
            for name, value in measured.items():
                figures[name] = figures.get(name, torch.zeros_like(value)) + value / parts
        norm = self.fabric.clip_gradients(
            self.network, self.optimizer, max_norm=recipe.gradient_norm, error_if_nonfinite=False
        )
        assert norm is not None
        figures["gradient"] = norm
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update_parameters(self.model)
        self.step += 1
        return figures

    def _backward(self, part: Batch, count: Tensor) -> dict[str, Tensor]:
        """Add a part's gradient; `count` is what its box losses are divided by."""
        prediction = self.network(to_network(part.template), to_network(part.search), part.extent)
        losses = tracking_loss(prediction, part.box, part.present, part.sized, count)
        self.fabric.backward(losses.total / self.recipe.accumulate)
        hit, iou = accuracy(prediction, part.box, part.present)
        return {
            "loss": losses.total.detach(),
            "focal": losses.focal.detach(),
            "l1": losses.l1.detach(),
            "giou": losses.giou.detach(),
            "hit": hit,
            "iou": iou,
        }

    def save(self) -> None:
        """Write the state to go on from, and the averaged weights, each whole or not at all."""
        state = {
            "config": self.model.config.to_dict(),
            "recipe": self.recipe.to_dict(),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,  # also the schedule's position
            "seconds": self.seconds,
            "random": torch.get_rng_state(),
        }
        notes = {
            "steps": str(self.step),
            "minutes": f"{self.seconds / 60:.0f}",
            "seed": str(self.recipe.seed),
            "sources": ", ".join(group.source.label for group in self.groups),
        }
        averaged = self.average.module
        assert isinstance(averaged, AINet)
        self.folder.save(state, averaged, self._summary(), notes)

    def _open(self, resume: bool) -> None:
        if resume:
            self._resume()
        if self.fabric.is_global_zero:
            if resume:
                self.folder.go_on(self.step)
            else:
                self.folder.start()
        self.fabric.barrier()

    def _resume(self) -> None:
        state = self.folder.resume(self.fabric.device)
        ours = self.model.config.to_dict()
        other = {key: value for key, value in state["config"].items() if ours.get(key) != value}
        if other:
            told = ", ".join(f"{k}={v!r} instead of {ours.get(k)!r}" for k, v in other.items())
            raise ValueError(f"{self.folder.path}/last.pt is of another network: {told}")
        for key, value in self.recipe.to_dict().items():
            if value != state["recipe"].get(key):
                logger.warning("the recipe changed since the checkpoint: %s", key)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"].cpu())
        logger.info("resumed at step %d of %d", self.step, self.recipe.total_steps)

    def _load(self, keep: Path | None, limit: int | None = None) -> None:
        """Read the sources. One process first: it builds the indices that the others read."""
        self.groups = []
        with self.fabric.rank_zero_first():
            for number, source in self.sources:
                group = load_group(number, source, self.data, self.recipe.seed, keep, limit)
                self.groups.append(group)
                logger.info("%s", group.describe())

    def _batches(self, last: int) -> Any:
        recipe, fabric = self.recipe, self.fabric
        sampler = PairSampler(
            [(group.clips, group.source.share) for group in self.groups],
            self.model.config, recipe.seed, recipe.batch, recipe.both_cameras,
        )  # fmt: skip
        dataset = BatchDataset(sampler, self.step, last, fabric.global_rank, fabric.world_size)
        return batches(dataset, recipe.workers, pin_memory=fabric.device.type == "cuda")

    def _train(self) -> None:
        recipe, fabric = self.recipe, self.fabric
        skipped = Unreadable(self.data, [x for group in self.groups for x in group.unreadable])
        progress = tqdm(
            self._batches(recipe.total_steps), initial=self.step, total=recipe.total_steps,
            desc=f"train {recipe.preset}", unit="step", disable=not fabric.is_global_zero,
        )  # fmt: skip
        meter, saved = Meter(), time.monotonic()
        for loaded in progress:
            meter.received()
            batch = self._received(loaded, skipped)
            meter.add(self.train_step(batch))
            last = self.step == recipe.total_steps
            if self.step % recipe.log_every == 0 or last:
                self._log(meter)
                progress.set_postfix_str(
                    " ".join(f"{k} {self.figures[k]:.3f}" for k in ("loss", "hit", "iou", "wait"))
                )
                meter = Meter()
                if fabric.is_global_zero and (
                    time.monotonic() - saved > recipe.save_every or last
                ):
                    self.save()
                    self.folder.list_unreadable(skipped.lines)
                    saved = time.monotonic()
            if fabric.is_global_zero and (self.step % recipe.picture_every == 0 or last):
                averaged = self.average.module
                assert isinstance(averaged, AINet)
                self.folder.picture(self.step, picture_batch(averaged, batch))
        if skipped.lines:
            logger.warning(
                "%d files were unreadable and skipped, see %s/unreadable.txt",
                len(skipped.lines), self.folder.path,
            )  # fmt: skip

    def _received(self, loaded: Loaded, skipped: Unreadable) -> Batch:
        """The batch on the device, once what could not be read for it is counted."""
        try:
            skipped.count(loaded.unreadable, images=4 * self.recipe.batch)
            if loaded.batch is None:
                raise ValueError(f"no sample can be read: {loaded.unreadable[0]}")
        except (ValueError, OSError):
            if self.fabric.is_global_zero and self.folder.path.is_dir():
                self.folder.list_unreadable(skipped.lines)
            raise
        return loaded.batch.to(self.fabric.device)

    def _log(self, meter: Meter) -> None:
        self.seconds += meter.seconds
        means = self._mean(meter.means()).tolist()
        self.figures = dict(zip(meter.names, means, strict=True))
        if not math.isfinite(self.figures["loss"]):
            raise FloatingPointError(
                f"the loss is {self.figures['loss']} at step {self.step}: lower learning_rate "
                f"(now {self.recipe.learning_rate:g}); the last checkpoint is whole"
            )
        rate = self.recipe.learning_rate * learning_rate_share(self.step - 1, self.recipe)
        self.figures |= {"learning_rate": rate, "wait": meter.wait, "seconds": self.seconds}
        if self.fabric.is_global_zero:
            self.folder.log(self.step, self.figures)

    def _mean(self, values: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.fabric.world_size == 1:
            return values
        mean = self.fabric.all_reduce(values, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return mean

    def _summary(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "of": self.recipe.total_steps,
            "minutes": round(self.seconds / 60, 2),
            "figures": {name: float(f"{value:.6g}") for name, value in self.figures.items()},
            "start": self.start,
            "seed": self.recipe.seed,
            "machine": describe_machine(self.fabric.device, self.fabric.world_size),
            "data": [group.describe() for group in self.groups],
            "recipe": self.recipe.to_dict(),
        }

    def _out_of_memory(self) -> str:
        recipe = self.recipe
        each = recipe.batch // self.fabric.world_size // recipe.accumulate
        return (
            f"the GPU's memory does not hold {each} pairs at once: raise accumulate (now "
            f"{recipe.accumulate}), which changes no result, or lower batch (now {recipe.batch})"
        )
