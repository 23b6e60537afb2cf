"""ROS 2 from PyPI: where it works, and what its wheels leave to be done in an environment."""

import hashlib
import os
import platform
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VISION_MSGS = HERE / "interfaces" / "vision_msgs"
PYTHONS = ((3, 10), (3, 13))  # oldest and newest for which there are wheels

# The wheels re-execute Python once to set LD_LIBRARY_PATH; this variable says that it's done.
BOOTSTRAP_GUARD = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"


def why_not_here() -> str | None:
    """Return why this Python can't have ROS 2 from PyPI, None where it can."""
    oldest, newest = PYTHONS
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if (
        platform.system() == "Linux"
        and platform.machine() == "x86_64"
        and platform.python_implementation() == "CPython"
        and oldest <= sys.version_info[:2] <= newest
    ):
        return None
    return (
        f"no ROS 2 is sourced, and PyPI's is for CPython {oldest[0]}.{oldest[1]} to "
        f"{newest[0]}.{newest[1]} on x86-64 Linux only; this is {machine}: "
        "install ROS 2 and source its setup.bash"
    )


def site_packages(venv: Path) -> Path:
    """Return the environment's site-packages; the environment has the running Python's version."""
    return venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def build_environment(venv: Path) -> dict[str, str]:
    """Return the variables under which CMake finds the wheels' packages and libraries."""
    libraries = [venv / "lib", *sorted(site_packages(venv).glob("ros_*.libs"))]
    return {
        **os.environ,
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AMENT_PREFIX_PATH": str(venv),
        "CMAKE_PREFIX_PATH": str(venv),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        BOOTSTRAP_GUARD: "1",
    }


def name_this_python(venv: Path, python_include: Path, numpy_include: Path) -> int:
    """Have the wheels' CMake files name this Python; return how many files were changed.

    As shipped they name the include folders of the container that built them, and CMake refuses
    targets with folders that don't exist.
    """
    container = r"/opt/python/cp\d+-cp\d+"
    changed = 0
    for path in venv.glob("share/*/cmake/*Export.cmake"):
        shipped = path.read_text()
        text = re.sub(rf"{container}/include/python[\d.]+", str(python_include), shipped)
        text = re.sub(
            rf"{container}/lib/python[\d.]+/site-packages/numpy/\w+/include",
            str(numpy_include),
            text,
        )
        if text != shipped:
            path.write_text(text)
            changed += 1
    return changed


def vision_msgs_digest() -> str:
    """Return what changes whenever a file changes that vision_msgs is built from."""
    digest = hashlib.sha256()
    for path in sorted(VISION_MSGS.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def vision_msgs_marker(venv: Path) -> Path:
    """Return the file that holds the digest of the vision_msgs which this environment has."""
    return venv / "share" / "vision_msgs" / "built_from"


def configure_vision_msgs(venv: Path, build: Path) -> list[str]:
    """Return the command that lets CMake prepare the build of vision_msgs in `build`."""
    return [
        "cmake",
        *("-S", str(VISION_MSGS), "-B", str(build)),
        f"-DPython3_EXECUTABLE={venv / 'bin' / 'python'}",
        "-DPython3_FIND_VIRTUALENV=ONLY",
        "-DBUILD_TESTING=OFF",
        "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_INSTALL_PREFIX={venv}",
    ]


def add_stand_ins(venv: Path) -> Path:
    """Put message_filters and cv_bridge at the very end of the environment's search path.

    Python takes the first module of a name that it finds, so a real one anywhere (site-packages,
    PYTHONPATH, a sourced ROS 2) is imported and ours is not.
    """
    path = site_packages(venv) / "zz_ainet_pip_ros.pth"  # .pth files are read in order of name
    path.write_text(f"{HERE / 'python'}\n")
    return path
