"""What a user would take instead: OpenCV's single-object trackers, on either camera.

CSRT, KCF and MOSSE need OpenCV's contrib build (opencv-contrib-python-headless, which takes the
place of opencv-python-headless); NanoTrack v2 needs its two ONNX files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.data.sequence import Image
from ainet_core.imaging.thermal import to_eight_bit
from ainet_core.tracking.tracker import Target

PEERS = ("csrt", "kcf", "mosse", "nanotrack", "static")
_NANOTRACK_FILES = ("backbone.onnx", "head.onnx")


class OpenCvTracker:
    """One of OpenCV's trackers behind the contract of `Tracker`.

    Args:
        make: a fresh tracker; called at every `init`.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def init(self, rgb: Image | None, thermal: Image | None, box: NDArray[np.float64]) -> None:
        """Take the target, x, y, w, h; ValueError if both cameras are given, or none."""
        self._tracker = self._make()
        self._box = np.asarray(box, dtype=np.float64)
        left, top, width, height = (round(value) for value in self._box.tolist())
        self._tracker.init(_picture(rgb, thermal), (left, top, max(width, 1), max(height, 1)))

    def update(self, rgb: Image | None, thermal: Image | None) -> Target:
        """Follow it. Where OpenCV says it is lost the last box stays, with score 0."""
        found, box = self._tracker.update(_picture(rgb, thermal))
        if found:
            self._box = np.asarray(box, dtype=np.float64)
        scored = hasattr(self._tracker, "getTrackingScore")
        score = float(self._tracker.getTrackingScore()) if scored else 1.0
        return Target(self._box.copy(), score if found else 0.0,
                      "tracking" if found else "lost", ())  # fmt: skip


def peer_maker(name: str, nanotrack: Path | None = None) -> Callable[[], Any]:
    """What makes a fresh OpenCV tracker of this name.

    Args:
        name: csrt, kcf, mosse or nanotrack.
        nanotrack: folder with backbone.onnx and head.onnx.

    Raises:
        ValueError: unknown name, OpenCV without contrib, or no weights for NanoTrack.
    """
    if name == "nanotrack":
        return _nanotrack_maker(nanotrack)
    makers = {
        "csrt": ("TrackerCSRT", cv2),
        "kcf": ("TrackerKCF", cv2),
        "mosse": ("TrackerMOSSE", getattr(cv2, "legacy", None)),
    }
    if name not in makers:
        raise ValueError(f"peer must be one of {', '.join(PEERS)}, got {name!r}")
    kind, module = makers[name]
    if not hasattr(module, kind):
        raise ValueError(
            f"peer {name} needs OpenCV's contrib build, got OpenCV {cv2.__version__} without it: "
            "pip install 'opencv-contrib-python-headless<5' in place of opencv-python-headless "
            "(`make benchmark` does it beside the environment)"
        )
    maker: Callable[[], Any] = getattr(module, kind).create
    return maker


def _nanotrack_maker(folder: Path | None) -> Callable[[], Any]:
    files = [(folder or Path()) / name for name in _NANOTRACK_FILES]
    if folder is None or not all(file.is_file() for file in files):
        raise ValueError(
            f"peer nanotrack needs --nanotrack FOLDER with {' and '.join(_NANOTRACK_FILES)} "
            f"(NanoTrack v2), got {folder}"
        )
    parameters = cv2.TrackerNano.Params()
    parameters.backbone, parameters.neckhead = (str(file) for file in files)
    return lambda: cv2.TrackerNano.create(parameters)


def _picture(rgb: Image | None, thermal: Image | None) -> NDArray[np.uint8]:
    """The one camera's image as OpenCV likes it: (H, W, 3) uint8, blue first."""
    if rgb is not None and thermal is None:
        return np.ascontiguousarray(rgb[..., ::-1])
    if rgb is not None or thermal is None:
        got = "neither" if rgb is None else "both"
        raise ValueError(f"a tracker of one camera expects an RGB or a thermal image, got {got}")
    return np.repeat(to_eight_bit(thermal)[..., None], 3, axis=2)
