"""Which way the imports point: read from the syntax trees, so nothing needs to be installed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A part of ainet_core -> who outside itself may import it.
RESTRICTED = {
    "ainet_core.training": {"ainet_core.cli"},
    "ainet_core.evaluation": {"ainet_core.cli", "ainet_core.training", "ainet_ros"},
    "ainet_core.recordings": {"ainet_core.cli"},
    "ainet_core.page": {"ainet_core.calibration", "ainet_core.recordings", "ainet_ros"},
    "ainet_core.cli": set(),
}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of every module of a package."""
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path) -> Iterator[str]:
    """Dotted names of all that a module imports, anywhere in it, relative imports resolved."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                parts = parts[: len(parts) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def arrows(package: str) -> Iterator[tuple[str, str]]:
    for name, path in modules(package):
        for imported in imports(name, path):
            yield name, imported


ROS = ("rclpy", "ainet_ros", "sensor_msgs", "std_msgs", "std_srvs", "vision_msgs", "launch",
       "message_filters", "cv_bridge", "diagnostic_msgs", "lifecycle_msgs")  # fmt: skip


def test_the_core_never_imports_ros():
    wrong = [arrow for arrow in arrows("ainet_core") if any(within(arrow[1], ros) for ros in ROS)]
    assert wrong == []


def test_the_model_imports_torch_itself_and_the_standard_library_only():
    """safetensors reads weights, mamba_ssm and triton are optional backends: tensors only."""
    others = {"torch", "safetensors", "mamba_ssm", "triton", "__future__"}
    allowed = {*others, *sys.stdlib_module_names}
    wrong = [
        arrow
        for arrow in arrows("ainet_core.model")
        if not within(arrow[1], "ainet_core.model") and arrow[1].split(".")[0] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("part", RESTRICTED)
def test_nothing_uses_training_evaluation_and_the_command_line(part):
    users = {
        name
        for package in ("ainet_core", "ainet_ros")
        for name, imported in arrows(package)
        if within(imported, part) and not within(name, part)
    }
    wrong = {
        user for user in users if not any(within(user, friend) for friend in RESTRICTED[part])
    }
    assert wrong == set()


def test_the_tracker_uses_model_and_imaging_only():
    """What runs on the robot needs no readers of data sets."""
    allowed = ("ainet_core.tracking", "ainet_core.model", "ainet_core.imaging", "ainet_core.box")
    wrong = [
        arrow
        for arrow in arrows("ainet_core.tracking")
        if within(arrow[1], "ainet_core")
        and not any(within(arrow[1], ours) for ours in allowed)
    ]
    assert wrong == []


def test_imaging_knows_neither_model_nor_tracking():
    wrong = [
        arrow
        for arrow in arrows("ainet_core.imaging")
        if within(arrow[1], "ainet_core")
        and not within(arrow[1], "ainet_core.imaging")
        and not within(arrow[1], "ainet_core.box")
        and not within(arrow[1], "ainet_core.whole")
    ]
    assert wrong == []


def test_the_page_knows_pictures_and_boxes_only_and_its_server_is_imported_when_it_is_started():
    allowed = ("ainet_core.page", "ainet_core.imaging", "ainet_core.box")
    wrong = [
        arrow
        for arrow in arrows("ainet_core.page")
        if within(arrow[1], "ainet_core") and not any(within(arrow[1], ours) for ours in allowed)
    ]
    assert wrong == []
    servers = {name for name, imported in arrows("ainet_core") if within(imported, "aiohttp")}
    assert servers == {"ainet_core.page.server", "ainet_core.page.conversation"}
    users = {name for name, imported in arrows("ainet_core.page") if imported in {
        f"{server}.{thing}" for server in servers for thing in ("Page", "Settings", "Conversation")
    }}  # fmt: skip
    assert users == {"ainet_core.page.opening", "ainet_core.page.server"}


def test_the_launch_folder_is_no_package():
    for folder in ("launch", "config", "test"):
        assert not list((ROOT / folder).rglob("__init__.py"))


def test_a_turned_arrow_would_be_seen(tmp_path):
    """The check itself: absolute, relative and late imports are all found."""
    path = tmp_path / "module.py"
    path.write_text(
        "import rclpy.node\nfrom ..training import losses\n"
        "def late():\n    from ainet_ros import x\n"
    )
    found = set(imports("ainet_core.model.module", path))
    assert found == {"rclpy.node", "ainet_core.training.losses", "ainet_ros.x"}
