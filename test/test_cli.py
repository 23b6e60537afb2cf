"""The `ainet` command: every mistake ends with one line and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.cli import main
from ainet_core.data.boxes import read_boxes
from ainet_core.tracking.tracker import shipped_weights

FRAMES = 8


def write_video(path: Path, frames: int, thermal: bool) -> Path:
    """A checkered square walks to the right over noise."""
    rng = np.random.default_rng(5)
    ground = rng.integers(60, 120, (240, 320, 3)).astype(np.uint8)
    square = np.kron(rng.integers(0, 2, (4, 4, 3)) * 180 + 40, np.ones((10, 10, 1)))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (320, 240))
    for number in range(frames):
        image = ground.copy()
        image[90:130, 80 + 4 * number : 120 + 4 * number] = square
        writer.write(image if not thermal else np.repeat(image[..., :1], 3, axis=2))
    writer.release()
    return path


@pytest.fixture(name="videos", scope="module")
def _videos(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return (
        write_video(folder / "a.mp4", FRAMES, thermal=False),
        write_video(folder / "b.mp4", FRAMES, thermal=True),
    )


def test_refuses_in_one_line(tmp_path: Path, videos: tuple[Path, Path], capsys) -> None:
    rgb, thermal = map(str, videos)
    short = str(write_video(tmp_path / "short.mp4", 3, thermal=True))
    hostile = tmp_path / "hostile.safetensors"
    hostile.write_bytes(b"\x80\x04not weights")
    out = ["--output", str(tmp_path / "out.mp4")]
    pair, box = ["--rgb", rgb, "--thermal", thermal], ["--box", "80,90,40,40"]
    cases = [
        (["track", *out, *box], "got neither"),
        (["track", *out, *box, "--rgb", str(tmp_path / "none.mp4")], "none.mp4"),
        (["track", *out, *box, "--rgb", rgb, "--thermal", short], "got 8 and 3"),
        (["track", *out, *pair, "--box", "500,90,40,40"], "must overlap the 320x240 image"),
        (["track", *out, *pair, *box, "--preset", "huge"], "got 'huge'"),
        (["track", *out, *pair, *box, "--preset", "base"], "no weights ship for preset 'base'"),
        (["track", *out, *pair, *box, "--checkpoint", str(hostile)], "not a readable safetensors"),
        (["track", *out, *pair, *box, "--device", "cuda:7"], "cuda:7"),
        (["train", str(tmp_path / "none.yaml")], "no recipe at"),
        (["eval", "run", "--data", str(tmp_path / "none.csv")], "none.csv"),
    ]
    for arguments, message in cases:
        assert main(arguments) == 2, arguments
        printed = capsys.readouterr().err.strip().splitlines()
        assert message in printed[-1], (arguments, printed)
        assert printed[-1].startswith(f"ainet {arguments[0]}: ")


def test_refuses_a_box_that_is_not_four_numbers(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["track", "--box", "1,2,3", "--output", "x.mp4"])
    assert stopped.value.code == 2
    assert "expected x,y,w,h, got '1,2,3'" in capsys.readouterr().err


def test_info_prints_presets_device_and_scan(capsys) -> None:
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    assert "12 x 320 = 3840" in printed
    assert "device" in printed
    assert "scan" in printed
    for preset in ("base", "small", "tiny", "nano"):
        assert preset in printed


@pytest.mark.skipif(shipped_weights("nano") is None, reason="no nano weights in this checkout")
def test_track_writes_a_video_and_boxes(tmp_path: Path, videos: tuple[Path, Path]) -> None:
    output = tmp_path / "out.mp4"
    rgb, thermal = map(str, videos)
    arguments = ["track", "--rgb", rgb, "--thermal", thermal, "--box", "80,90,40,40"]
    assert main([*arguments, "--output", str(output)]) == 0
    boxes = read_boxes(tmp_path / "out.txt")
    assert boxes.shape == (FRAMES, 4)
    assert np.abs(boxes[-1, :2] - [80 + 4 * (FRAMES - 1), 90]).max() < 15
    video = cv2.VideoCapture(str(output))
    assert int(video.get(cv2.CAP_PROP_FRAME_COUNT)) == FRAMES


def test_importing_the_core_is_quick_and_leaves_torch_alone() -> None:
    code = "import sys, ainet_core; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
