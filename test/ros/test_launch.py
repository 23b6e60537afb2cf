"""The launch files use only what ROS 2's launch has, and say the same as the documentation.

`launch` is not on PyPI. Where it is absent the files are read as syntax trees, and run against a
small record of what they ask for.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from processes import ROOT

from ainet_ros import parameters

FILES = sorted((ROOT / "launch").glob("*.launch.py"))
KNOWN = {
    "launch": {"LaunchDescription"},
    "launch.actions": {
        "DeclareLaunchArgument", "OpaqueFunction", "GroupAction", "SetEnvironmentVariable",
        "IncludeLaunchDescription", "EmitEvent", "RegisterEventHandler", "Shutdown",
    },
    "launch.substitutions": {"LaunchConfiguration", "PathJoinSubstitution", "TextSubstitution"},
    "launch.conditions": {"IfCondition", "UnlessCondition"},
    "launch_ros.actions": {"Node", "LifecycleNode", "PushRosNamespace", "SetParameter"},
    "launch_ros.substitutions": {"FindPackageShare"},
    "launch_ros.parameter_descriptions": {"ParameterValue"},
}  # fmt: skip
KEYWORDS = {
    "DeclareLaunchArgument": {"default_value", "description", "choices"},
    "Node": {"package", "executable", "name", "namespace", "parameters", "remappings",
             "arguments", "output", "respawn", "on_exit"},
    "LifecycleNode": {"package", "executable", "name", "namespace", "parameters", "remappings",
                      "arguments", "output", "respawn"},
    "OpaqueFunction": {"function"},
    "IncludeLaunchDescription": {"launch_arguments"},
    "ParameterValue": {"value_type"},
    "LaunchDescription": set(),
}  # fmt: skip


class Recorded:
    """An action or substitution: what it was called, with what."""

    def __init__(self, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.kind, self.args, self.kwargs = kind, args, kwargs

    def perform(self, context: Any) -> str:
        return str(context.values.get(self.args[0], ""))


@pytest.fixture
def load(monkeypatch):
    for module, names in KNOWN.items():
        fake = ModuleType(module)
        for name in names:
            setattr(fake, name, lambda *a, _name=name, **k: Recorded(_name, a, k))
        monkeypatch.setitem(sys.modules, module, fake)
    monkeypatch.setitem(sys.modules, "launch_ros", ModuleType("launch_ros"))

    def load_file(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(
            name.replace(".", "_"), ROOT / "launch" / f"{name}.launch.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_file


def entities(description: Recorded, kind: str) -> list[Recorded]:
    return [entity for entity in description.args[0] if entity.kind == kind]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_known_names_are_used(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            pytest.fail(f"{path.name} imports {node.names[0].name} as a whole")
        if isinstance(node, ast.ImportFrom):
            assert node.module in KNOWN, node.module
            assert {alias.name for alias in node.names} <= KNOWN[node.module]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            allowed = KEYWORDS.get(node.func.id)
            if allowed is not None:
                assert {keyword.arg for keyword in node.keywords} <= allowed, node.func.id


@pytest.mark.parametrize("name", ["tracker", "trackers", "demo"])
def test_arguments_are_few_described_and_documented(load, name):
    declared = entities(load(name).generate_launch_description(), "DeclareLaunchArgument")
    assert 0 < len(declared) <= 12
    for argument in declared:
        assert len(argument.kwargs["description"]) > 20
        choices = argument.kwargs.get("choices")
        assert choices is None or argument.kwargs["default_value"] in choices
    text = (ROOT / "docs" / "ros.md").read_text()
    section = text.split(f"### {name}.launch.py")[1].split("###")[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert documented == [argument.args[0] for argument in declared]


def test_an_argument_replaces_the_files_value_only_when_it_is_given(load):
    module = load("tracker")
    assert set(module.OVERRIDES) <= set(parameters.table())
    for name, kind in module.OVERRIDES.items():
        assert type(parameters.table()[name].default) is kind
    (node,) = module.start_tracker(SimpleNamespace(values={}))
    assert node.kwargs["parameters"][1] == {}
    given = {"preset": "nano", "pairing": "rgb_leads", "dds_profile": "/x.xml"}
    profile, node = module.start_tracker(SimpleNamespace(values=given))
    assert set(node.kwargs["parameters"][1]) == {"preset", "pairing"}
    assert profile.kind == "SetEnvironmentVariable"
    remapped = {old: new.args[0] for old, new in node.kwargs["remappings"]}
    assert remapped == {"rgb/image_raw": "rgb_topic", "thermal/image_raw": "thermal_topic"}
    assert node.kwargs["executable"] == "tracker_node"
    assert node.kwargs["name"] == "ainet"


def test_trackers_are_started_in_every_namespace_that_is_named(load):
    module = load("trackers")
    context = SimpleNamespace(values={"namespaces": "left, right,"})
    started = module.start_trackers(context)
    given = [dict(each.kwargs["launch_arguments"]) for each in started]
    assert [arguments["namespace"] for arguments in given] == ["left", "right"]
    own = entities(load("tracker").generate_launch_description(), "DeclareLaunchArgument")
    assert set(given[0]) <= {argument.args[0] for argument in own}


def test_the_demo_file_starts_what_make_demo_starts(load):
    from ainet_ros.demo_source import PARAMETERS

    description = load("demo").generate_launch_description()
    (source,) = entities(description, "Node")
    assert set(source.kwargs["parameters"][0]) <= set(PARAMETERS)
    assert source.kwargs["on_exit"].kind == "Shutdown"
    (tracker,) = entities(description, "IncludeLaunchDescription")
    assert tracker.args[0].args[0][1:] == ["launch", "tracker.launch.py"]


def test_executables_and_files_that_are_named_exist():
    setup = (ROOT / "setup.py").read_text()
    for executable in ("tracker_node", "demo_source", "follow_node"):
        assert f'"{executable} = ainet_ros.{executable}:main"' in setup
    for name in ("tracker.yaml", "fastdds_loopback.xml", "fastdds_large_images.xml"):
        assert (ROOT / "config" / name).is_file()
    values = yaml.safe_load((ROOT / "config" / "tracker.yaml").read_text())
    assert list(values) == ["/**"]  # fits every namespace
