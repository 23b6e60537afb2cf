"""Commands of the documentation that no test here runs, and why. They are parsed all the same.

The key is how a command begins. An entry that fits no command any more fails a test.
"""

NO_ROS_TOOLS = "ROS 2's command line is not on PyPI; names, types and arguments are compared"
NETWORK = "needs the network"
SHELL = "changes the shell that it is typed into"
ELSEWHERE = "run with small data by "
DATA = "needs a published data set; its parts are run by test/evaluation"

NOT_RUN = {
    ".": SHELL,
    "cd": SHELL,
    "export": SHELL,
    "ainet correct": "waits for somebody at a browser; test/page does that",
    "ainet calibrate --mark": "waits for somebody at a browser; test/page does that",
    "ainet eval run --dataset": DATA,
    "ainet eval run --data list.csv": ELSEWHERE + "test/evaluation/test_run.py",
    "ainet eval report results/new": ELSEWHERE + "test/evaluation/test_report.py",
    "ainet eval score": DATA,
    "ainet import-weights": ELSEWHERE + "test/training/test_foreign.py",
    "ainet track --device cuda": "needs a GPU",
    "ainet train": "hours; recipes are loaded here, " + ELSEWHERE + "test/training",
    "fastdds shm clean": "takes away the shared memory of every stopped node on the machine",
    "git clone": NETWORK,
    "make": "minutes to hours; make itself reads the target and the variables (make -n)",
    "pip install": NETWORK + "; extras are compared with setup.py",
    "python -m ainet_ros.interface": "writes a page that test/ros/test_interface.py compares",
    "python -m ainet_ros.tracker_node": "runs until it is stopped; test/ros does that",
    "python -m colcon build": ELSEWHERE + "test/ros/test_colcon.py",
    "python bench/": "minutes, or data that is not handed on; options are compared",
    "python test/ros/": ELSEWHERE + "test/ros/test_cycles.py",
    "python3 -m venv": "the environment that runs this was made by it, see test/pip_ros",
    "ros2": NO_ROS_TOOLS,
    "rosdep": NO_ROS_TOOLS,
    "rviz2": "needs a display",
    "ssh": "needs another machine",
    "tensorboard": "serves until it is stopped",
    "torchrun": "needs several GPUs; torchrun's own parser and ours read the words",
}

# Pages whose commands another test runs, in a folder with what they name.
RUN_BY = {"docs/recordings.md": "test/recordings/test_docs.py"}


def reason(command: str) -> str | None:
    """Why a command is not run; None where it is."""
    fitting = [start for start in NOT_RUN if f"{command} ".startswith((start + " ", start + "/"))
               or (start.endswith("/") and command.startswith(start))]  # fmt: skip
    return NOT_RUN[max(fitting, key=len)] if fitting else None
