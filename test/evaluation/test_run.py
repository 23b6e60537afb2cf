"""Runs that stop, go on, and are shared: what is on disk never depends on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ainet_core.data.boxes import write_boxes
from ainet_core.data.readers import open_sequence
from ainet_core.evaluation.run import Entry, Setup, Share, run
from ainet_core.tracking.tracker import shipped_weights

needs_weights = pytest.mark.skipif(
    shipped_weights("nano") is None, reason="no nano weights in this checkout"
)
Ainet = Callable[..., subprocess.CompletedProcess[str]]


def written(folder: Path) -> dict[str, bytes]:
    """What a run must reproduce: boxes and scores; seconds and dates differ every time."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.suffix in (".txt", ".score")
    }


def sequences(root: Path) -> list:
    return [open_sequence(folder) for folder in sorted(root.iterdir())]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sequence", "nowhere"], "nowhere"),
        (["--condition", "rain"], "no condition 'rain'; there are all, no-thermal"),
        (["--group", "people"], "no group 'people'"),
        (["--peers-only", "--peer", "nanotrack"], "needs --nanotrack FOLDER"),
        (["--preset", "base"], "no weights ship for preset 'base'"),
        (["--dataset", "lasher"], "folders with visible/, infrared/"),
    ],
)
def test_mistakes_end_with_one_line(
    ainet: Ainet, short_sequences: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    ended = ainet("eval", "run", "--data", short_sequences, "--output", tmp_path / "r", *arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list((tmp_path).rglob("*.txt"))


def test_refuses_to_mix_two_runs(short_sequences: Path, tmp_path: Path) -> None:
    about = {"dataset": "folder"}
    run([Entry("static")], sequences(short_sequences), tmp_path, Setup(), about)
    with pytest.raises(ValueError, match="holds another run: seed is 0 there and 1 now"):
        run([Entry("static")], sequences(short_sequences), tmp_path, Setup(seed=1), about)


def test_a_sequence_that_cannot_be_read_does_not_stop_the_others(
    short_sequences: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(short_sequences, data)
    (data / "left" / "rgb" / "004.png").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"1 sequences failed.*\n.*static, left: .*004.png"):
        run([Entry("static")], sequences(data), tmp_path / "r", Setup(), {"dataset": "folder"})
    assert sorted(p.stem for p in (tmp_path / "r" / "static").glob("*.txt")) == ["right", "upward"]


def test_shares_are_disjoint_and_whole(short_sequences: Path, tmp_path: Path) -> None:
    for rank in (1, 0):
        run([Entry("static")], sequences(short_sequences), tmp_path, Setup(),
            {"dataset": "folder"}, share=Share(rank, 2))  # fmt: skip
        count = len(list((tmp_path / "static").glob("*.txt")))
        assert count == (1 if rank == 1 else 3)


@needs_weights
def test_two_workers_equal_one(ainet: Ainet, short_sequences: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        output = tmp_path / str(workers)
        ended = ainet(
            "eval",
            "run",
            "--data",
            short_sequences,
            "--output",
            output,
            "--workers",
            workers,
            "--device",
            "cpu",
            "--condition",
            "rgb-gaps",
            "--peer",
            "static",
        )
        assert ended.returncode == 0, ended.stderr
    one, two = written(tmp_path / "1"), written(tmp_path / "2")
    assert len(one) == 3 * 3 * 2  # nano, nano@rgb-gaps, static; boxes and scores
    assert one == two
    assert "nano@rgb-gaps" in ended.stdout


@needs_weights
def test_killed_and_repeated_equals_uninterrupted(
    ainet: Ainet, short_sequences: Path, tmp_path: Path
) -> None:
    def command(output: Path) -> list[object]:
        return ["eval", "run", "--data", short_sequences, "--output", output, "--workers", 1,
                "--device", "cpu"]  # fmt: skip

    assert ainet(*command(tmp_path / "whole")).returncode == 0
    started = subprocess.Popen(
        [sys.executable, "-m", "ainet_core.cli", *map(str, command(tmp_path / "killed"))],
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_for_files(tmp_path / "killed", 1)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    assert len(list((tmp_path / "killed").rglob("*.txt"))) < 3, "killed too late to mean anything"
    again = ainet(*command(tmp_path / "killed"))
    assert again.returncode == 0, again.stderr
    assert "sequences are done already" in again.stderr
    assert written(tmp_path / "killed") == written(tmp_path / "whole")


@needs_weights
@pytest.mark.slow
def test_torchrun_with_a_killed_rank_loses_nothing(short_sequences: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "ainet_core.cli", "eval", "run", "--data", short_sequences, "--device", "cpu",
        "--workers", "1", "--condition", "thermal-slow", "--output",
    ]  # fmt: skip
    whole = subprocess.run([*command, tmp_path / "whole"], capture_output=True, check=False)
    assert whole.returncode == 0, whole.stderr.decode()
    started = subprocess.Popen([*command, tmp_path / "killed"], stderr=subprocess.DEVNULL)
    wait_for_files(tmp_path / "killed", 1)
    os.kill(rank_process(started.pid, "1"), signal.SIGKILL)
    assert started.wait() != 0
    assert len(list((tmp_path / "killed").rglob("*.txt"))) < 6, "killed too late to mean anything"
    again = subprocess.run([*command, tmp_path / "killed"], capture_output=True, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert written(tmp_path / "killed") == written(tmp_path / "whole")


def test_workers_end_with_their_killed_parent(short_sequences: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(short_sequences, data)
    boxes = np.tile([60.0, 40, 20, 24], (12, 1))
    for number in range(40):  # enough work to be caught in it
        shutil.copytree(data / "left", data / f"more_{number}")
        write_boxes(data / f"more_{number}" / "groundtruth.txt", boxes)
    started = subprocess.Popen(
        [sys.executable, "-m", "ainet_core.cli", "eval", "run", "--data", data, "--output",
         tmp_path / "r", "--device", "cpu", "--workers", "1"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for_files(tmp_path / "r", 1)
    workers = children(started.pid)
    started.kill()
    started.wait()
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert workers
    assert not any(alive(pid) for pid in workers)


def wait_for_files(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while len(list(folder.rglob("*.txt"))) < count:
        assert time.monotonic() < deadline, "the run wrote nothing"
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def rank_process(agent: int, rank: str) -> int:
    for pid in children(agent):
        if f"\0RANK={rank}\0" in "\0" + Path(f"/proc/{pid}/environ").read_text():
            return pid
    raise AssertionError(f"no rank {rank} below torchrun")
