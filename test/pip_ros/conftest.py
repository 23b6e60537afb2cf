"""Tests of what pip_ros adds where ROS 2 comes from PyPI, and that it keeps away elsewhere."""

import os
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PIP_ROS = ROOT / "pip_ros"
sys.path.insert(0, str(PIP_ROS))  # its scripts are no package: they run before anything is there


@pytest.fixture(scope="session")
def pip_ros_in_use() -> None:
    """Skip where a real ROS 2 is used instead of pip_ros."""
    if not Path(sysconfig.get_path("purelib"), "zz_ainet_pip_ros.pth").exists():
        pytest.skip("pip_ros is not in use: ROS 2 is installed here, or `make venv` hasn't run")


@pytest.fixture
def environment() -> dict[str, str]:
    """Return this process's variables without what any ROS 2, real or from PyPI, put there."""
    ros = {"ROS_DISTRO", "AMENT_PREFIX_PATH", "PYTHONPATH", "LD_LIBRARY_PATH"}
    guard = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
    return {k: v for k, v in os.environ.items() if k not in ros | {guard}}
