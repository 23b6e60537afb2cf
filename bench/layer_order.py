"""`python bench/layer_order.py WEIGHTS ... --data LIST.csv`: does the input choose the order?

Runs each tracker over every sequence of a list, and counts the orders that its OFM chose. A plot
shows where it puts which layer; the scores tell how near another order was.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from pages import table
from torch import Tensor, nn
from tqdm import tqdm

from ainet_core.data.readers import read_benchmark
from ainet_core.data.sequence import Sequence
from ainet_core.tracking.tracker import Tracker

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402


@dataclass(frozen=True)
class Chosen:
    """Of n frames of L layers.

    Attributes:
        orders: (n, L), the layers (from 0) as they were scanned.
        scores: (n, L), of each layer; they are sorted to make the order.
    """

    orders: NDArray[np.int64]
    scores: NDArray[np.float64]

    def commonest(self) -> tuple[str, float]:
        """The order chosen most often, and its share of the frames."""
        counts = Counter(" ".join(map(str, order)) for order in self.orders)
        order, count = counts.most_common(1)[0]
        return order, count / len(self.orders)

    def places(self) -> NDArray[np.float64]:
        """(L, L): the share of frames in which layer i comes at place j."""
        layers = self.orders.shape[1]
        return np.stack([(self.orders == layer).mean(axis=0) for layer in range(layers)])

    def row(self, name: str) -> list[str]:
        order, share = self.commonest()
        different = len(np.unique(self.orders, axis=0))
        gaps = -np.diff(np.sort(self.scores, axis=1)[:, ::-1], axis=1)
        spread = self.scores.std(axis=0).mean()
        return [name, order, f"{share:.0%}", str(different), f"{spread:.3f}", f"{gaps.min():.3f}"]


HEADER = ["network", "commonest order", "its share", "different orders",
          "spread of a layer's score over frames", "smallest gap between scores"]  # fmt: skip


def watch(tracker: Tracker, sequences: list[Sequence], frames: int) -> Chosen:
    """Run over the first frames of each sequence and note what the OFM chose."""
    scores: list[Tensor] = []

    def note(module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        scores.append(made[0])

    assert tracker.model.ofm is not None
    hook = tracker.model.ofm.order.register_forward_hook(note)
    orders = []
    for sequence in tqdm(sequences, unit="sequence", desc=tracker.preset, leave=False):
        for number, (rgb, thermal) in enumerate(sequence[:frames].frames()):
            if number == 0:
                tracker.init(rgb, thermal, sequence.groundtruth[0])
            else:
                orders.append(tracker.update(rgb, thermal).order)
    hook.remove()
    return Chosen(np.array(orders), torch.stack(scores).double().numpy())


def plot(chosen: dict[str, Chosen], path: Path) -> None:
    """Where each network puts which layer."""
    figure, axes = pyplot.subplots(
        1, len(chosen), figsize=(2.6 * len(chosen) + 0.6, 2.9), squeeze=False, layout="constrained"
    )
    for axis, (name, one) in zip(axes[0], chosen.items(), strict=True):
        image = axis.imshow(one.places(), cmap="viridis", vmin=0, vmax=1)
        axis.set(title=name, xlabel="place in the scan", ylabel="layer")
        axis.set_xticks(range(one.orders.shape[1]))
        axis.set_yticks(range(one.orders.shape[1]))
    figure.colorbar(image, ax=axes[0].tolist(), label="share of frames")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--data", required=True, help="sequences, a CSV")
    parser.add_argument("--frames", type=int, default=20, help="first frames of each sequence")
    parser.add_argument("--plot", type=Path, help="PNG to write")
    options = parser.parse_args()
    sequences = list(read_benchmark(options.data))
    chosen = {
        str(path): watch(Tracker.from_checkpoint(path), sequences, options.frames)
        for path in options.weights
    }
    print(table(HEADER, [one.row(name) for name, one in chosen.items()]))
    if options.plot:
        plot(chosen, options.plot)


if __name__ == "__main__":
    main()
