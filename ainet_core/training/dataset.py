"""Batches in order, made by worker processes ahead of the training."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ainet_core.data.pairs import PairSampler, Sample
from ainet_core.training.streams import UnreadableError


class Batch(NamedTuple):
    """B samples of M cameras; see `Sample`.

    Attributes:
        template: (M, B, Ht, Wt, 3) uint8.
        search: (M, B, Hs, Ws, 3) uint8.
        extent: (B, 2).
        box: (B, 4).
        present: (B,) bool.
        sized: (B,) bool.
    """

    template: Tensor
    search: Tensor
    extent: Tensor
    box: Tensor
    present: Tensor
    sized: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(part.to(device, non_blocking=True) for part in self))

    def part(self, number: int, count: int) -> Batch:
        """Part `number` of `count` equal ones."""
        size = len(self.present) // count
        chosen = slice(number * size, (number + 1) * size)
        return Batch(
            self.template[:, chosen], self.search[:, chosen], self.extent[chosen],
            self.box[chosen], self.present[chosen], self.sized[chosen],
        )  # fmt: skip


class Loaded(NamedTuple):
    """A batch, None if no sample of it can be read, and what could not be read for it."""

    batch: Batch | None
    unreadable: list[str]


class BatchDataset(Dataset[Loaded]):
    """Item n is this process's share of step (first_step + n)'s batch.

    The joint batch of a step is the same whatever the number of processes: process `rank` of
    `world_size` takes one of its equal parts.
    """

    def __init__(
        self, sampler: PairSampler, first_step: int, steps: int, rank: int = 0, world_size: int = 1
    ) -> None:
        self.sampler, self.first_step, self.steps = sampler, first_step, steps
        share = sampler.batch // world_size
        self.places = range(rank * share, (rank + 1) * share)

    def __len__(self) -> int:
        return self.steps - self.first_step

    def __getitem__(self, item: int) -> Loaded:
        unreadable: list[str] = []
        samples = [
            self._sample(self.first_step + item, place, unreadable) for place in self.places
        ]
        if any(sample is None for sample in samples):
            return Loaded(None, unreadable)
        return Loaded(collate([s for s in samples if s is not None]), unreadable)

    def _sample(self, step: int, place: int, unreadable: list[str]) -> Sample | None:
        """A sample that cannot be read gives its place to the next one of the joint batch."""
        count = self.sampler.batch
        for shift in range(count):
            try:
                return self.sampler.sample(step * count + (place + shift) % count)
            except UnreadableError as error:
                unreadable.append(str(error))
        return None


def collate(samples: list[Sample]) -> Batch:
    """Samples with the same number of cameras as one batch."""
    return Batch(
        torch.from_numpy(np.stack([s.template for s in samples], axis=1)),
        torch.from_numpy(np.stack([s.search for s in samples], axis=1)),
        torch.from_numpy(np.stack([s.extent for s in samples])),
        torch.from_numpy(np.stack([s.box for s in samples])),
        torch.tensor([s.present for s in samples]),
        torch.tensor([s.sized for s in samples]),
    )


def batches(dataset: BatchDataset, workers: int, pin_memory: bool = False) -> Iterator[Loaded]:
    """The dataset's items in order, made by worker processes ahead of time."""
    # Forked, where the system can: clips are shared with the workers, not copied.
    forks = "fork" in multiprocessing.get_all_start_methods()
    return iter(
        DataLoader(
            dataset, batch_size=None, num_workers=workers, prefetch_factor=4,
            multiprocessing_context="fork" if forks else "spawn",
            worker_init_fn=_start_worker, pin_memory=pin_memory,
        )
    )  # fmt: skip


def _start_worker(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
