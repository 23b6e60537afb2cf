"""Where a real message_filters or cv_bridge exists, it is the one that is imported."""

import subprocess
import sys
from pathlib import Path

import pytest
import ros_wheels

PIP_ROS = ros_wheels.HERE
ROOT = PIP_ROS.parent


NAMES = ("message_filters", "cv_bridge")


def fake_package(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    file = folder / name / "__init__.py"
    file.write_text("REAL = True\n")
    return file


def found(python: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return which file each name would be imported from."""
    code = "import importlib.util as u, sys; [print(u.find_spec(n).origin) for n in sys.argv[1:]]"
    command = [str(python), "-c", code, *NAMES]
    printed = subprocess.check_output(command, env=environment, text=True, cwd="/")
    return dict(zip(NAMES, printed.split(), strict=True))


@pytest.fixture
def bare_venv(tmp_path: Path, environment: dict[str, str]) -> Path:
    """An environment with nothing but the stand-ins."""
    venv = tmp_path / "venv"
    command = [sys.executable, "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(command, check=True, env=environment)
    ros_wheels.add_stand_ins(venv)
    return venv


def test_stand_ins_fill_the_gap(bare_venv: Path, environment: dict[str, str]) -> None:
    files = found(bare_venv / "bin" / "python", environment)
    for name in NAMES:
        assert files[name] == str(PIP_ROS / "python" / name / "__init__.py")


def test_real_one_of_a_sourced_ros_wins(
    bare_venv: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    real = {name: str(fake_package(tmp_path / "opt_ros", name)) for name in NAMES}
    environment["PYTHONPATH"] = str(tmp_path / "opt_ros")
    assert found(bare_venv / "bin" / "python", environment) == real


def test_real_one_in_site_packages_wins(bare_venv: Path, environment: dict[str, str]) -> None:
    """Each on its own: one that is installed later leaves the other stand-in in place."""
    real = fake_package(ros_wheels.site_packages(bare_venv), "message_filters")
    files = found(bare_venv / "bin" / "python", environment)
    assert files["message_filters"] == str(real)
    assert files["cv_bridge"].startswith(str(PIP_ROS))


def test_real_one_named_by_another_pth_file_wins(
    bare_venv: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """As an editable installation or a colcon workspace may add it."""
    real = fake_package(tmp_path / "workspace", "cv_bridge")
    site_packages = ros_wheels.site_packages(bare_venv)
    (site_packages / "workspace.pth").write_text(f"{tmp_path / 'workspace'}\n")
    assert found(bare_venv / "bin" / "python", environment)["cv_bridge"] == str(real)


def test_stand_ins_are_last_on_this_environments_path(pip_ros_in_use: None) -> None:
    code = "import sys; print(sys.path[-1])"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True).strip() == str(PIP_ROS / "python")


def test_namesakes_on_pypi_are_never_installed() -> None:
    """PyPI's launch and cv-bridge are other things."""
    files = [*PIP_ROS.glob("*.txt"), ROOT / "test" / "requirements.txt"]
    lines = [line.strip() for file in files for line in file.read_text().splitlines()]
    assert "numpy" in lines
    for other in ("launch", "cv-bridge", "cv_bridge", "message-filters", "vision-msgs"):
        assert not [line for line in lines if line.split("=")[0].split(">")[0] == other]
    setup = (ROOT / "setup.py").read_text()
    for other in ('"launch', "cv-bridge", "cv_bridge", "message-filters"):
        assert other not in setup.replace("launch/", "")


def test_colcon_leaves_pip_ros_alone() -> None:
    """Otherwise a workspace would get a second, incomplete vision_msgs."""
    assert (PIP_ROS / "COLCON_IGNORE").exists()
