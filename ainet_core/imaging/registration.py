"""Where thermal pixels lie in the RGB image: two cameras side by side as if they were one.

A homography is exact for one distance, and for everything when the cameras share their centre.
`distances_within` says for which others it is good enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from ainet_core.whole import write_whole

VERSION = 1
LEAST_AREA = 0.01  # of the RGB image, that the thermal image must cover
Size = tuple[int, int]


@dataclass(frozen=True)
class Alignment:
    """A thermal camera's view in the RGB camera's image.

    Attributes:
        homography: (3, 3) from thermal to RGB pixels, both from the centre of the top left one.
        thermal_size: (height, width) of the images that it was made with.
        rgb_size: (height, width).
        error: median distance in RGB pixels between where points lie and where they are put.

    Raises:
        ValueError: a homography that is singular, mirrors or folds the image, or puts it
            beside the RGB image.
    """

    homography: NDArray[np.float64]
    thermal_size: Size
    rgb_size: Size
    error: float = math.nan

    def __post_init__(self) -> None:
        for name in ("thermal_size", "rgb_size"):
            size = getattr(self, name)
            if len(size) != 2 or min(size) < 2:
                raise ValueError(f"{name} must be height, width in pixels, got {size}")
        h = np.asarray(self.homography, np.float64)
        if h.shape != (3, 3) or not np.isfinite(h).all():
            raise ValueError(f"the homography must be 3 x 3 finite numbers, got {h.tolist()}")
        if abs(np.linalg.det(h)) < 1e-12 or abs(h[2, 2]) < 1e-12:
            raise ValueError("the homography is singular: it maps the image onto a line")
        object.__setattr__(self, "homography", h / h[2, 2])
        self._check_outline()

    def to_rgb(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (n, 2) x, y from thermal to RGB pixels."""
        return mapped(self.homography, np.asarray(points, np.float64))

    def warp(self, thermal: NDArray[Any]) -> NDArray[Any]:
        """A thermal image (h, w) or (h, w, 3) as the RGB camera would see it.

        Returns:
            The same type, in the RGB image's view and about the thermal image's own resolution;
            what the thermal camera does not see has its mean.

        Raises:
            ValueError: an image of another size than the alignment was made with.
        """
        if thermal.shape[:2] != self.thermal_size:
            raise ValueError(
                f"the alignment was made with thermal images of {_named(self.thermal_size)} "
                f"pixels, got {_named(thermal.shape[:2])}: calibrate again"
            )
        (fixed, fraction), covered = self._maps
        warped: NDArray[Any] = cv2.remap(
            thermal, fixed, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        warped[~covered] = thermal[::8, ::8].mean(axis=(0, 1)).astype(thermal.dtype)
        return warped

    def check_rgb(self, size: Size) -> None:
        """Raises ValueError unless RGB images of this (height, width) have the same shape."""
        height, width = self.rgb_size
        if abs(size[0] * width - size[1] * height) > 0.01 * size[0] * width:
            raise ValueError(
                f"the alignment was made with RGB images of {_named(self.rgb_size)} pixels, "
                f"got {_named(size)}, which is another shape: calibrate again"
            )

    def save(self, path: Path) -> None:
        """Write alignment.yaml whole or not at all. OSError if that fails."""
        content = {
            "version": VERSION,
            "thermal": {"height": self.thermal_size[0], "width": self.thermal_size[1]},
            "rgb": {"height": self.rgb_size[0], "width": self.rgb_size[1]},
            "thermal_to_rgb": self.homography.tolist(),
            "error_pixels": round(float(self.error), 3),
        }

        def write(part: Path) -> None:
            part.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

        write_whole(path, write)

    @classmethod
    def load(cls, path: Path) -> Alignment:
        """Raises FileNotFoundError, or ValueError that names the file and what is wrong in it."""
        if not path.is_file():
            raise FileNotFoundError(f"no alignment file at {path}: `ainet calibrate` makes one")
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if content["version"] != VERSION:
                raise ValueError(f"version {content['version']}, this program reads {VERSION}")
            thermal, rgb = (
                (int(content[camera]["height"]), int(content[camera]["width"]))
                for camera in ("thermal", "rgb")
            )
            homography = np.array(content["thermal_to_rgb"], np.float64)
            return cls(homography, thermal, rgb, float(content.get("error_pixels", math.nan)))
        except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no alignment file: {error!r}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @cached_property
    def _scale(self) -> float:
        """RGB pixels for one thermal pixel, in the middle of the thermal image."""
        height, width = self.thermal_size
        middle = np.array([[width / 2, height / 2]])
        steps = self.to_rgb(middle + [[0, 0], [1, 0], [0, 1]])
        return math.sqrt(abs(_cross(steps[1] - steps[0], steps[2] - steps[0])))

    @cached_property
    def _maps(self) -> tuple[tuple[Any, Any], NDArray[np.bool_]]:
        """For every pixel of the warped image, where in the thermal one it comes from."""
        height, width = (max(2, round(side / self._scale)) for side in self.rgb_size)
        x = (np.arange(width) + 0.5) * self.rgb_size[1] / width - 0.5
        y = (np.arange(height) + 0.5) * self.rgb_size[0] / height - 0.5
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        back = np.asarray(np.linalg.inv(self.homography), np.float64)
        source = mapped(back, grid).reshape(height, width, 2)
        h, w = self.thermal_size
        covered = np.all((source > -0.5) & (source < [w - 0.5, h - 0.5]), axis=-1)
        maps: tuple[Any, Any] = cv2.convertMaps(source.astype(np.float32), None, cv2.CV_16SC2)  # type: ignore[call-overload]
        return maps, covered

    def _check_outline(self) -> None:
        height, width = self.thermal_size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        depth = np.hstack([corners, np.ones((4, 1))]) @ self.homography[2]
        if depth.min() <= 0:
            raise ValueError("the homography folds the thermal image over the horizon")
        outline = self.to_rgb(corners)
        sides = np.roll(outline, -1, axis=0) - outline
        turns = np.array([_cross(a, b) for a, b in zip(sides, np.roll(sides, -1, 0), strict=True)])
        if (turns <= 0).all():
            raise ValueError("the homography mirrors the thermal image")
        if not (turns > 0).all():
            raise ValueError("the homography folds the thermal image")
        rgb = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * self.rgb_size[::-1]
        shared, _ = cv2.intersectConvexConvex(outline.astype(np.float32), rgb.astype(np.float32))
        share = shared / (self.rgb_size[0] * self.rgb_size[1])
        if share < LEAST_AREA:
            raise ValueError(
                f"the homography puts {share:.1%} of the RGB image into the thermal camera's "
                f"view, expected at least {LEAST_AREA:.0%}"
            )


def align_points(
    thermal: ArrayLike, rgb: ArrayLike, thermal_size: Size, rgb_size: Size, limit: float = 5.0
) -> Alignment:
    """An alignment from the same n >= 4 points in both images, a minority of which may be wrong.

    Args:
        thermal, rgb: (n, 2) x, y in pixels.
        limit: RGB pixels by which a point may be off before it counts as wrong.

    Raises:
        ValueError: too few points, points on one line, or points that no homography explains.
    """
    a, b = (np.asarray(points, np.float64) for points in (thermal, rgb))
    if a.shape != b.shape or a.ndim != 2 or a.shape[1:] != (2,):
        raise ValueError(f"expected n points x, y in both images, got {a.shape} and {b.shape}")
    if len(a) < 4:
        raise ValueError(f"at least 4 points are needed, got {len(a)}: mark some more")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a point is not finite")
    for name, points in (("thermal", a), ("RGB", b)):
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if spread[1] < 0.02 * max(spread[0], 1e-9):
            raise ValueError(
                f"the points in the {name} image lie on one line: mark some beside it"
            )
    # One seed and no luck: the same points give the same alignment.
    cv2.setRNGSeed(0)
    fitted, chosen = cv2.findHomography(a, b, cv2.RANSAC, limit, maxIters=5000)
    agreeing = 0 if chosen is None else int(chosen.sum())
    if fitted is None or agreeing < max(4, 0.6 * len(a)):
        raise ValueError(
            f"{agreeing} of {len(a)} points agree within {limit:g} pixels, expected 60 %: are "
            "they the same places, at about one distance?"
        )
    found = np.asarray(fitted, np.float64)
    off = np.linalg.norm(mapped(found, a) - b, axis=1)
    return Alignment(found, thermal_size, rgb_size, float(np.median(off[chosen.ravel() > 0])))


def distances_within(
    error: float, calibrated_at: float, baseline: float, focal: float
) -> tuple[float, float]:
    """Nearest and farthest distance in metres at which an alignment is off by `error` at most.

    A point at distance z is seen `focal * baseline / z` pixels apart by two cameras side by side;
    an alignment takes away what that is at the distance it was made at.

    Args:
        error: in RGB pixels.
        calibrated_at: distance in metres of what was aligned.
        baseline: metres between the two cameras.
        focal: focal length of the RGB camera in pixels.

    Raises:
        ValueError: a value that is not positive (`baseline` may be 0).
    """
    for name, value in (("error", error), ("calibrated_at", calibrated_at), ("focal", focal)):
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")
    if not baseline >= 0:
        raise ValueError(f"baseline must be at least 0, got {baseline}")
    if baseline == 0:
        return 0.0, math.inf
    slack = error / (focal * baseline)
    far = 1 / calibrated_at - slack
    return 1 / (1 / calibrated_at + slack), math.inf if far <= 0 else 1 / far


def mapped(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    lifted = np.hstack([points, np.ones((len(points), 1))]) @ homography.T
    return np.asarray(lifted[:, :2] / lifted[:, 2:])


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _named(size: tuple[int, ...]) -> str:
    return f"{size[1]} x {size[0]}"
