"""How fast everything is, in one run on one machine: `make bench` writes docs/performance.md.

    python bench/performance.py                 measure, write docs/performance.md, .json and .png
    python bench/performance.py --check         measure, compare the ratios with the .json

Every measurement has a process of its own, after a warm-up; what is compared takes turns within
one process. Ratios are what --check compares: they carry over between machines, ms do not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frames
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SLOWER = 1.15  # a ratio that grew by more is named by --check
TURN, TURNS, WARM = 10, 12, 10  # frames of a turn, turns of each, frames that do not count
TOKENS = (1000, 2000, 4000, 8000, 16000)
Figures = dict[str, Any]


def milliseconds(function: Callable[..., object], *arguments: object) -> float:
    begun = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - begun) * 1e3


def tracker(preset: str = "nano", threads: int = 2) -> Any:
    import torch

    from ainet_core.model.ainet import AINet
    from ainet_core.model.config import preset_config
    from ainet_core.tracking.tracker import Tracker, shipped_weights

    torch.set_num_threads(threads)
    if shipped_weights(preset):
        return Tracker.from_preset(preset, device="cpu")
    torch.manual_seed(0)  # nobody has weights for it yet: it is as fast with random ones
    return Tracker(AINet(preset_config(preset)), device="cpu", preset=preset)


def update_beside_csrt() -> Figures:
    """nano on two threads and CSRT on the same frames, in turns of so many frames each."""
    import cv2

    ours = tracker()
    rgb, thermal, box = frames.first()
    ours.init(rgb, thermal, box)
    csrt = cv2.TrackerCSRT_create() if hasattr(cv2, "TrackerCSRT_create") else None
    if csrt is not None:
        csrt.init(rgb, [round(float(value)) for value in box])
    times: dict[str, list[float]] = {"nano": [], "csrt": []}
    shown = frames.some(TURNS * TURN)
    for begin in range(0, len(shown), TURN):  # neither is slowed by what the other left in cache
        turn = shown[begin : begin + TURN]
        times["nano"] += [milliseconds(ours.update, *pair) for pair in turn][1:]
        if csrt is not None:
            times["csrt"] += [milliseconds(csrt.update, rgb) for rgb, _ in turn][1:]
    median = {name: float(np.median(taken[WARM:])) for name, taken in times.items() if taken}
    spread = np.percentile(times["nano"][WARM:], [5, 95])
    return {"frames": frames.name(), "nano_ms": median["nano"], "csrt_ms": median.get("csrt"),
            "nano_spread_ms": spread.tolist()}  # fmt: skip


def update_times() -> Figures:
    """Median and 95th percentile of nano on two threads, as the machine is now."""
    ours = tracker()
    rgb, thermal, box = frames.first()
    ours.init(rgb, thermal, box)
    times = [milliseconds(ours.update, rgb, thermal) for rgb, thermal in frames.some(160)]
    return {"median": float(np.median(times[10:])), "p95": float(np.percentile(times[10:], 95))}


def busy_core() -> Figures:
    """The same on an idle machine, and beside a process that keeps one core busy."""
    idle = in_its_process("update_times")
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        busy = in_its_process("update_times")
    finally:
        burner.kill()
    return {"idle": idle, "busy": busy}


def rates() -> Figures:
    """Operations per second of whole updates, beside the matrix products of their own shapes."""
    import torch
    from scan import seconds_in_turn

    from ainet_core.model.cost import measure_cost
    from ainet_core.model.packed_layers import PackedLinear

    found: Figures = {}
    rgb, thermal, box = frames.first()
    for preset in ("nano", "tiny", "small", "base"):
        ours = tracker(preset)
        ours.init(rgb, thermal, box)
        config, operations = ours.model.config, measure_cost(ours.model.config).operations
        shapes = {  # (rows, inner, columns) of the ViT's products, for both cameras
            "qkv": (config.width, 3 * config.width),
            "fc1": (config.width, int(config.mlp_ratio * config.width)),
            "fc2": (int(config.mlp_ratio * config.width), config.width),
        }
        made = {
            name: (torch.randn(2 * config.tokens, inner), torch.randn(inner, outer))
            for name, (inner, outer) in shapes.items()
        }
        work = sum(2 * a.numel() * b.shape[1] for a, b in made.values())

        packed = [(a, PackedLinear(b.t())) for a, b in made.values()]

        def products(made: Any = made) -> None:
            for a, b in made.values():
                torch.mm(a, b)

        def packed_products(packed: Any = packed) -> None:
            with torch.inference_mode():
                for a, layer in packed:
                    layer(a)

        runs = 40 if preset == "nano" else 12 if preset != "base" else 6
        taken = seconds_in_turn(
            {
                "update": lambda o=ours: o.update(rgb, thermal),
                "torch.mm": products,
                "packed": packed_products,
            },
            runs,
        )  # type: ignore[misc]
        update, plain, fastest = (taken[name][1] * 1e3 for name in taken)
        found[preset] = {
            "update_ms": update,
            "gflop": operations / 1e9,
            "rate": operations / update / 1e6,
            "machine": work / min(plain, fastest) / 1e6,
            "torch_mm": work / plain / 1e6,
        }
    return found


def scaling() -> Figures:
    """Time of DFM, OFM and attention against the number of tokens, and the growth of memory."""
    import torch
    from scan import seconds_in_turn

    from ainet_core.model.ainet import pack_parts
    from ainet_core.model.config import preset_config
    from ainet_core.model.dfm import DifferenceFusion
    from ainet_core.model.ofm import OrderDynamicFusion
    from ainet_core.model.vit import Attention
    from ainet_core.tracking.allocator import keep_freed_memory

    torch.set_num_threads(2)
    config = preset_config("tiny")
    torch.manual_seed(0)
    dfm, attention = DifferenceFusion(config).eval(), Attention(config).eval()
    ofm = OrderDynamicFusion(config).eval()
    for part in (dfm, attention, ofm):  # as the tracker runs them
        part.requires_grad_(False)
        pack_parts(part)
    keep_freed_memory()
    found: Figures = {"tokens": list(TOKENS), "DFM": [], "OFM": [], "attention": []}
    with torch.inference_mode():
        for count in TOKENS:
            x = torch.randn(1, count, config.width)
            cameras = torch.stack([x, -x])
            layers = list(torch.randn(config.depth, 1, count // config.depth, config.width))
            parts = {
                "DFM": lambda cameras=cameras: dfm(cameras),
                "OFM": lambda layers=layers: ofm(layers),
            }
            if count <= 8000:
                parts["attention"] = lambda x=x: attention(x)
            for name, (_, median) in seconds_in_turn(parts, 7).items():  # type: ignore[arg-type]
                found[name].append(median * 1e3)
    for name in ("DFM", "OFM"):
        found[f"{name} slope"] = float(np.polyfit(np.log(TOKENS), np.log(found[name]), 1)[0])
    few, many = (in_its_process("peak_of_dfm", str(count))["mb"] for count in (4000, 16000))
    found["memory_growth"] = many / few
    return found


def peak_of_dfm(tokens: str) -> Figures:
    """By how many MB one DFM of so many tokens raises the process's peak."""
    import torch
    from scan import grown_peak

    from ainet_core.model.config import preset_config
    from ainet_core.model.dfm import DifferenceFusion

    torch.set_num_threads(1)
    config = preset_config("tiny")
    dfm = DifferenceFusion(config).eval()
    with torch.inference_mode():
        dfm(torch.randn(2, 1, 64, config.width))
        cameras = torch.randn(2, 1, int(tokens), config.width)
        return {"mb": grown_peak(lambda: dfm(cameras)) / 1e6}


def start() -> Figures:
    """Seconds: the package alone, torch, and nano once torch is there."""
    begun = time.perf_counter()
    import ainet_core

    package = time.perf_counter() - begun
    begun = time.perf_counter()
    import torch

    torch_s = time.perf_counter() - begun
    from scan import resident  # not before: it imports torch

    torch.set_num_threads(2)
    torch_mb = resident("VmRSS") / 1e6
    begun = time.perf_counter()
    ours = ainet_core.Tracker.from_preset("nano", device="cpu")
    ready = time.perf_counter() - begun
    rgb, thermal = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8)
    ours.init(rgb, thermal, (200, 200, 60, 60))
    for _ in range(10):
        ours.update(rgb, thermal)
    return {"package_s": package, "torch_s": torch_s, "ready_s": ready, "torch_mb": torch_mb,
            "tracker_mb": resident("VmRSS") / 1e6}  # fmt: skip


def node_memory() -> Figures:
    """MB of a node process with nano; None where there is no ROS."""
    try:
        import rclpy
    except ImportError:
        return {"node_mb": None}
    import instances
    import private_dds

    private_dds.enter()
    rclpy.init()
    resident_mb, _ = instances.measure(1)
    rclpy.try_shutdown()
    return {"node_mb": resident_mb}


MEASUREMENTS = (start, update_beside_csrt, busy_core, rates, scaling, node_memory)


def in_its_process(name: str, *arguments: str) -> Figures:
    command = [sys.executable, __file__, "--measure", name, *arguments]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    made: Figures = json.loads(output.splitlines()[-1])
    return made


def ratios(found: Figures) -> dict[str, float]:
    """What --check compares, smaller is better."""
    beside, busy = found["update_beside_csrt"], found["busy_core"]
    made = {"busy 95 % / idle median": busy["busy"]["p95"] / busy["idle"]["median"]}
    if beside["csrt_ms"]:
        made["nano / CSRT"] = beside["nano_ms"] / beside["csrt_ms"]
    for preset, rate in found["rates"].items():
        made[f"{preset}: machine's rate / ours"] = rate["machine"] / rate["rate"]
    for name in ("DFM", "OFM"):
        made[f"{name}: slope against tokens"] = found["scaling"][f"{name} slope"]
    made["nano ready / torch imported"] = found["start"]["ready_s"] / found["start"]["torch_s"]
    return made


def goals(found: Figures) -> list[tuple[str, str, str, bool | None]]:
    """(what, goal, measured, met); met is None where it could not be measured."""
    beside, busy, begun = (found[name] for name in ("update_beside_csrt", "busy_core", "start"))
    rate, line = found["rates"], found["scaling"]
    per_second = 1e3 / beside["nano_ms"]
    low, high = beside["nano_spread_ms"]
    rows = [
        (f"nano, whole update, 2 threads, on {beside['frames']}", ">= 30 a second",
         f"{per_second:.0f} ({beside['nano_ms']:.1f} ms; 5 to 95 %: {low:.1f} to {high:.1f})",
         per_second >= 30),
    ]  # fmt: skip
    if beside["csrt_ms"]:
        rows.append(
            (f"CSRT on the same frames, in turns of {TURN}", "slower than nano",
             f"{beside['csrt_ms']:.1f} ms", beside["csrt_ms"] > beside["nano_ms"])
        )  # fmt: skip
    tail, idle = busy["busy"]["p95"], busy["idle"]["median"]
    rows.append(
        ("nano, one of two cores busy, 95th percentile", "<= 2x the idle median",
         f"{tail / idle:.2f}x ({tail:.1f} / {idle:.1f} ms; busy median "
         f"{busy['busy']['median']:.1f} ms)", tail <= 2 * idle)
    )  # fmt: skip
    for preset in ("small", "tiny", "base"):
        share = rate[preset]["rate"] / rate[preset]["machine"]
        rows.append(
            (f"{preset}, whole update", ">= 60 % of the machine's products",
             f"{share:.0%} ({rate[preset]['rate']:.0f} of {rate[preset]['machine']:.0f} GFLOP/s, "
             f"{rate[preset]['update_ms']:.0f} ms)", share >= 0.6)
        )  # fmt: skip
    for name in ("DFM", "OFM"):
        slope = line[f"{name} slope"]
        rows.append((f"{name}: log-log slope of time against 1,000 to 16,000 tokens",
                     "0.9 to 1.15", f"{slope:.2f}", 0.9 <= slope <= 1.15))  # fmt: skip
    rows += [
        ("DFM: memory of 16,000 tokens / of 4,000", "4, linear", f"{line['memory_growth']:.2f}",
         line["memory_growth"] <= 4.4),
        ("`import ainet_core`", "<= 0.3 s", f"{begun['package_s']:.3f} s",
         begun["package_s"] <= 0.3),
        ("nano ready, torch imported", "<= 1.5 s",
         f"{begun['ready_s']:.2f} s (torch itself: {begun['torch_s']:.1f} s)",
         begun["ready_s"] <= 1.5),
        ("process of a tracker with nano", "<= 360 MB",
         f"{begun['tracker_mb']:.0f} MB (torch alone: {begun['torch_mb']:.0f} MB)",
         begun["tracker_mb"] <= 360),
    ]  # fmt: skip
    node = found["node_memory"]["node_mb"]
    rows.append(("process of a node with nano", "<= 450 MB",
                 "no ROS here" if node is None else f"{node:.0f} MB",
                 None if node is None else node <= 450))  # fmt: skip
    return rows


def machine() -> str:
    import torch

    processor = Path("/proc/cpuinfo")  # Linux only
    lines = processor.read_text().splitlines() if processor.exists() else []
    model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")
    return (f"{model or platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, torch {torch.__version__}")  # fmt: skip


def profile() -> tuple[str, str]:
    """The share of every part in a table; draws the flame graph beside it."""
    command = [sys.executable, str(Path(__file__).with_name("profile_update.py"))]
    command += ["--threads", "2", "--figure", str(DOCS / "performance_profile.png")]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return lines.splitlines()[0], "\n".join(x for x in lines.splitlines() if x.startswith("|"))


def page(found: Figures) -> str:
    """docs/performance.md."""
    words = {True: "yes", False: "**no**", None: "not measured"}
    rows = [f"| {what} | {goal} | {value} | {words[met]} |"
            for what, goal, value, met in goals(found)]  # fmt: skip
    head, parts = profile()
    plain = found["rates"]["tiny"]["torch_mm"]
    return f"""# Performance

Made by `make bench`; do not edit. One run on {machine()}. `make bench-check` measures again and
names every ratio that got more than 15 % worse.

| what | goal | measured | met |
|---|---|---|---|
{chr(10).join(rows)}
| base on CUDA | >= 100 frames a second on an H100 | measured apart: [gpu.md](gpu.md) | |

Nothing trades precision for time: all of it is float32, so accuracy is that of
[benchmarks.md](benchmarks.md). "The machine's products" are matrix products of the ViT's own
shapes, measured in turn with the updates: oneDNN's on packed weights or `torch.mm`, whichever is
faster. (At the shapes of `tiny` `torch.mm` reached {plain:.0f} GFLOP/s here.) `small`, `tiny`
and `base` have random weights here.

## Where the time goes

{head}; `python bench/profile_update.py --threads 2`. A part's time is its own, without the parts
in it.

{parts}

![A flame graph of one update](performance_profile.png)

## Against the number of tokens

![Time of DFM, OFM and attention](performance.png)

What was tried to get here, with what it gained: [performance_log.md](performance_log.md).
"""


def draw(found: Figures) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    line = found["scaling"]
    for name, style in (("DFM", "o-"), ("OFM", "s-"), ("attention", "^--")):
        label = f"{name}, slope {line[f'{name} slope']:.2f}" if f"{name} slope" in line else name
        axes.loglog(line["tokens"][: len(line[name])], line[name], style, label=label)
    axes.set(xlabel="tokens", ylabel="ms, 2 threads, width of tiny")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(DOCS / "performance.png", dpi=110)


def check(found: Figures) -> int:
    recorded = json.loads((DOCS / "performance.json").read_text())
    worse = 0
    for name, now in ratios(found).items():
        before = recorded.get(name)
        slower = before is not None and now > SLOWER * before
        worse += slower
        known = "new" if before is None else f"{before:.2f}"
        print(f"{'WORSE' if slower else 'ok   '} {name}: {known} -> {now:.2f}")
    return 1 if worse else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with docs/performance.json")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, *arguments = options.measure
        print(json.dumps(globals()[name](*arguments)))
        return 0
    if (load := os.getloadavg()[0]) > 0.7:
        print(f"other work is running (load {load:.1f}): expect noise", file=sys.stderr)
    found: Figures = {}
    for measurement in MEASUREMENTS:
        summary = (measurement.__doc__ or "").splitlines()[0]
        print(f"{measurement.__name__}: {summary}", file=sys.stderr, flush=True)
        found[measurement.__name__] = in_its_process(measurement.__name__)
    if options.check:
        return check(found)
    draw(found)
    (DOCS / "performance.md").write_text(page(found))
    (DOCS / "performance.json").write_text(json.dumps(ratios(found), indent=1) + "\n")
    for what, goal, value, met in goals(found):
        word = {True: "ok    ", False: "MISSED", None: "-     "}[met]
        print(f"{word} {what}: {value} ({goal})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
