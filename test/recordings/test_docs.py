"""docs/recordings.md: every command of it runs, and what it says is said by the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import bag_maker
import cv2
import numpy as np
import pytest
from bag_maker import RGB, START, STEP, THERMAL, Sent
from walking_tracker import WalkingTracker

from ainet_core import cli
from ainet_core.page.opening import open_page
from ainet_core.recordings import correct
from ainet_core.recordings.bag_output import TOPICS
from ainet_core.recordings.outputs import COLUMNS
from ainet_core.recordings.records import IMAGE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recordings.md").read_text()
COMMANDS = re.findall(r"^    (ainet [^#\n]*)", PAGE, re.MULTILINE)


@pytest.fixture(name="place", scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page's commands name: my_bag, my_frames, a.mp4 and b.mp4."""
    place = tmp_path_factory.mktemp("place")
    sent = []
    for number in range(24):  # at 10 Hz, so that 2 s are few
        stamp = START + number * 3 * STEP
        rgb = cv2.resize(bag_maker.colour(number), (640, 480))
        thermal = cv2.resize(bag_maker.warm(number), (320, 240))
        sent.append(Sent(RGB, IMAGE, stamp, bag_maker.image(rgb, "rgb8", stamp)))
        sent.append(Sent(THERMAL, IMAGE, stamp + 1, bag_maker.image(thermal, "mono16", stamp)))
        if number == 3:
            sent.append(bag_maker.detection((300, 180, 60, 120), stamp))
    sent.sort(key=lambda each: each.time)
    bag_maker.write(place / "my_bag", sent)
    for name in ("a.mp4", "b.mp4"):
        writer = cv2.VideoWriter(str(place / name), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
        for _ in range(3):
            writer.write(np.full((48, 64, 3), 90, np.uint8))
        writer.release()
    for camera in ("visible", "infrared"):
        (place / "my_frames" / camera).mkdir(parents=True)
        for number in range(3):
            file = place / "my_frames" / camera / f"{number}.png"
            cv2.imwrite(str(file), np.full((48, 64), 90, np.uint8))
    return place


def test_every_command_runs(place, monkeypatch, capsys):
    assert len(COMMANDS) == 14
    monkeypatch.chdir(place)

    def done_at_once(live, orders, *arguments, **settings):  # test/page clicks through it
        orders.done()
        return open_page(live, orders, *arguments, **settings)

    monkeypatch.setattr(correct, "open_page", done_at_once)
    monkeypatch.setattr(cli, "_make_tracker", lambda options: WalkingTracker())
    for command in COMMANDS:
        arguments = shlex.split(command)[1:]
        if arguments[0] == "train":
            continue
        assert cli.main(arguments) == 0, command
    (told,) = re.findall(r"^(RGB .*;.*)$", PAGE, re.MULTILINE)
    assert told in capsys.readouterr().err
    assert len(list((place / "mydata" / "recordings" / "one" / "visible").iterdir())) == 24
    assert {path.name for path in (place / "out").iterdir()} == {"bag", "boxes.csv", "track.mp4"}


@pytest.mark.slow
def test_what_was_exported_can_be_trained_on(place, monkeypatch, capsys):
    pytest.importorskip("lightning_fabric", reason="the extra `training` is not installed")
    (command,) = [each for each in COMMANDS if each.startswith("ainet train")]
    if not (place / "mydata").exists():
        pytest.skip("run with test_every_command_runs, which exports the data")
    arguments = shlex.split(command)[1:]
    arguments[1] = str(ROOT / arguments[1])
    monkeypatch.chdir(place)
    # Two steps of two pairs show the same as two steps of 24.
    assert cli.main([*arguments, "--set", "batch=2", "--set", "sources.1.count=2"]) == 0
    assert "sequences recordings: 1 folders, 1 clips, 24 frames" in capsys.readouterr().out


def test_tables_name_what_is_written():
    rows = re.findall(r"^\| `(/ainet/\S+)` \| (\S+) \|", PAGE, re.MULTILINE)
    assert dict(rows) == TOPICS
    assert f"`{','.join(COLUMNS)}`" in PAGE


def test_what_is_said_is_said_by_the_code():
    code = "".join(path.read_text() for path in (ROOT / "ainet_core/recordings").glob("*.py"))
    table = PAGE.split("## What is said")[1].split("\n## ")[0]
    quoted = re.findall(r"\"([^\"]+)\"", "".join(re.findall(r"^\| (\".*?) \|", table, re.M)))
    assert len(quoted) >= 14
    for sentence in quoted:
        for part in re.split(r"\bN\b|\bT\b|RGB|thermal|:", sentence):
            assert part.strip(" ,:") in code, sentence
