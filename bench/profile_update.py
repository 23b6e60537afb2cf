"""Where one update's time goes: python bench/profile_update.py [--threads 1] [--frames 60]

Prints a table of the parts' own shares, and with --figure FILE.png draws them as a flame graph: a
part lies on the one that called it, as wide as it took. Timed by hooks round the modules and a few
functions; what no part accounts for is Python and the rest of PyTorch.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frames
import torch
from torch import nn

import ainet_core.tracking.tracker as tracking
from ainet_core import Tracker
from ainet_core.model import mamba
from ainet_core.tracking.tracker import TrackerSettings

Path_ = tuple[str, ...]


class Stopwatch:
    """Time by path of nested parts, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[Path_, float] = defaultdict(float)
        self._open: list[tuple[str, float]] = []

    def begin(self, name: str) -> None:
        self._open.append((name, time.perf_counter()))

    def end(self) -> None:
        path = tuple(name for name, _ in self._open)
        self.seconds[path] += time.perf_counter() - self._open.pop()[1]

    def watch(self, module: nn.Module, name: str) -> None:
        module.register_forward_pre_hook(lambda *_: self.begin(name))
        module.register_forward_hook(lambda *_: self.end())

    def wrap(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            self.begin(name)
            try:
                return function(*arguments, **named)
            finally:
                self.end()

        return watched

    def own(self) -> dict[str, float]:
        """Seconds by part, less what the parts inside it took."""
        inside: dict[Path_, float] = defaultdict(float)
        for path, seconds in self.seconds.items():
            inside[path[:-1]] += seconds
        parts: dict[str, float] = defaultdict(float)
        for path, seconds in self.seconds.items():
            parts[path[-1]] += seconds - inside[path]
        return dict(parts)


def watch(tracker: Tracker, watch: Stopwatch) -> None:
    """Hooks on every part of the tracker's network, and round the functions beside it."""
    model = tracker.model
    named = {"stem": model.stem, "embed": model.embed_stem, "prior": model.prior,
             "OFM": model.ofm, "head": model.head}  # fmt: skip
    for name, module in named.items():
        watch.watch(module, name)
    for block, dfm in zip(model.blocks, model.dfm, strict=True):
        watch.watch(block.attn, "attention")
        watch.watch(block.mlp, "MLP")
        watch.watch(dfm, "DFM")
    model.track = watch.wrap(model.track, "network (the rest)")
    tracking.crop = watch.wrap(tracking.crop, "crop")
    tracking.upload = watch.wrap(tracking.upload, "to the network")
    mamba.selective_scan = watch.wrap(mamba.selective_scan, "scan")


def measure(threads: int, count: int, warm: int = 10) -> tuple[Stopwatch, float]:
    """The parts' times over `count` updates, and seconds per update without any hook."""
    torch.set_num_threads(threads)
    settings = TrackerSettings(threads=threads)
    tracker = Tracker.from_preset("nano", device="cpu", settings=settings)
    rgb, thermal, box = frames.first()
    pairs = frames.some(warm + count)
    tracker.init(rgb, thermal, box)
    plain = []
    for rgb, thermal in pairs:
        begun = time.perf_counter()
        tracker.update(rgb, thermal)
        plain.append(time.perf_counter() - begun)
    stopwatch = Stopwatch()
    watch(tracker, stopwatch)
    update = stopwatch.wrap(tracker.update, "tracker (the rest)")
    for number, pair in enumerate(pairs):
        if number == warm:
            stopwatch.seconds.clear()
        update(*pair)
    return stopwatch, sum(plain[warm:]) / count


def table(stopwatch: Stopwatch, count: int) -> str:
    """Markdown: own time and share of each part, largest first."""
    total = sum(s for path, s in stopwatch.seconds.items() if len(path) == 1)
    lines = ["| part | ms | share |", "|---|---|---|"]
    for name, seconds in sorted(stopwatch.own().items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {seconds / count * 1e3:.2f} | {seconds / total:.0%} |")
    return "\n".join([*lines, f"| all, with hooks | {total / count * 1e3:.2f} | |"])


def draw(stopwatch: Stopwatch, count: int, path: Path) -> None:
    """The flame graph as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(11, 3), layout="constrained")
    colors: dict[str, Any] = {}
    total = sum(s for path, s in stopwatch.seconds.items() if len(path) == 1) / count * 1e3

    def lay(prefix: Path_, left: float) -> None:
        for child in [p for p in stopwatch.seconds if p[:-1] == prefix]:
            width = stopwatch.seconds[child] / count * 1e3
            name = child[-1].removesuffix(" (the rest)")
            color = colors.setdefault(name, plt.get_cmap("tab20")(len(colors) % 20))
            axes.barh(len(prefix), width, 0.94, left, color=color, edgecolor="white")
            if width > 0.0045 * total * len(name):  # else the name runs into its neighbours
                axes.text(left + width / 2, len(prefix), f"{name}\n{width:.1f}", ha="center",
                          va="center", fontsize=8)  # fmt: skip
            lay(child, left)
            left += width

    lay((), 0.0)
    axes.set(xlabel="ms of one update", yticks=[])
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    stopwatch, plain = measure(options.threads, options.frames)
    print(f"{frames.name()}, {options.threads} threads, {plain * 1e3:.2f} ms without hooks\n")
    print(table(stopwatch, options.frames))
    if options.figure:
        draw(stopwatch, options.frames, options.figure)
        print(f"\ndrawn: {options.figure}")


if __name__ == "__main__":
    main()
