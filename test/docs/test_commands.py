"""Every command of the documentation is one that its program takes, or it is known why not."""

from __future__ import annotations

import re

import pytest
from checks import CHECKS, check
from documentation import PAGES, PROGRAMS, ROOT, Command, blocks, commands, spans, split
from not_run import NOT_RUN, RUN_BY, reason

from ainet_core.cli import make_parser

ALL = commands()


def is_mention(command: Command) -> bool:
    """The name of a command in the running text, without what it would need to run."""
    words = command.text.split()
    bare = all(re.fullmatch(r"[a-z-]+|[A-Z]+", word) for word in words[1:])
    return command.inline and words[0] in ("ainet", "ros2") and bare and len(words) <= 4


def test_nothing_is_overlooked() -> None:
    """Each program is known, so every line of a block of shell is a command that is checked."""
    assert len(ALL) > 100
    assert set(CHECKS) == PROGRAMS
    others = {block.language for page in PAGES for block in split(page)[0]}
    assert others <= {"bash", "python", "yaml", "csv", "text"}


@pytest.mark.parametrize("command", [c for c in ALL if not is_mention(c)], ids=str)
def test_it_is_taken(command: Command) -> None:
    if "ros2" in command.text or "ainet_ros" in command.text:
        pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")
    check(command.text)


@pytest.mark.parametrize("command", [c for c in ALL if is_mention(c)], ids=str)
def test_what_is_mentioned_exists(command: Command) -> None:
    program, name, *_ = command.text.split()
    if program == "ros2":
        pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")
        from ros_checks import ROS2

        assert name in ROS2
    else:
        assert f"{name}," in make_parser().format_help().replace("\n", ",").replace(" ", ",")


def test_reasons_are_not_stale() -> None:
    texts = [command.text for command in ALL]
    used = {start for start in NOT_RUN for text in texts if text.startswith(start)}
    assert set(NOT_RUN) == used
    for page, test in RUN_BY.items():
        assert (ROOT / page).is_file()
        assert (ROOT / test).is_file()
    for why in NOT_RUN.values():
        for named in re.findall(r"test/[\w/.]+\w", why):
            assert (ROOT / named).exists(), named


def test_a_reason_is_for_whole_words() -> None:
    assert reason("make demo") == NOT_RUN["make"]
    assert reason("python bench/scan.py") == NOT_RUN["python bench/"]
    assert reason("ainet eval run --data list.csv --peer csrt") is not None
    assert reason("ainet eval run --data my_recordings") is None
    assert reason("mkdir -p mydata") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "ainet track --boxes 1,2,3,4 --output out",
        "ainet train config/training/none.yaml",
        "torchrun --nproc-per-node 8 -m ainet_core.cli train config/training/paper.yaml --start x",
        "make tset",
        "make soak HOURS=1",
        "pip install '.[gpu]'",
        "python bench/node.py --images 4",
        "python bench/none.py",
        "ros2 launch ainet_ros tracker.launch.py thermal:=/x",
        "ros2 launch ainet_ros tracker.launch.py pairing:=nearest",
        "ros2 topic echo /ainet/box",
        'ros2 topic pub /ainet/set_target sensor_msgs/msg/RegionOfInterest "{x: 3}"',
        "ros2 run ainet_ros tracker_node --ros-args -p slop:=5.0",
        "ros2 param set /ainet preset tiny",
        "rviz2 -d rviz/none.rviz",
    ],
)
def test_a_wrong_command_would_be_seen(wrong: str) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")
    with pytest.raises((AssertionError, AttributeError, KeyError, OSError, ValueError)):
        check(wrong)


def test_arguments_and_values_in_the_text_are_taken() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")
    from ros_checks import argument_or_parameter, parameter_values

    from ainet_ros import parameters

    seen = 0
    for page in PAGES:
        for line, span in spans(page):
            name, colon, value = span.partition(": ")
            try:
                if re.fullmatch(r"(\w+:=\S+ ?)+", span):
                    argument_or_parameter(span)
                    seen += 1
                elif colon and name in parameters.table():
                    list(parameter_values(f"n: {{ros__parameters: {{{name}: {value}}}}}"))
                    seen += 1
            except (ValueError, KeyError, AssertionError) as error:
                pytest.fail(f"{page.name}:{line}: `{span}`: {error}")
    assert seen > 20


def test_files_of_parameters_are_taken() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")
    from ros_checks import parameter_values

    files = [block for block in blocks("yaml") if "ros__parameters" in block.text]
    assert files
    for block in files:
        assert list(parameter_values(block.text))


def test_the_readmes_topics_are_the_nodes() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: make venv")
    from ros_checks import ports

    rows = re.findall(r"^\| (`/ainet/.*?`) \| (.*?) \|", (ROOT / "README.md").read_text(), re.M)
    assert len(rows) >= 5
    for names, kinds in rows:
        package = kinds.partition("/")[0]
        for name, kind in zip(names.split(", "), kinds.split(", "), strict=True):
            assert ports()[name.strip("`")] == f"{package}/{kind.rpartition('/')[2]}"
