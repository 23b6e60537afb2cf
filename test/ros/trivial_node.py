"""The tracker node with a tracker that needs no network: started as a process by the tests.

    python trivial_node.py [BEHAVIOUR] --ros-args ...

The trivial tracker keeps the box where `init` put it and is lost on a black RGB image. On an RGB
image of grey RAISES it raises once, on one of grey BREAKS it and every later update fails, as on a
lost device. A region of interest RAISES pixels wide makes the node's own callback raise.
BEHAVIOUR: "slow" takes 0.2 s a frame; "raises" raises on every second update; "fails" cannot
be made; "slow_to_make" takes 3 s to be made.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from ainet_ros import tracker_node

RAISES, BREAKS = 251, 252


class TrivialTracker:
    """init / update without a network."""

    device, backend, preset = "cpu", "none", "trivial"

    def __init__(self, behaviour: str = "") -> None:
        self.behaviour, self.updates, self.box = behaviour, 0, None
        self.broken = False
        # OpenCV makes its threads when it is first given a large image. The network's warm-up does
        # that, and without one they would come whenever a thermal image is first stretched.
        cv2.resize(np.zeros((240, 320), np.uint8), (640, 480))

    def init(self, rgb: Any, thermal: Any, box: Any) -> None:
        self.box, self.warm = np.array(box, float), False

    def update(self, rgb: Any, thermal: Any) -> Any:
        assert self.box is not None
        assert rgb is not None or thermal is not None
        self.updates += 1
        grey = 0 if rgb is None or self.updates <= 4 else int(rgb[0, 0, 0])
        self.broken = self.broken or grey == BREAKS
        if self.broken:
            raise RuntimeError("CUDA error: the device is lost")
        if grey == RAISES:
            raise KeyError("on purpose, once")
        if self.behaviour == "slow" and self.updates > 4:
            time.sleep(0.2)
        if self.behaviour == "raises" and self.updates > 4 and self.updates % 2:
            raise KeyError("on purpose")
        lost = self.updates > 4 and rgb is not None and not rgb.any()
        return SimpleNamespace(
            box=self.box,
            score=0.1 if lost else 0.9,
            state="lost" if lost else "tracking",
            order=(0,),
        )


def make(behaviour: str) -> Any:
    def make_tracker(settings: Any) -> TrivialTracker:
        if behaviour == "fails":
            raise FileNotFoundError("no checkpoint at nowhere.safetensors")
        if behaviour == "slow_to_make":
            time.sleep(3)
        return TrivialTracker(behaviour)

    return make_tracker


def count_objects(path: str) -> None:
    """Write the number of Python objects every second, for the soak test."""
    while True:
        gc.collect()
        with open(path, "w") as file:
            file.write(str(len(gc.get_objects())))
        time.sleep(1.0)


class RaisingNode(tracker_node.TrackerNode):
    """The node, with one callback that raises."""

    def _on_set_target(self, region: Any) -> None:
        if region.width == RAISES:
            raise KeyError("a callback on purpose")
        super()._on_set_target(region)


if __name__ == "__main__":
    tracker_node.TrackerNode = RaisingNode  # what main() makes
    if "TRIVIAL_NODE_OBJECTS" in os.environ:
        path = os.environ["TRIVIAL_NODE_OBJECTS"]
        threading.Thread(target=count_objects, args=(path,), daemon=True).start()
    named = len(sys.argv) > 1 and not sys.argv[1].startswith("--")
    sys.exit(tracker_node.main(sys.argv, make(sys.argv[1] if named else "")))
