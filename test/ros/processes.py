"""Children of the tests: a private domain, packets on loopback only, output in a file."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

PRIVATE_DDS = {
    "ROS_DOMAIN_ID": str(1 + os.getpid() % 100),
    "FASTRTPS_DEFAULT_PROFILES_FILE": str(ROOT / "config" / "fastdds_loopback.xml"),
    "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
}
CHILD_ENVIRONMENT = {
    **os.environ,
    **PRIVATE_DDS,
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
}
# What starts a child decides anew where the wheels' libraries are.
CHILD_ENVIRONMENT.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)


class Process:
    """A child with its output in a file, ended as ROS ends its nodes."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("w") as output:
            self.child = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=CHILD_ENVIRONMENT
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def end(self, number: int = signal.SIGINT, timeout: float = 30) -> int:
        """Send the signal and return the exit code."""
        self.child.send_signal(number)
        return self.child.wait(timeout)

    def close(self) -> None:
        """End it if it still runs, kindly first.

        Fast DDS leaves shared memory behind in a killed process. When hundreds of tests had done
        so, the first images of later ones got lost in the ports of dead processes.
        """
        try:
            if self.child.poll() is None:
                self.end(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)
