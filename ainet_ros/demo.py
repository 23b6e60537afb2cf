"""`make demo`: the tracker node and the demo's source as two processes, where `launch` is absent.

The node gets the same parameters as launch/tracker.launch.py gives it: config/tracker.yaml.
Both talk over Fast DDS on loopback only, in a domain of their own.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from types import FrameType

SHARE_FOLDERS = (
    Path(__file__).resolve().parent.parent,  # the repository
    Path(sysconfig.get_path("data")) / "share" / "ainet_ros",  # installed by pip
)


def config_file(name: str) -> Path:
    """A file of config/, in the repository or where the package is installed.

    Raises:
        FileNotFoundError: with the places looked at.
    """
    for folder in SHARE_FOLDERS:
        if (folder / "config" / name).is_file():
            return folder / "config" / name
    places = " or ".join(str(folder / "config") for folder in SHARE_FOLDERS)
    raise FileNotFoundError(f"{name} is not in {places}")


def run(options: argparse.Namespace) -> int:
    """Run both processes to their end; returns an exit code."""
    environment = os.environ | {
        "ROS_DOMAIN_ID": str(1 + os.getpid() % 100),
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(config_file("fastdds_loopback.xml")),
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
    }
    options.output.mkdir(parents=True, exist_ok=True)
    log = options.output / "tracker_node.log"
    with log.open("w") as output:
        # Sessions of their own: a terminal's Ctrl-C reaches them once, through us. A second signal
        # could hit a node that is just about to end.
        tracker = subprocess.Popen(
            tracker_command(options), env=environment, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        source = subprocess.Popen(
            source_command(options), env=environment, start_new_session=True
        )
        signalled: set[int] = set()

        def end(child: subprocess.Popen[bytes]) -> None:
            if child.poll() is None and child.pid not in signalled:
                signalled.add(child.pid)
                child.send_signal(signal.SIGINT)

        def interrupt(number: int, frame: FrameType | None) -> None:
            end(source)
            end(tracker)

        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, interrupt)
        while source.poll() is None and tracker.poll() is None:
            time.sleep(0.1)
        end(source)  # it still runs where the tracker ended before its time
        code = _wait(source)
        end(tracker)
        tracker_code = _wait(tracker)
    if code or tracker_code:
        print(f"tracker node (exit code {tracker_code}), {log}:", file=sys.stderr)
        print(log.read_text()[-3000:], file=sys.stderr)
        return code or tracker_code
    if options.page:
        return 0
    names = ", ".join(f"{options.output}/{name}" for name in ("track.mp4", "track.png"))
    print(f"written: {names}, boxes.txt, table.txt, tracker_node.log")
    return 0


def tracker_command(options: argparse.Namespace) -> list[str]:
    """How the node is started: the parameters of the launch file, and what was asked for."""
    command = [sys.executable, "-m", "ainet_ros.tracker_node", "--ros-args"]
    command += ["--params-file", str(config_file("tracker.yaml"))]
    for name in ("preset", "checkpoint", "device"):
        if getattr(options, name):
            command += ["-p", f"{name}:={getattr(options, name)}"]
    if options.page:
        command += ["-p", "operator_page:=true", "-p", f"operator_page_port:={options.page_port}"]
    return command


def source_command(options: argparse.Namespace) -> list[str]:
    """How the source is started."""
    command = [sys.executable, "-m", "ainet_ros.demo_source", "--ros-args"]
    for name in ("sequence", "groundtruth", "output", "frames", "seed"):
        value = getattr(options, name)
        if isinstance(value, int):
            command += ["-p", f"{name}:={value}"]
        elif str(value):
            command += ["-p", f"{name}:='{value}'"]  # quoted: a name of digits stays a text
    return command + (["-p", "repeat:=true"] if options.page else [])


def _wait(child: subprocess.Popen[bytes], patience: float = 20.0) -> int:
    try:
        return child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ainet_ros.demo", description=__doc__)
    parser.add_argument(
        "--sequence", default="", help="folder with visible.mp4, infrared.mp4 and groundtruth.txt"
    )
    parser.add_argument(
        "--groundtruth", default="", help="which boxes: file, or N of groundtruth_N"
    )
    parser.add_argument("--output", type=Path, default=Path("demo_output"), help="folder")
    parser.add_argument("--frames", type=int, default=0, help="play so many at most; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="which generated world")
    parser.add_argument("--preset", default="", help="size of the network, see `ainet info`")
    parser.add_argument("--checkpoint", default="", help="your own weights")
    parser.add_argument("--device", default="", help="auto, cpu, cuda or cuda:N")
    parser.add_argument(
        "--page", action="store_true", help="play back and forth for the operator's page"
    )
    parser.add_argument("--page-port", type=int, default=8075, help="0: a free one")
    options = parser.parse_args(arguments)
    if options.sequence and not Path(options.sequence).is_dir():
        print(f"demo: no folder {options.sequence}", file=sys.stderr)
        return 2
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
