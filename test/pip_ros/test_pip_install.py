"""`pip install .` puts the commands where pip's users look for them, whatever colcon is told.

setup.cfg sends the scripts to lib/ainet_ros, where `ros2 run` looks; pip must not follow it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "build", "install", "log", "*.egg-info", "*.so", "test")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but `pip install --no-deps .`, from a copy of the sources."""
    folder = tmp_path_factory.mktemp("pip")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *build, str(folder / "source")], check=True)
    (wheel,) = folder.glob("ainet_ros-*.whl")
    into = ["--python", str(venv / "bin" / "python"), "install", "--no-deps"]
    subprocess.run([*pip, *into, str(wheel)], check=True)
    return venv


def test_commands_are_in_bin(installed: Path) -> None:
    for name in ("ainet", "tracker_node", "demo_source", "follow_node"):
        script = installed / "bin" / name
        assert script.read_text().startswith(f"#!{installed / 'bin' / 'python'}")
    assert not (installed / "lib" / "ainet_ros").exists()


def test_what_ros_looks_for_is_in_share(installed: Path) -> None:
    share = installed / "share"
    assert (share / "ament_index" / "resource_index" / "packages" / "ainet_ros").exists()
    assert (share / "ainet_ros" / "package.xml").exists()
    for folder, pattern in {"launch": "*.py", "config": "*.[yx]*ml"}.items():
        shipped = {path.name for path in (share / "ainet_ros" / folder).glob(pattern)}
        assert shipped == {path.name for path in (ROOT / folder).glob(pattern)}
        assert shipped


def test_typed_packages_and_nothing_of_pip_ros(installed: Path) -> None:
    (site_packages,) = installed.glob("lib/python*/site-packages")
    assert (site_packages / "ainet_core" / "py.typed").exists()
    assert (site_packages / "ainet_ros" / "py.typed").exists()
    assert (site_packages / "ainet_core" / "evaluation" / "report.html.j2").exists()
    page = ("ainet_core", "page", "static")
    shipped = {path.name for path in site_packages.joinpath(*page).iterdir()}
    assert shipped == {path.name for path in ROOT.joinpath(*page).iterdir()}
    names = {path.name for path in site_packages.iterdir()}
    assert not names & {"message_filters", "cv_bridge", "pip_ros", "test"}
