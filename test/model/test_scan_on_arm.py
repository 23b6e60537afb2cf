"""The compiled scan on a 64-bit Arm: cross-compiled, run by qemu, compared with the plain loop.

Needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user. The same program built
for this machine proves the program itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scan_cases import Case, fresh_seed, output_and_gradients, random_inputs, relative_error

from ainet_core.model.packed_stem import PackedStem
from ainet_core.model.selective_scan import selective_scan
from ainet_core.model.stem import ConvolutionStem

SOURCES = Path(__file__).parents[2] / "ainet_core/model/selective_scan/csrc"
# setup.py's, but for OpenMP
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno"]
COMPILERS = {"this machine": "gcc", "arm": "aarch64-linux-gnu-gcc"}


def program(machine: str, folder: Path, main: str = "scan_from_stdin.c") -> list[str]:
    compiler = COMPILERS[machine]
    emulator = [] if machine == "this machine" else ["qemu-aarch64"]
    for tool in (compiler, *emulator):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    built = folder / "scan"
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    main = str(Path(__file__).with_name(main))
    flags = [*FLAGS, "-static", f"-I{SOURCES}"]
    subprocess.run([compiler, *flags, main, *sources, "-lm", "-o", str(built)], check=True)
    return [*emulator, str(built)]


@pytest.mark.parametrize("machine", COMPILERS)
@pytest.mark.parametrize(
    "case", [Case(1, groups=3, per_group=18), Case(150, 5, 1, 6), Case(1080, groups=3)], ids=str
)
def test_equals_the_plain_loop(machine: str, case: Case, tmp_path: Path) -> None:
    command = program(machine, tmp_path)
    inputs = random_inputs(case, seed := fresh_seed())
    generator = torch.Generator().manual_seed(seed + 1)
    weights = torch.randn(inputs["u"].shape, generator=generator)
    scan = partial(selective_scan, backend="reference")
    right = output_and_gradients(scan, inputs, weights.double())

    batch, channels, length = inputs["u"].shape
    sizes = np.array([batch, channels, case.groups, case.states, length], np.int64)
    sent = [inputs["u"], inputs["delta"], inputs["z"], weights]
    sent += [inputs[name].transpose(2, 3) for name in "BC"]
    sent += [inputs[name] for name in ("A", "D", "delta_bias")]
    data = sizes.tobytes() + b"".join(x.contiguous().float().numpy().tobytes() for x in sent)
    answer = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120)
    numbers = torch.from_numpy(np.frombuffer(answer.stdout, np.float32).copy())

    mixed = inputs["B"].transpose(2, 3).shape
    shapes = [*[inputs["u"].shape] * 4, mixed, mixed]
    shapes += [(batch, *inputs[name].shape) for name in ("A", "D", "delta_bias")]
    parts = numbers.split([int(np.prod(shape)) for shape in shapes])
    got = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
    got[4:6] = [x.transpose(2, 3) for x in got[4:6]]
    got[6:] = [x.sum(0) for x in got[6:]]
    names = ("out", "du", "ddelta", "dz", "dB", "dC", "dA", "dD", "ddelta_bias")
    for name, value in zip(names, got, strict=True):
        limit = 1e-5 if name == "out" else 3e-5
        assert relative_error(value, right[name]) < limit, name


@pytest.mark.parametrize("machine", COMPILERS)
@pytest.mark.parametrize("shape", [(2, 4, 180, 32), (1, 3, 65, 16)], ids=str)
def test_attention_is_pytorchs(
    machine: str, shape: tuple[int, int, int, int], tmp_path: Path
) -> None:
    command = program(machine, tmp_path, "attention_from_stdin.c")
    torch.manual_seed(fresh_seed())
    batch, heads, tokens, width = shape
    qkv = torch.randn(batch, tokens, 3, heads, width)
    scale = np.float32(width**-0.5)
    data = np.array(shape, np.int64).tobytes() + qkv.numpy().tobytes() + scale.tobytes()
    answer = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120)
    got = torch.from_numpy(np.frombuffer(answer.stdout, np.float32).copy())
    q, k, v = qkv.double().permute(2, 0, 3, 1, 4).unbind(0)
    right = torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2)
    torch.testing.assert_close(got.view(right.shape).double(), right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("machine", COMPILERS)
def test_passes_over_tokens_are_pytorchs(machine: str, tmp_path: Path) -> None:
    command = program(machine, tmp_path, "elementwise_from_stdin.c")
    torch.manual_seed(fresh_seed())
    layers, tokens, width = 3, 7, 48
    order = torch.randperm(layers)
    arrays = torch.randn(5, layers, tokens, width)
    sizes = np.array([layers, tokens, width], np.int64).tobytes()
    data = sizes + order.argsort().numpy().tobytes() + arrays.numpy().tobytes()
    answer = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120)
    numbers = torch.from_numpy(np.frombuffer(answer.stdout, np.float32).copy()).double()
    count = arrays[0].numel()
    norm, rgb, tir, total, summed = numbers.split([count] * 4 + [tokens * width])
    x, minus, third, fourth, _ = arrays.double()
    right = torch.nn.functional.layer_norm(
        x - minus, (width,), third[0, 0], fourth[0, 0], 1e-6
    )
    gate = third.tanh()
    silu = torch.nn.functional.silu(fourth)
    scans = x + minus.flatten(0, 1).flip(0).view(x.shape) + third[order.argsort()]
    for got, wanted in (
        (norm, right), (rgb, x * (1 + gate)), (tir, minus * (1 - gate)),
        (total, x * (1 + gate) + minus * (1 - gate)), (summed, (scans * silu).sum(dim=0)),
    ):  # fmt: skip
        torch.testing.assert_close(got, wanted.flatten(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("machine", COMPILERS)
def test_the_stem_is_pytorchs(machine: str, tmp_path: Path) -> None:
    command = program(machine, tmp_path, "stem_from_stdin.c")
    torch.manual_seed(fresh_seed())
    stem = ConvolutionStem().eval()
    level = "portable" if machine == "arm" else None  # each lays weights out as it likes
    packed = PackedStem(stem, level=level)
    image = torch.randn(2, 3, 48, 48)
    blocks = packed._blocks
    data = np.array([2, 48, len(blocks), packed._fine_blocks], np.int64).tobytes()
    for number, block in enumerate(blocks):
        data += b"".join(
            getattr(block, name).to_bytes(8, "little")
            for name in ("inputs", "hidden", "outputs", "stride", "image", "residual")
        )
        weights = packed._kept[6 * number : 6 * (number + 1)]
        data += b"".join(weight.numpy().tobytes() for weight in weights)
    data += image.permute(0, 2, 3, 1).numpy().tobytes()
    answer = subprocess.run(command, input=data, capture_output=True, check=True, timeout=120)
    numbers = torch.from_numpy(np.frombuffer(answer.stdout, np.float32).copy()).double()
    fine, coarse = numbers.split([2 * 6 * 6 * 32, 2 * 3 * 3 * 96])
    with torch.inference_mode():
        right = stem.double()(image.double())
    for got, wanted in zip((fine, coarse), right, strict=True):
        wanted = wanted.permute(0, 2, 3, 1).flatten()
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_it_is_vectorised(tmp_path: Path) -> None:
    """Four numbers at a time, multiplied and added at once: NEON's fmla on .4s registers."""
    if shutil.which(COMPILERS["arm"]) is None:
        pytest.skip(f"no {COMPILERS['arm']} here")
    made = tmp_path / "scan.s"
    source = str(SOURCES / "scan_portable.c")
    command = [COMPILERS["arm"], *FLAGS, "-S", source, "-o", str(made)]
    subprocess.run(command, check=True)
    text = made.read_text()
    wide = len(re.findall(r"\bfml[as]\s+v\d+\.4s", text))
    single = len(re.findall(r"\bfn?m(?:add|sub)\s+s\d+", text))
    print(f"{wide} vector, {single} scalar multiply-adds")
    assert wide > 10 * single
    assert wide > 50
