"""Everything that a GPU must do, checked and timed in one command: python bench/cuda_smoke.py

With --device cpu the same checks run without one (graphs and bfloat16 are left out): so the
script itself is tried. Exit code 1 when a result differs from the CPU's.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import frames
import numpy as np
import torch
from performance import tracker as cpu_tracker
from scan import LARGE, SMALL, Size, random_inputs

from ainet_core.evaluation.metrics import overlap
from ainet_core.model.ainet import AINet
from ainet_core.model.config import PRESETS
from ainet_core.model.selective_scan import available_backends, selective_scan
from ainet_core.tracking.tracker import Tracker, TrackerSettings

FRAMES = 60
SHORT = Size(96, 333)  # for gradients: a length that no block divides
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
        error = gradient_error(backend, device)
        checks.add(f"scan {backend}, error of the gradients", f"{error:.1e}", error < 1e-4)
        if backend == "reference":
            continue
        for size, inputs in ((SMALL, here), (LARGE, large)):
            taken = seconds(lambda b=backend, i=inputs: selective_scan(**i, backend=b), device, 5)  # type: ignore[misc]
            checks.add(f"scan {backend}, {size}", f"{taken * 1e3:.2f} ms")


def gradient_error(backend: str, device: torch.device) -> float:
    """The largest error over all inputs, relative to each one's largest gradient."""
    gradients = []
    exact, tried = ("reference", torch.float64, "cpu"), (backend, torch.float32, device)
    for name, dtype, place in (exact, tried):
        inputs = {
            key: value.to(place, dtype).requires_grad_()
            for key, value in random_inputs(SHORT, 3).items()
        }
        (selective_scan(**inputs, backend=name) ** 2).sum().backward()
        gradients.append([value.grad.cpu().double() for value in inputs.values()])  # type: ignore[union-attr]
    pairs = zip(*gradients, strict=True)
    return max(float((got - right).abs().max() / right.abs().max()) for right, got in pairs)


def boxes_of(tracker: Tracker) -> np.ndarray:
    rgb, thermal, box = frames.first()
    tracker.init(rgb, thermal, box)
    return np.array([tracker.update(*pair).box for pair in frames.some(FRAMES)])


def ways(device: torch.device) -> dict[str, TrackerSettings]:
    """How the network can run there."""
    found = {"float32": TrackerSettings(graph=False)}
    if device.type == "cuda":
        found["graph"] = TrackerSettings()
        found["bfloat16"] = TrackerSettings(precision="bfloat16", graph=False)
        found["bfloat16, graph"] = TrackerSettings(precision="bfloat16")
    return found


def boxes(device: torch.device, checks: Checks) -> None:
    """nano's boxes on the device beside the CPU's, in every way."""
    right = boxes_of(cpu_tracker())
    for way, settings in ways(device).items():
        overlaps = overlap(boxes_of(Tracker.from_preset("nano", str(device), settings)), right)
        least, mean = float(overlaps.min()), float(overlaps.mean())
        near = mean > 0.9 if settings.precision == "bfloat16" else least > 0.95
        checks.add(f"nano on {device}, {way}, overlap with the CPU",
                   f"{mean:.3f}, least {least:.3f}", near)  # fmt: skip


def rates(device: torch.device, checks: Checks) -> None:
    """Whole updates a second, every preset in every way; random weights where none ship."""
    rgb, thermal, box = frames.first()
    for name, preset in PRESETS.items():
        for way, settings in ways(device).items():
            torch.manual_seed(0)
            ours = Tracker(AINet(preset.config), device, settings, name)
            ours.init(rgb, thermal, box)
            taken = seconds(lambda o=ours: o.update(rgb, thermal), device, 5)  # type: ignore[misc]
            fastest = name == "base" and way == "bfloat16, graph"
            right = 1 / taken >= BASE_GOAL if fastest else None
            rate = f"{1 / taken:.0f} a second, {taken * 1e3:.1f} ms"
            checks.add(f"{name}, {way}, whole update", rate, right)
    if device.type == "cuda":
        checks.add("memory, most", f"{torch.cuda.max_memory_allocated(device) / 1e6:.0f} MB")


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
    for step in (scans, boxes, rates):
        step(device, checks)
    print(f"{checks.wrong} wrong" if checks.wrong else "all right")
    return 1 if checks.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
