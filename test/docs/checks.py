"""Is a command one that its program would take? Each check raises AssertionError or ValueError.

What has a parser is parsed by it; of others, names, files and options are compared.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from documentation import ROOT

from ainet_core.cli import make_parser

SHARE = "$(ros2 pkg prefix --share ainet_ros)"
SETUP = (ROOT / "setup.py").read_text()


def check(command: str) -> None:
    """Parse a command as its program would."""
    words = shlex.split(command.replace(SHARE, str(ROOT)))
    while re.match(r"^[A-Z_]+=", words[0]):
        words.pop(0)
    program = words[0].removeprefix(".venv/bin/")
    CHECKS[program](words[1:])


def ainet(words: list[str]) -> None:
    try:
        options = make_parser().parse_args(words)
    except SystemExit:
        raise AssertionError(f"ainet does not take: {words}") from None
    for word in words:
        if word.startswith(("config/", "docs/")):
            assert (ROOT / word).is_file(), word
    if options.command == "train":
        from ainet_core.training.recipe import Recipe

        Recipe.load(ROOT / options.recipe, options.set)


def torchrun(words: list[str]) -> None:
    from torch.distributed.run import get_args_parser

    try:
        options = get_args_parser().parse_args(words)
    except SystemExit:  # it reads all words first, also those that are meant for us
        raise AssertionError(f"torchrun does not take: {words}") from None
    assert options.module
    assert options.training_script == "ainet_core.cli"
    ainet(options.training_script_args)


def make(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in re.findall(r"^(\w+)=", "\n".join(words), re.MULTILINE):
        assert re.search(rf"\$\(.*\b{name}\b", makefile), f"the Makefile knows no {name}"
    told = subprocess.run(
        ["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert told.returncode == 0, told.stderr


def python(words: list[str]) -> None:
    if words[0] == "-c":
        compile(words[1], "page", "exec")
    elif words[0] == "-m":
        assert importlib.util.find_spec(words[1]) is not None, words[1]
        if words[1] == "ainet_ros.tracker_node":
            from ros_checks import ros_arguments

            ros_arguments(words[2:])
        if words[1].startswith("ainet"):
            files_exist(words[2:])
    else:
        known = set(script_options(ROOT / words[0]))
        asked = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
        assert asked <= known, f"{words[0]} has {sorted(known)}"
        files_exist(words[1:])


@cache
def script_options(script: Path) -> tuple[str, ...]:
    """The options of a script's parser, from its syntax tree: importing takes seconds."""
    return tuple(
        str(argument.value)
        for node in ast.walk(ast.parse(script.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    )


def files_exist(words: list[str]) -> None:
    for word in words:
        if word.startswith(("config/", "docs/")):
            assert (ROOT / word).is_file(), word


def ros2(words: list[str]) -> None:
    from ros_checks import ROS2

    ROS2[words[0]](words[1:])


def pip(words: list[str]) -> None:
    assert words[0] == "install"
    extras = SETUP.split("extras_require")[1]
    known = set(re.findall(r'^        "(\w+)": \[', extras, re.MULTILINE))
    for word in words[1:]:
        for extra in re.findall(r"^(?:\.|ainet_ros)\[(\w+)\]$", word):
            assert extra in known, f"setup.py has the extras {sorted(known)}"


def export(words: list[str]) -> None:
    for word in words:
        _, _, value = word.partition("=")
        assert not value.startswith(str(ROOT)) or Path(value).is_file(), value


def rviz2(words: list[str]) -> None:
    option, file = words
    assert option == "-d"
    assert (ROOT / file).is_file(), file


def nothing_of_ours(words: list[str]) -> None:
    """A command of another program with nothing in it that this repository could break."""


CHECKS: dict[str, Callable[[list[str]], None]] = {
    ".": nothing_of_ours,
    "ainet": ainet,
    "cd": nothing_of_ours,
    "export": export,
    "fastdds": nothing_of_ours,
    "git": nothing_of_ours,
    "make": make,
    "mkdir": nothing_of_ours,
    "pip": pip,
    "python": python,
    "python3": python,
    "ros2": ros2,
    "rosdep": nothing_of_ours,
    "rviz2": rviz2,
    "ssh": nothing_of_ours,
    "tensorboard": nothing_of_ours,
    "torchrun": torchrun,
}
