"""Is a command one that its program would take? Each check raises AssertionError or ValueError.

What has a parser is parsed by it. ROS 2's command line is not on PyPI: what it is told is compared
with the launch files, the node's interface, its parameters and its messages.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pages import ROOT

from ainet_core.cli import make_parser

SHARE = "$(ros2 pkg prefix --share ainet_ros)"
SETUP = (ROOT / "setup.py").read_text()
TRANSITIONS = {"configure", "activate", "deactivate", "cleanup", "shutdown"}


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
    """The options that a script's parser has, read from its syntax tree: importing takes seconds."""
    calls = (node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Call))
    added = (c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "add_argument")
    names = (argument.value for call in added for argument in call.args
             if isinstance(argument, ast.Constant))  # fmt: skip
    return tuple(str(name) for name in names)


def files_exist(words: list[str]) -> None:
    for word in words:
        if word.startswith(("config/", "docs/")):
            assert (ROOT / word).is_file(), word


def pip(words: list[str]) -> None:
    assert words[0] == "install"
    known = set(re.findall(r'^        "(\w+)": \[', SETUP.split("extras_require")[1], re.MULTILINE))
    for word in words[1:]:
        for extra in re.findall(r"^(?:\.|ainet_ros)\[(\w+)\]$", word):
            assert extra in known, f"setup.py has the extras {sorted(known)}"


def ros2(words: list[str]) -> None:
    ROS2[words[0]](words[1:])


def launch(words: list[str]) -> None:
    package, file, *arguments = words
    assert package == "ainet_ros"
    declared = launch_arguments(file)
    for argument in arguments:
        name, separator, value = argument.partition(":=")
        assert separator, argument
        assert name in declared, f"{file} declares {sorted(declared)}"
        assert declared[name] is None or value in declared[name], argument


@cache
def launch_arguments(file: str) -> dict[str, list[str] | None]:
    """Argument of a launch file -> its choices, read from the syntax tree: `launch` is not on PyPI."""
    found: dict[str, list[str] | None] = {}
    for node in ast.walk(ast.parse((ROOT / "launch" / file).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DeclareLaunchArgument":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            choices = given.get("choices")
            found[ast.literal_eval(node.args[0])] = choices and ast.literal_eval(choices)
    return found


def ports() -> dict[str, str]:
    """Full name -> type of the node's topics and services, for a node that was not renamed."""
    from ainet_ros.interface import PORTS

    full = {port.name.replace("~", "/ainet"): port.kind for port in PORTS}
    return {name if name.startswith("/") else f"/{name}": kind for name, kind in full.items()}


def topic(words: list[str]) -> None:
    action, *rest = words
    assert action in {"list", "echo", "hz", "delay", "info", "pub"}
    named = [word for word in rest if word.startswith("/")]
    assert (action == "list") == (not named)
    for name in named:
        assert not name.startswith("/ainet") or name in ports(), name
    if action == "pub":
        name, kind, text = rest[rest.index(named[0]) :]
        assert kind.replace("/msg/", "/") == ports()[name]
        package, _, message = kind.split("/")
        made = getattr(importlib.import_module(f"{package}.msg"), message)()
        for key, value in yaml.safe_load(text).items():
            setattr(made, key, value)  # rclpy's messages check names and types


def service(words: list[str]) -> None:
    action, name, kind, *_ = words
    assert action == "call"
    assert kind.replace("/srv/", "/") == ports()[name]


def param(words: list[str]) -> None:
    from ainet_ros import parameters

    action, node, name, *value = words
    assert action in {"get", "set", "describe"}
    assert node == "/ainet"
    assert name in parameters.table()
    if action == "set":
        assert parameters.table()[name].metadata["live"], f"{name} cannot be set while it runs"
        parameters.check(name, yaml.safe_load(value[0]))


def bag(words: list[str]) -> None:
    assert words[0] in {"record", "play"}
    for word in words[1:]:
        assert not word.startswith("/ainet") or word in ports(), word


def run(words: list[str]) -> None:
    package, executable, *rest = words
    assert package == "ainet_ros"
    assert f'"{executable} = ainet_ros.{executable}:main"' in SETUP
    if executable == "tracker_node":
        ros_arguments(rest)


def ros_arguments(words: list[str]) -> None:
    """--ros-args of the tracker: remapped names are the interface's, parameters have such values."""
    from ainet_ros import parameters

    assert not words or words[0] == "--ros-args"
    for option, value in zip(words[1::2], words[2::2], strict=True):
        name, _, given = value.partition(":=")
        if option == "-r":
            assert f"/{name}" in ports(), name
        elif option == "-p" and not name.startswith("qos_overrides."):
            wanted = type(parameters.table()[name].default)
            read = given if wanted is str else yaml.safe_load(given)
            parameters.check(name, read)
        else:
            assert option in {"-p", "--params-file", "--log-level"}, option


def lifecycle(words: list[str]) -> None:
    action, node, transition = words
    assert action == "set"
    assert node == "/ainet"
    assert transition in TRANSITIONS


def rviz2(words: list[str]) -> None:
    option, file = words
    assert option == "-d"
    assert (ROOT / file).is_file(), file


def nothing_of_ours(words: list[str]) -> None:
    """A command of another program with nothing in it that this repository could break."""


def parsed_anywhere(span: str) -> None:
    """`name:=value` in the running text: an argument of a launch file, or a parameter's value."""
    from ainet_ros import parameters

    for word in span.split():
        name, _, value = word.partition(":=")
        files = [path.name for path in (ROOT / "launch").glob("*.launch.py")]
        choices = [launch_arguments(file)[name] for file in files if name in launch_arguments(file)]
        if not choices:
            if name != "use_sim_time":
                parameters.check(name, yaml.safe_load(value))
        elif choices[0] is not None:
            assert value in choices[0], span


def parameter_values(text: str) -> Iterator[str]:
    """Names of the parameters in a file of parameters, each with a value that the node takes."""
    from ainet_ros import parameters

    for node in yaml.safe_load(text).values():
        for name, value in node["ros__parameters"].items():
            parameters.check(name, value)
            yield name


ROS2: dict[str, Callable[[list[str]], Any]] = {
    "bag": bag,
    "launch": launch,
    "lifecycle": lifecycle,
    "param": param,
    "run": run,
    "service": service,
    "topic": topic,
}
CHECKS: dict[str, Callable[[list[str]], None]] = {
    ".": nothing_of_ours,
    "ainet": ainet,
    "cd": nothing_of_ours,
    "export": nothing_of_ours,
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
    "tensorboard": nothing_of_ours,
    "torchrun": torchrun,
}
