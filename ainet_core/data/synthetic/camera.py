"""A pinhole camera above a flat ground, and the planes it looks at.

World: X right, Y up, Z ahead, metres. Image: x right, y down, pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Where the camera is and looks.

    Attributes:
        position: X, Y, Z in metres.
        yaw: to the right, rad.
        pitch: downwards, rad.
        roll: clockwise, rad.
        focal: focal length in pixels.
        size: (height, width) of the image.
    """

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    roll: float
    focal: float
    size: tuple[int, int]

    @cached_property
    def matrix(self) -> Matrix:
        """(3, 4) projection of homogeneous world points to homogeneous pixels."""
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        to_image = np.array([[cy, 0, -sy], [0, -1, 0], [sy, 0, cy]])  # right, down, ahead
        nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        turn = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
        rotation = turn @ nod @ to_image
        height, width = self.size
        lens = np.array(
            [[self.focal, 0, width / 2 - 0.5], [0, self.focal, height / 2 - 0.5], [0, 0, 1]]
        )
        move = -rotation @ np.array(self.position)
        return lens @ np.column_stack([rotation, move])

    def project(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Pixel x, y and pixels per metre of an upright thing at a world point (z ahead)."""
        u, v, depth = (self.matrix @ (x, y, z, 1.0)).tolist()
        return u / depth, v / depth, self.focal / depth


def ground_plane(camera: Camera) -> Matrix:
    """(3, 3) from (X, Z, 1) on the ground to homogeneous pixels."""
    return camera.matrix[:, [0, 2, 3]]


def upright_plane(camera: Camera, z: float) -> Matrix:
    """(3, 3) from (X, Y, 1) on the plane Z = z to homogeneous pixels."""
    matrix = camera.matrix
    return np.column_stack([matrix[:, 0], matrix[:, 1], matrix[:, 2] * z + matrix[:, 3]])
