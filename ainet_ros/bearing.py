"""From a box to where the target is: angles off the camera's axis, and how fast they change.

Nothing of ROS, so it can be read, tested and copied by itself. Frame: optical, as REP 103 has it:
x to the right, y down, z ahead. Both angles are turns by the right hand about its axes:
azimuth about y, positive to the right; elevation about x, positive upwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

MODELS = ("", "plumb_bob", "rational_polynomial", "equidistant")
"""Of distortion that are understood; "" is none."""

_STRETCH = 0.02  # by which an image's shape may differ from its calibration's: rounded sizes


class Angles(NamedTuple):
    """Of the target off the camera's axis in rad, or how they change in rad/s."""

    azimuth: float
    elevation: float


@dataclass(frozen=True)
class Lens:
    """A calibrated camera.

    Attributes:
        focal: x, y in pixels.
        centre: x, y in pixels; pixel i has its centre at i, as calibrations have it.
        size: (width, height) of the images in pixels.
        model: of distortion, one of MODELS.
        distortion: its coefficients, as CameraInfo's d.

    Raises:
        ValueError: not calibrated, or a model that is not understood.
    """

    focal: tuple[float, float]
    centre: tuple[float, float]
    size: tuple[int, int]
    model: str = ""
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not all(math.isfinite(f) and f > 0 for f in self.focal):
            raise ValueError(
                f"the camera is not calibrated: expected focal lengths > 0, got {self.focal}"
            )
        if min(self.size) < 1:
            raise ValueError(f"expected an image of width, height >= 1, got {self.size}")
        if self.model not in MODELS:
            raise ValueError(
                f"the distortion model must be one of {', '.join(filter(None, MODELS))}, got "
                f"{self.model!r}: rectify the images and set rectified"
            )
        counts = (0, 4) if self.model == "equidistant" else (0, 4, 5, 8, 12, 14)
        if len(self.distortion) not in counts:
            raise ValueError(
                f"expected {' or '.join(map(str, counts))} coefficients of distortion, "
                f"got {len(self.distortion)}"
            )

    def resized(self, width: int, height: int) -> Lens:
        """The same camera with images scaled to width x height.

        Raises:
            ValueError: another shape: that is a cut-out, and nobody says where it was cut.
        """
        x, y = width / self.size[0], height / self.size[1]
        if min(x, y) <= 0 or abs(x / y - 1) > _STRETCH:
            raise ValueError(
                f"CameraInfo is of {self.size[0]}x{self.size[1]} pixels and the boxes are of "
                f"{width}x{height}: another shape cannot be scaled, publish a CameraInfo that fits"
            )
        focal = self.focal[0] * x, self.focal[1] * y
        centre = (self.centre[0] + 0.5) * x - 0.5, (self.centre[1] + 0.5) * y - 0.5
        return replace(self, focal=focal, centre=centre, size=(width, height))

    def angles(self, x: float, y: float) -> Angles:
        """Where a place in the image lies.

        Args:
            x, y: in pixels as boxes have them: pixel i is from i to i + 1.

        Raises:
            ValueError: outside the image: it was measured in another one.
        """
        width, height = self.size
        if not (0 <= x <= width and 0 <= y <= height):
            raise ValueError(
                f"the box's middle {x:.0f}, {y:.0f} lies outside CameraInfo's {width}x{height} "
                "image: set image_size to that of the images the tracker sees"
            )
        right, down = self._undistorted(x - 0.5, y - 0.5)
        return Angles(math.atan2(right, 1.0), math.atan2(-down, math.hypot(right, 1.0)))

    def _undistorted(self, x: float, y: float) -> tuple[float, float]:
        """x / z and y / z of the ray through a pixel."""
        (fx, fy), (cx, cy) = self.focal, self.centre
        if not any(self.distortion):
            return (x - cx) / fx, (y - cy) / fy
        matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
        undistort = cv2.fisheye if self.model == "equidistant" else cv2
        ray = undistort.undistortPoints(
            np.array([[[x, y]]]), matrix, np.array(self.distortion)
        ).ravel()
        return float(ray[0]), float(ray[1])


class AngleRate:
    """How fast the angles change: an alpha-beta filter for each, over the images' own times.

    Critically damped: one time constant says how fast it forgets, however irregular the times.
    """

    def __init__(self, smoothing: float, longest_gap: float) -> None:
        """Both in seconds: the time constant, and the pause after which it begins anew.

        Raises:
            ValueError: one of them is not above 0.
        """
        for name, value in (("smoothing", smoothing), ("longest_gap", longest_gap)):
            if not value > 0:
                raise ValueError(f"{name} must be > 0 s, got {value}")
        self._smoothing, self._longest_gap = smoothing, longest_gap
        self.forget()

    def forget(self) -> None:
        """The next angles are the first: another target, or the old one found again."""
        self._time: float | None = None
        self._angles = np.zeros(2)
        self._rate: np.ndarray | None = None

    def observe(self, time: float, angles: Angles) -> Angles | None:
        """Take the next measurement.

        Args:
            time: of the image in seconds, not of its arrival.

        Returns:
            The rate in rad/s; None where nothing can be said: for the first image, and again
            after a pause or a step back in time.
        """
        measured = np.array(angles)
        step = math.inf if self._time is None else time - self._time
        if not 0 < step <= self._longest_gap:
            self._time, self._angles, self._rate = time, measured, None
            return None
        self._time = time
        if self._rate is None:
            self._rate = (measured - self._angles) / step
            self._angles = measured
            return Angles(*self._rate.tolist())
        keep = math.exp(-step / self._smoothing)
        predicted = self._angles + step * self._rate
        miss = measured - predicted
        self._angles = predicted + (1 - keep**2) * miss
        self._rate = self._rate + (1 - keep) ** 2 / step * miss
        return Angles(*self._rate.tolist())
