"""The commands of the documentation that can be run are run, page by page, in an empty folder."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest
from documentation import Command, commands
from not_run import RUN_BY, reason

from ainet_core.cli import main

RUN = {
    page: [command for command in group if not command.inline and not reason(command.text)]
    for page, group in groupby(commands(), key=lambda command: command.page)
    if page not in RUN_BY
}


@pytest.fixture(name="place", scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("rosbags", reason="the extra `recordings` is not installed")
    import places

    place = tmp_path_factory.mktemp("place")
    places.make(place)
    return place


def run(command: Command) -> int:
    words = shlex.split(command.text)
    program = words[0].removeprefix(".venv/bin/")
    if program == "ainet":
        return main(words[1:])
    words[0] = sys.executable if program.startswith("python") else program
    return subprocess.run(words, timeout=60, check=False).returncode


@pytest.mark.parametrize("page", [page for page, found in RUN.items() if found])
def test_what_can_be_run_runs(
    page: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page == "docs/evaluation.md":
        pytest.importorskip("matplotlib", reason="the extra `evaluation` is not installed")
        pytest.importorskip("jinja2", reason="the extra `evaluation` is not installed")
    here = shutil.copytree(place, tmp_path / "here")
    monkeypatch.chdir(here)
    for command in RUN[page]:
        assert run(command) == 0, command
    if page == "docs/first_hour.md":
        made = {path.name for path in here.iterdir()} - {path.name for path in place.iterdir()}
        assert made == {"alignment.yaml", "alignment.png", "out"}
        out = {path.name for path in (here / "out").iterdir()}
        assert out == {"bag", "boxes.csv", "track.mp4"}
