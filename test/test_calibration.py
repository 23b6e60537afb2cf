"""`ainet calibrate` from points, a board and the scene; what a tracker sees through the file."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.calibration import (
    COLUMNS,
    calibrate_from_board,
    calibrate_from_points,
    parse_board,
    read_points,
)
from ainet_core.cli import main, make_parser
from ainet_core.data.aligned import aligned
from ainet_core.data.moments import read_moments
from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.data.synthetic import random_world
from ainet_core.evaluation.metrics import overlap
from ainet_core.imaging import remaining_shift, scene_alignment
from ainet_core.imaging.registration import Alignment
from ainet_core.tracking.tracker import Tracker

SIZE = (240, 320)
TRUE = np.array([[1.9, 0.05, 14.0], [-0.04, 1.95, 9.0], [2e-5, -1e-5, 1.0]])
PLACES = np.array([[20, 20], [300, 25], [290, 220], [30, 210], [160, 120], [80, 180.0]])


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> dict[str, Path]:
    """An image of each camera and a file of points."""
    truth = Alignment(TRUE, SIZE, (480, 640))
    thermal = np.full(SIZE, 60, np.uint8)
    rgb = np.full((480, 640, 3), 90, np.uint8)
    for x, y in PLACES:
        cv2.circle(thermal, (int(x), int(y)), 4, 220, -1)
        cv2.circle(rgb, [round(v) for v in truth.to_rgb([[x, y]])[0]], 8, (200, 40, 40), -1)
    paths = {name: tmp_path / f"{name}.png" for name in ("rgb", "thermal")}
    cv2.imwrite(str(paths["rgb"]), rgb[..., ::-1])
    cv2.imwrite(str(paths["thermal"]), thermal)
    paths["points"] = tmp_path / "points.csv"
    np.savetxt(paths["points"], np.hstack([PLACES, truth.to_rgb(PLACES)]), delimiter=",",
               header=",".join(COLUMNS), comments="")  # fmt: skip
    return paths


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected columns thermal_x, thermal_y, rgb_x, rgb_y"),
        (",".join(COLUMNS) + "\n1,2,3,four\n", "line 2: expected four numbers"),
        (",".join(COLUMNS) + "\n1,2,3\n", "line 2: expected four numbers"),
        (",".join(COLUMNS) + "\n", "at least 4 points are needed, got 0"),
    ],
)
def test_refuses_points_that_are_none(rig: dict[str, Path], text: str, message: str) -> None:
    rig["points"].write_text(text)
    with pytest.raises(ValueError, match=message):
        calibrate_from_points(**rig, output=rig["rgb"].with_name("alignment.yaml"))


def test_refuses_in_one_line(rig: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    command = ["calibrate", "--rgb", str(rig["rgb"]), "--thermal", str(rig["thermal"])]
    assert main([*command, "--points", "none.csv"]) == 2
    assert "no points at none.csv" in capsys.readouterr().err
    command += ["--points", str(rig["points"])]
    assert main([*command, "--distance", "5"]) == 2
    assert "--distance, --baseline and --focal are needed together" in capsys.readouterr().err
    assert main(["calibrate", "--scene", "--rgb", str(rig["rgb"])]) == 2
    assert "Say --rgb and --thermal, or a RECORDING" in capsys.readouterr().err
    for way in (["--scene"], ["--points", str(rig["points"])]):
        assert main([*command[:5], "my_bag", *way]) == 2
        assert "say my_bag or --rgb and --thermal" in capsys.readouterr().err


def test_it_writes_the_file_and_a_picture(
    rig: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    output = rig["rgb"].with_name("alignment.yaml")
    command = ["calibrate", "--output", str(output), "--distance", "10", "--baseline", "0.06"]
    command += ["--focal", "800"]
    for name in ("points", "rgb", "thermal"):
        command += [f"--{name}", str(rig[name])]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "points are off by 0.00 RGB pixels" in printed
    assert "within 5 RGB pixels from 4.9 to inf m" in printed
    np.testing.assert_allclose(Alignment.load(output).homography, TRUE, atol=1e-4)
    picture = cv2.imread(str(output.with_suffix(".png")))
    assert picture is not None
    x, y = np.round(read_points(rig["points"])[4, 2:]).astype(int)
    assert picture[y, x].tolist() == [0, 255, 0]  # the dot lies in the ring


def test_the_page_shows_commands_that_the_parser_takes_and_the_limits_of_the_code() -> None:
    page = (Path(__file__).parent.parent / "docs" / "alignment.md").read_text()
    commands = re.findall(r"^ +ainet (calibrate .+)$", page, re.MULTILINE)
    assert len(commands) == 5
    assert page.count("<!-- made by bench/alignment.py -->") == 1
    for command in commands:
        make_parser().parse_args(command.split())
    limits = (
        f"fewer than {scene_alignment.LEAST_BLOCKS} blocks agree, or fewer than "
        f"{scene_alignment.LEAST_SHARE * 100:.0f} % of them",
        f"Every scale from {scene_alignment.SCALES[0]:.2f} to {scene_alignment.SCALES[-1]:.2f}",
        f"turn within {scene_alignment.TURNS[-1]:.1f} degrees",
        f"{remaining_shift.WIDTH} x {remaining_shift.HEIGHT} pixels",
        f"{100 * remaining_shift.REACH / remaining_shift.WIDTH:.0f} % of the image's width and "
        f"{100 * remaining_shift.REACH / remaining_shift.HEIGHT:.0f} % of its height",
    )
    for sentence in limits:
        assert sentence in " ".join(page.split())


@pytest.mark.parametrize("text", ["", "9", "9x", "2x6", "9x51", "9.5x6", "x6", "-9x6"])
def test_refuses_a_board_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="--board must be COLUMNSxROWS, 3 to 50.*say 9x6, got"):
        parse_board(text)


def test_refuses_images_without_the_board(rig: dict[str, Path]) -> None:
    output = rig["rgb"].with_name("alignment.yaml")
    with pytest.raises(ValueError, match=r"thermal\.png: no board of 7x5.*thermal image: heat it"):
        calibrate_from_board("7x5", read_moments(rig["rgb"], rig["thermal"]), output)
    with pytest.raises(ValueError, match="expected two images, folders or videos"):
        calibrate_from_board("7x5", read_moments(rig["rgb"], rig["thermal"].parent), output)
    assert not output.exists()


def test_one_way_must_be_chosen(rig: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    command = ["calibrate", "--rgb", str(rig["rgb"]), "--thermal", str(rig["thermal"])]
    for ways in ([], ["--scene", "--board", "7x5"]):
        with pytest.raises(SystemExit):
            main([*command, *ways])
    assert "not allowed with" in capsys.readouterr().err


def test_a_board_that_both_see_aligns_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two pairs in folders; in a third the thermal camera does not see it."""
    truth = Alignment(TRUE, SIZE, (480, 640))
    fields = np.add.outer(np.arange(6), np.arange(8)) % 2 * 180.0 + 40
    board = cv2.copyMakeBorder(np.kron(fields, np.ones((20, 20))), 15, 15, 15, 15,
                               cv2.BORDER_CONSTANT, value=220)  # fmt: skip
    folders = {name: tmp_path / name for name in ("rgb", "tir")}
    for folder in folders.values():
        folder.mkdir()
    for number, (x, y) in enumerate([(30, 40), (90, 70), (60, 20)]):
        place = np.array([[1, 0.05, x], [-0.03, 1, y], [1e-4, 0, 1]])
        warm = cv2.warpPerspective(board, place, SIZE[::-1], borderValue=120)
        seen = cv2.warpPerspective(board, TRUE @ place, (640, 480), borderValue=120)
        warm = np.full(SIZE, 120) if number == 2 else 255 - warm
        cv2.imwrite(str(folders["tir"] / f"{number}.png"), warm.astype(np.uint8))
        cv2.imwrite(str(folders["rgb"] / f"{number}.png"), seen.astype(np.uint8))
    output = tmp_path / "alignment.yaml"
    command = ["calibrate", "--board", "7x5", "--output", str(output)]
    assert main([*command, "--rgb", str(folders["rgb"]), "--thermal", str(folders["tir"])]) == 0
    assert "points are off by 0." in capsys.readouterr().out
    found = Alignment.load(output)
    assert found.error < 0.5
    np.testing.assert_allclose(found.to_rgb(PLACES), truth.to_rgb(PLACES), atol=1.5)
    assert cv2.imread(str(output.with_suffix(".png"))) is not None


def test_the_scene_aligns_them_or_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = random_world(5)
    for name in ("rgb", "tir", "other"):
        (tmp_path / name).mkdir()
    for number in (0, 30, 60):
        image, heat, _, _ = world.frame(number)
        _, other, _, _ = random_world(8).frame(number)
        cv2.imwrite(str(tmp_path / "rgb" / f"{number}.png"), image[..., ::-1])
        cv2.imwrite(str(tmp_path / "tir" / f"{number}.png"), heat)
        cv2.imwrite(str(tmp_path / "other" / f"{number}.png"), other)
    output = tmp_path / "alignment.yaml"
    command = ["calibrate", "--scene", "--output", str(output), "--rgb", str(tmp_path / "rgb")]
    assert main([*command, "--thermal", str(tmp_path / "other")]) == 2
    assert "not sure of the alignment" in capsys.readouterr().err
    assert not output.exists()
    assert main([*command, "--thermal", str(tmp_path / "tir")]) == 0
    assert "blocks agree, off by" in capsys.readouterr().out
    found = Alignment.load(output)
    scale = found.rgb_size[1] / found.thermal_size[1]
    middle = np.array(found.thermal_size[::-1]) / 2
    np.testing.assert_allclose(found.to_rgb([middle])[0], middle * scale, atol=2 * scale)
    assert cv2.imread(str(output.with_suffix(".png"))) is not None


def test_an_aligned_sequence_is_tracked_as_a_registered_one() -> None:
    """A generated world seen by a thermal camera beside the RGB one: two thirds of its view."""
    world = random_world(5)
    rgb, thermal, boxes = [], [], []
    for number in range(20):
        image, heat, box, _ = world.frame(number)
        rgb.append(image)
        thermal.append(heat)
        boxes.append(box)
    height, width = thermal[0].shape[:2]
    scale = rgb[0].shape[1] / width
    true = np.array([[0.9 * scale, 0.02, 0.04 * width], [-0.02, 0.9 * scale, 0.06 * height],
                     [0, 0, 1.0]])  # fmt: skip
    alignment = Alignment(true, (height, width), rgb[0].shape[:2])
    to_thermal = np.linalg.inv(true) @ np.diag([scale, scale, 1.0])
    beside = [cv2.warpPerspective(heat, to_thermal, (width, height)) for heat in thermal]
    moved = Sequence("beside", ArrayFrames(rgb), ArrayFrames(beside), np.array(boxes))
    with pytest.raises(ValueError, match="needs both cameras"):
        aligned(Sequence("one", ArrayFrames(rgb), None, np.array(boxes)), alignment)

    tracker = Tracker.from_preset("nano", device="cpu")
    frames = list(aligned(moved, alignment).frames())
    tracker.init(*frames[0], boxes[0])
    found = np.array([boxes[0], *(tracker.update(*frame).box for frame in frames[1:])])
    assert overlap(found, np.array(boxes)).mean() > 0.6
