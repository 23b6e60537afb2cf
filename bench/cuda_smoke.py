"""Everything that a GPU must do, checked and timed in one command: python bench/cuda_smoke.py

Not yet run on a GPU. With --device cpu the same checks run without one (graphs and bfloat16 are
left out): so the script itself is tried. Exit code 1 when a result differs from the CPU's.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import frames
import numpy as np
import torch
from performance import tracker as cpu_tracker
from scan import LARGE, SMALL, random_inputs

from ainet_core.evaluation.metrics import overlap
from ainet_core.model.ainet import AINet
from ainet_core.model.config import PRESETS
from ainet_core.model.selective_scan import available_backends, selective_scan
from ainet_core.tracking.tracker import Tracker

FRAMES = 60
BASE_GOAL = 100  # frames a second on an H100


class Checks:
    """Prints what was found, and remembers whether all of it was right."""

    def __init__(self) -> None:
        self.wrong = 0

    def add(self, what: str, value: str, right: bool | None = None) -> None:
        self.wrong += right is False
        word = {True: "ok   ", False: "WRONG", None: "     "}[right]
        print(f"{word} {what}: {value}", flush=True)


def seconds(function: Callable[[], Any], device: torch.device, runs: int) -> float:
    """Median of one call, waited for."""
    taken = []
    for run in range(runs + 3):
        begun = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if run >= 3:
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def scans(device: torch.device, checks: Checks) -> None:
    """Each backend against the plain loop in float64, and its time."""
    small = random_inputs(SMALL, 1)
    right = selective_scan(**{k: v.double() for k, v in small.items()}, backend="reference")
    here = {k: v.to(device) for k, v in small.items()}
    large = {k: v.to(device) for k, v in random_inputs(LARGE, 2).items()}
    for backend in available_backends(device):
        got = selective_scan(**here, backend=backend).cpu().double()
        error = float((got - right).abs().max() / right.abs().max())
        checks.add(f"scan {backend}, error", f"{error:.1e}", error < 1e-5)
        if backend == "reference":
            continue
        for size, inputs in ((SMALL, here), (LARGE, large)):
            taken = seconds(lambda b=backend, i=inputs: selective_scan(**i, backend=b), device, 5)  # type: ignore[misc]
            checks.add(f"scan {backend}, {size}", f"{taken * 1e3:.2f} ms")


def boxes_of(tracker: Tracker, around: Callable[[], Any] = contextlib.nullcontext) -> np.ndarray:
    rgb, thermal, box = frames.first()
    tracker.init(rgb, thermal, box)
    with around():
        return np.array([tracker.update(*pair).box for pair in frames.some(FRAMES)])


def boxes(device: torch.device, checks: Checks) -> None:
    """nano's boxes on the device beside the CPU's; on a GPU in bfloat16, too."""
    right = boxes_of(cpu_tracker())
    ours = Tracker.from_preset("nano", device=device)  # type: ignore[arg-type]
    least = float(overlap(boxes_of(ours), right).min())
    checks.add(f"nano on {device}, least overlap with the CPU", f"{least:.3f}", least > 0.95)
    if device.type == "cuda":
        half = lambda: torch.autocast("cuda", torch.bfloat16)  # noqa: E731
        mean = float(overlap(boxes_of(ours, half), right).mean())
        checks.add("nano in bfloat16, mean overlap", f"{mean:.3f}", mean > 0.9)


def rates(device: torch.device, checks: Checks) -> None:
    """Whole updates a second, every preset; random weights where none ship."""
    rgb, thermal, box = frames.first()
    for name, preset in PRESETS.items():
        torch.manual_seed(0)
        ours = Tracker(AINet(preset.config), device=device, preset=name)
        ours.init(rgb, thermal, box)
        taken = seconds(lambda o=ours: o.update(rgb, thermal), device, 5)  # type: ignore[misc]
        right = 1 / taken >= BASE_GOAL if name == "base" and device.type == "cuda" else None
        rate = f"{1 / taken:.0f} a second, {taken * 1e3:.1f} ms"
        checks.add(f"{name}, whole update", rate, right)
    if device.type == "cuda":
        checks.add("memory, most", f"{torch.cuda.max_memory_allocated(device) / 1e6:.0f} MB")


def graph(device: torch.device, checks: Checks) -> None:
    """The fixed-shape step as a CUDA graph: the same numbers, and how much faster."""
    ours = Tracker.from_preset("nano", device=device)  # type: ignore[arg-type]
    size = ours.model.config.search_size
    template_size = ours.model.config.template_size
    images = torch.randn(2, 1, 3, size, size, device=device)
    extent = torch.full((1, 2), 0.5, device=device)
    with torch.inference_mode():
        shown = torch.randn(2, 1, 3, template_size, template_size, device=device)
        template = ours.model.encode_template(shown, extent)
        plain = seconds(lambda: ours.model.track(template, images), device, 20)
        right = ours.model.track(template, images).score_logits.clone()
        stream = torch.cuda.Stream(device)
        with torch.cuda.stream(stream):
            for _ in range(3):
                ours.model.track(template, images)
        torch.cuda.synchronize(device)
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            made = ours.model.track(template, images)
        replayed = seconds(captured.replay, device, 20)
    error = float((made.score_logits - right).abs().max())
    checks.add("nano's step as a CUDA graph, error", f"{error:.1e}", error < 1e-3)
    checks.add("nano's step, plain / as a graph", f"{plain * 1e3:.2f} / {replayed * 1e3:.2f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    device = torch.device(parser.parse_args().device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("this PyTorch sees no CUDA device; --device cpu checks the script itself")
        return 2
    checks = Checks()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    checks.add("device", f"{name}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    steps = [scans, boxes, rates, *([graph] if device.type == "cuda" else [])]
    for step in steps:
        step(device, checks)
    print(f"{checks.wrong} wrong" if checks.wrong else "all right")
    return 1 if checks.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
