"""What ROS 2 is told, compared with launch files, the interface, parameters and messages.

ROS 2's command line and `launch` are not on PyPI. Each check raises AssertionError or ValueError.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import yaml
from documentation import ROOT

from ainet_ros import parameters
from ainet_ros.interface import PORTS

SETUP = (ROOT / "setup.py").read_text()
TRANSITIONS = {"configure", "activate", "deactivate", "cleanup", "shutdown"}


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
    """Argument of a launch file -> its choices, read from the syntax tree."""
    found: dict[str, list[str] | None] = {}
    for node in ast.walk(ast.parse((ROOT / "launch" / file).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DeclareLaunchArgument":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            choices = given.get("choices")
            found[ast.literal_eval(node.args[0])] = choices and ast.literal_eval(choices)
    return found


def ports() -> dict[str, str]:
    """Full name -> type of the node's topics and services, for a node that was not renamed."""
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
    """The tracker's: remapped names are the interface's, parameters may have such values."""
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


def argument_or_parameter(span: str) -> None:
    """`name:=value` in the running text: an argument of a launch file, or a parameter's value."""
    declared: dict[str, list[str] | None] = {"use_sim_time": ["true", "false"]}
    for path in (ROOT / "launch").glob("*.launch.py"):
        declared |= launch_arguments(path.name)
    for word in span.split():
        name, _, value = word.partition(":=")
        if name not in declared:
            parameters.check(name, yaml.safe_load(value))
        else:
            choices = declared[name]
            assert choices is None or value in choices, span


def parameter_values(text: str) -> Iterator[str]:
    """Names of the parameters in a file of parameters, each with a value that the node takes."""
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
