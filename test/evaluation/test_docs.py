"""docs/evaluation.md against what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ainet_core.cli import make_parser
from ainet_core.data.benchmarks import DATASETS
from ainet_core.evaluation.conditions import CONDITIONS
from ainet_core.evaluation.peers import PEERS
from ainet_core.evaluation.protocol import PROTOCOLS

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()


def test_every_command_of_the_page_is_one() -> None:
    commands = re.findall(r"^    (?:torchrun .* ainet_core\.cli|ainet) (.*)$", PAGE, re.MULTILINE)
    assert len(commands) >= 7
    for command in commands:
        make_parser().parse_args(shlex.split(command, comments=True))


def test_conditions_are_all_there() -> None:
    table = re.findall(r"^\| ([a-z0-9-]+) \| (.*) \|$", PAGE.split("## What it costs")[1], re.M)
    assert dict(table) == {name: c.description for name, c in CONDITIONS.items()}


def test_data_sets_and_protocols_are_all_there() -> None:
    for part, known in (("## Data", DATASETS), ("## Score", PROTOCOLS)):
        rows = re.findall(r"^\| ([a-z0-9, ]+) \|", PAGE.split(part)[1].split("\n## ")[0], re.M)
        assert {name for row in rows for name in row.split(", ")} - {"protocol"} == set(known)


def test_choices_of_the_command_are_those_of_the_code() -> None:
    """The command line lists them itself, so that its help needs neither torch nor OpenCV."""
    for peer in PEERS:
        assert peer in PAGE
        make_parser().parse_args(["eval", "run", "--data", "x", "--peer", peer])
    for dataset in DATASETS:
        make_parser().parse_args(["eval", "score", "x", "--dataset", dataset])
