"""`colcon build` in an empty workspace, and the node started from what it installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import CHILD_ENVIRONMENT, ROOT, Process

pytestmark = [
    pytest.mark.dds,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("colcon_ros") is None, reason="colcon is not installed: make venv"
    ),
]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", "__pycache__", "*.so", "*.egg-info", "build", "install", "log",
    "demo_output", "dist",
)  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    workspace = tmp_path_factory.mktemp("workspace")
    shutil.copytree(ROOT, workspace / "src" / "ainet_ros", ignore=LEFT_OUT)
    environment = {**CHILD_ENVIRONMENT, "COLCON_LOG_PATH": str(workspace / "log")}
    result = subprocess.run(
        [sys.executable, "-m", "colcon", "build", "--event-handlers", "console_direct+"],
        cwd=workspace, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return workspace / "install" / "ainet_ros"


def test_the_install_tree_has_what_ros_looks_for(installed):
    share = installed / "share"
    assert (share / "ament_index" / "resource_index" / "packages" / "ainet_ros").is_file()
    assert (share / "ainet_ros" / "package.xml").is_file()
    for folder, pattern in (("launch", "*.launch.py"), ("config", "*.yaml"), ("config", "*.xml")):
        ours = {path.name for path in (ROOT / folder).glob(pattern)}
        assert {path.name for path in (share / "ainet_ros" / folder).glob(pattern)} == ours
    for executable in ("tracker_node", "demo_source", "follow_node", "ainet"):
        script = installed / "lib" / "ainet_ros" / executable
        assert os.access(script, os.X_OK), executable
    weights = {path.name for path in (ROOT / "ainet_core" / "weights").glob("*.safetensors")}
    assert {path.name for path in installed.rglob("*.safetensors")} == weights


def test_the_node_runs_from_the_install_tree(installed, robot, tmp_path, monkeypatch):
    (site,) = installed.glob("lib/python3*/site-packages")
    # As the workspace's setup file does, and without the repository in the way.
    monkeypatch.setitem(CHILD_ENVIRONMENT, "PYTHONPATH", str(site))
    node = installed / "lib" / "ainet_ros" / "tracker_node"
    process = Process([str(node), "--ros-args", "-p", "autostart:=false"], tmp_path / "node.log")
    try:
        robot.wait("the node", lambda: robot.status.get("lifecycle") == "unconfigured")
        running = Path(f"/proc/{process.child.pid}/cmdline").read_text()
        assert str(node) in running
        if list(installed.rglob("nano.safetensors")):
            assert robot.change_state("configure"), process.output
        assert process.end() == 0, process.output
    finally:
        process.close()
    located = subprocess.run(
        [sys.executable, "-c", "import ainet_ros; print(ainet_ros.__file__)"],
        env=CHILD_ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    assert str(installed) in located
