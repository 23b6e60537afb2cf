"""OpenCV's trackers behind our contract. CSRT, KCF and MOSSE need the contrib build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ainet_core.evaluation.peers import OpenCvTracker, peer_maker

CONTRIB = Path(sys.prefix) / "contrib"  # where `make contrib` puts it, beside the environment
NANOTRACK = Path(__file__).parents[3] / "shared" / "data" / "peers" / "nanotrack_v2"

FOLLOW = """
import sys
import numpy as np
from ainet_core.evaluation.peers import OpenCvTracker, peer_maker
rng = np.random.default_rng(2)
scene = rng.integers(60, 90, (120, 160, 3), np.uint8)
target = rng.integers(0, 255, (24, 24, 3), np.uint8)
def frame(x):
    image = scene.copy()
    image[40:64, x:x + 24] = target
    return image
thermal = sys.argv[2] == "thermal"
show = lambda x: (None, frame(x)[..., 0]) if thermal else (frame(x), None)
tracker = OpenCvTracker(peer_maker(sys.argv[1]))
tracker.init(*show(50), np.array([50, 40, 24, 24.0]))
for x in range(51, 60):
    found = tracker.update(*show(x))
assert abs(found.box[0] - 59) <= 3 and found.score > 0, found
"""


def test_refuses_unknown_names_and_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="peer must be one of csrt, kcf, .*, got 'siamfc'"):
        peer_maker("siamfc")
    with pytest.raises(ValueError, match="nanotrack needs --nanotrack FOLDER with backbone.onnx"):
        peer_maker("nanotrack", tmp_path)


def test_says_what_to_install_for_csrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "TrackerCSRT", raising=False)
    with pytest.raises(ValueError, match="pip install 'opencv-contrib-python-headless<5'"):
        peer_maker("csrt")


def test_refuses_two_cameras() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(ValueError, match="expects an RGB or a thermal image, got both"):
        OpenCvTracker(cv2.TrackerMIL.create).init(image, image[..., 0], np.array([1, 1, 5, 5.0]))


@pytest.mark.skipif(not CONTRIB.is_dir(), reason="no contrib build of OpenCV; make contrib")
@pytest.mark.parametrize("camera", ["rgb", "thermal"])
@pytest.mark.parametrize("peer", ["csrt", "kcf", "mosse"])
def test_peers_follow_a_moving_target(peer: str, camera: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CONTRIB)}
    ended = subprocess.run([sys.executable, "-c", FOLLOW, peer, camera], env=environment,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert ended.returncode == 0, ended.stderr


@pytest.mark.skipif(
    not NANOTRACK.is_dir(), reason="NanoTrack's weights are not beside the project"
)
def test_nanotrack_says_how_sure_it_is() -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 255, (120, 160, 3), np.uint8)
    tracker = OpenCvTracker(peer_maker("nanotrack", NANOTRACK))
    tracker.init(image, None, np.array([60, 40, 30, 30.0]))
    target = tracker.update(image, None)
    assert 0.5 < target.score <= 1
    assert np.abs(target.box - [60, 40, 30, 30]).max() < 5
