"""Measures the selective scan and compares it with what we promise: python bench/scan.py

Everything compared is measured in turn within one run, after a warm-up, on fresh random inputs;
goals are judged by the fastest of several runs, because a shared machine only ever slows down.
Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ainet_core.model.selective_scan import describe, selective_scan  # noqa: E402


@dataclass(frozen=True)
class Size:
    """One sample; `channels` in `groups` groups of B and C, `length` steps."""

    channels: int
    length: int
    groups: int = 3
    states: int = 16

    @property
    def updates(self) -> int:
        return self.channels * self.length * self.states

    def __str__(self) -> str:
        return f"B1 G{self.groups} D{self.channels} T{self.length} N{self.states}"


EXP = "torch.exp(x, out=y)"
SMALL, LARGE = Size(768, 1080), Size(4608, 3840)


def random_inputs(size: Size, seed: int) -> dict[str, Tensor]:
    """Inputs as Mamba's initialisation makes them: A = -1 ... -N, steps of 0.001 to 0.1."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    channels, length, states = size.channels, size.length, size.states
    low, high = torch.tensor([0.001, 0.1]).log()
    uniform = torch.rand((1, channels, length), generator=generator)
    return {
        "u": normal(1, channels, length),
        "delta": torch.exp(low + (high - low) * uniform),
        "A": -torch.arange(1.0, states + 1).repeat(channels, 1),
        "B": normal(1, size.groups, states, length),
        "C": normal(1, size.groups, states, length),
        "D": normal(channels),
    }


def materialising_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor
) -> Tensor:
    """The plain loop over terms that were computed for all steps at once, (B, D, T, N)."""
    per_group = u.shape[1] // B.shape[1]
    decay = torch.exp(delta[..., None] * A[:, None])
    terms = (delta * u)[..., None] * B.repeat_interleave(per_group, 1).transpose(2, 3)
    C = C.repeat_interleave(per_group, 1)
    h = torch.zeros_like(decay[:, :, 0])
    ys = []
    for t in range(u.shape[2]):
        h = decay[:, :, t] * h + terms[:, :, t]
        ys.append((h * C[..., t]).sum(-1))
    return torch.stack(ys, dim=2) + D[:, None] * u


def seconds_in_turn(
    functions: dict[str, Callable[[], object]], runs: int
) -> dict[str, tuple[float, float]]:
    """(fastest, median) of each function; they take turns, so that a busy moment hits all."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for run in range(runs + 1):  # the first round warms up
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if run > 0:
                taken[name].append(time.perf_counter() - start)
        progress(f"  round {run}/{runs}")
    progress("")
    return {name: (min(times), statistics.median(times)) for name, times in taken.items()}


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}\r", end="", file=sys.stderr, flush=True)


class Goals:
    """Prints goals beside what was measured, and remembers whether all were met."""

    def __init__(self) -> None:
        self.missed = 0

    def at_most(self, what: str, measured: float, limit: float, form: str = ".2f") -> None:
        self._check(what, measured <= limit, f"{measured:{form}}", f"<= {limit:{form}}")

    def at_least(self, what: str, measured: float, limit: float, form: str = ".0f") -> None:
        self._check(what, measured >= limit, f"{measured:{form}}", f">= {limit:{form}}")

    def _check(self, what: str, met: bool, measured: str, goal: str) -> None:
        self.missed += not met
        print(f"  {what:52} {measured:>9}   goal {goal:>10}   {'met' if met else 'MISSED'}")


def bench_size(size: Size, runs: int, seed: int, backend: str, goals: Goals) -> None:
    print(f"\n{size}: {size.updates / 1e6:.1f} M state updates")
    inputs = random_inputs(size, seed)
    times = measure(size, runs, inputs, backend)
    forward = times["forward"][0]
    goals.at_most("forward / torch.exp of as many", forward / times[EXP][0], 0.35)
    goals.at_most("backward / forward", times["backward"][0] / forward, 4.0)

    wide = {name: tensor.double() for name, tensor in inputs.items()}
    right = selective_scan(**wide, backend="reference")
    for name in (backend, "chunked"):
        error = (selective_scan(**inputs, backend=name) - right).abs().max() / right.abs().max()
        goals.at_most(f"{name}: error / largest value", error.item(), 1e-5, ".1e")

    if size == SMALL:
        loop = seconds_in_turn({"loop": lambda: materialising_scan(**inputs)}, 5)["loop"]
        print(f"  plain loop: min {loop[0] * 1e3:.1f} ms, median {loop[1] * 1e3:.1f} ms")
        goals.at_least("plain loop / forward", loop[0] / forward, 40)


def measure(
    size: Size, runs: int, inputs: dict[str, Tensor], backend: str
) -> dict[str, tuple[float, float]]:
    """Prints and returns (fastest, median) seconds of forward, backward and torch.exp."""
    exponents = -torch.rand(size.updates)
    exponentials = torch.empty_like(exponents)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in inputs.items()}
    out = selective_scan(**leaves, backend=backend)
    weights = torch.randn_like(out)

    def backward() -> None:
        torch.autograd.grad(out, list(leaves.values()), weights, retain_graph=True)

    times = seconds_in_turn(
        {
            EXP: lambda: torch.exp(exponents, out=exponentials),
            "forward": lambda: selective_scan(**inputs, backend=backend),
            "forward that prepares a backward": lambda: selective_scan(**leaves, backend=backend),
            "backward": backward,
        },
        runs,
    )
    threads = torch.get_num_threads()
    for name, (fastest, median) in times.items():
        rate = size.updates / fastest / 1e9
        print(
            f"  {name:34} min {fastest * 1e3:8.2f} ms, median {median * 1e3:8.2f} ms, "
            f"{rate:5.2f} G/s, {rate / threads:5.2f} G/s a thread"
        )
    return times


def peak_bytes(function: str, size: Size, seed: int) -> int:
    """Runs a scan in a fresh process and returns by how much its memory grew at most."""
    command = [sys.executable, __file__, "--peak-of", function, "--seed", str(seed)]
    command += ["--size", str(size.channels), str(size.length)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(result.stdout.split()[-1])


def print_peak_of(function: str, size: Size, seed: int) -> None:
    """In that process: the growth of its peak resident memory in bytes (Linux only)."""
    torch.set_num_threads(1)
    scan = {
        "materialising": materialising_scan,
        "chunked": lambda **inputs: selective_scan(**inputs, backend="chunked"),
    }[function]
    with torch.no_grad():
        scan(**random_inputs(Size(6, 40), seed))  # libraries load what they load at first use
        inputs = random_inputs(size, seed)
        print(grown_peak(lambda: scan(**inputs)))


def grown_peak(function: Callable[[], object]) -> int:
    """By how many bytes calling it raises this process's peak resident memory (Linux only)."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from now
    before = resident("VmHWM")
    function()
    return resident("VmHWM") - before


def resident(field: str) -> int:
    """Bytes, by a line of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=describe("cpu")[0], help="who is measured")
    parser.add_argument(
        "--runs", type=int, default=60, help="at the small size; a sixth at the large"
    )
    parser.add_argument("--seed", type=int, default=None, help="of the random inputs")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seed = int(time.time()) % 2**31 if options.seed is None else options.seed
    if options.peak_of:
        print_peak_of(options.peak_of, Size(*options.size), seed)
        return 0

    torch.set_num_threads(options.threads)
    if (load := os.getloadavg()[0]) > 0.5:
        print(f"other work is running (load {load:.1f} on {os.cpu_count()} cores): expect noise")
    name, reason = describe("cpu", backend=options.backend)
    print(f"selective scan {name} ({reason}), torch {torch.__version__}, seed {seed}")
    goals = Goals()
    bench_size(SMALL, options.runs, seed, name, goals)
    bench_size(LARGE, max(3, options.runs // 6), seed + 1, name, goals)

    print(f"\n{LARGE}: growth of peak memory, each in a process of its own")
    peaks = {name: peak_bytes(name, LARGE, seed) for name in ("materialising", "chunked")}
    for name, peak in peaks.items():
        print(f"  {name:34} {peak / 2**20:8.0f} MiB")
    goals.at_most("chunked / materialising", peaks["chunked"] / peaks["materialising"], 0.25)
    print(f"\n{'all goals met' if not goals.missed else f'{goals.missed} goals missed'}")
    return 1 if goals.missed else 0


if __name__ == "__main__":
    sys.exit(main())
