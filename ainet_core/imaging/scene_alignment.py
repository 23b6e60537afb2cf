"""Thermal to RGB from what both cameras see, without a board: outlines against outlines.

First every scale and turn within limits is tried on small images, with the shift by Fourier
transform; then the best are refined block by block on larger ones. Every other block is left out
once: what the one half says must hold for the other, or it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.block_fit import apart, best_fit, halves, similarity
from ainet_core.imaging.block_matching import Matches, Points, match_blocks
from ainet_core.imaging.outlines import planes
from ainet_core.imaging.registration import Alignment, mapped
from ainet_core.imaging.scene import Matrix, Scene

SCALES = np.exp(np.arange(np.log(0.66), np.log(1.5), 0.06))  # thermal's view against RGB's width
TURNS = np.arange(-7.5, 7.6, 1.5)  # degrees
SHIFT = 0.25  # of the view's sides, either way

_COARSE, _COARSE_PAIRS = 128, 4  # pixels wide; pairs that are looked at
# Width of the images, search radius, and how far blocks may be off, in pixels of those.
_LEVELS = ((256, 12, 3.0), (640, 10, 1.5))
_STARTS = 2  # so many different coarse answers are refined
LEAST_BLOCKS, LEAST_SHARE = 14, 0.13  # that must agree; chance gives up to 9 and 0.07
_MOST_APART = 4.0  # pixels of _LEVELS[-1] between what the two halves say


@dataclass(frozen=True)
class SceneAlignment:
    """What a scene told.

    Attributes:
        alignment: its `error` is the median over the blocks that agree.
        points: (k, 4) thermal x, y, RGB x, y of those.
        blocks: how many had outlines.
        apart: RGB pixels, median over the image, between what two halves of the blocks say.
    """

    alignment: Alignment
    points: Points
    blocks: int
    apart: float


def align_scene(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[Any]]]) -> SceneAlignment:
    """Find the homography from pairs RGB (H, W, 3), thermal (h, w) of the same moments.

    About twenty pairs over which the scene changes do well; one pair may do.

    Raises:
        ValueError: pairs of several sizes, a scene without outlines, or an answer that is not
            sure; says what to do.
    """
    scene = Scene.of(pairs)
    _check_texture(scene)
    answers = []
    for start in _coarse(scene.some(_COARSE_PAIRS)):
        answers.append(_refined(scene, start))
        if answers[-1].share > 0.25:  # beyond doubt: the second need not be tried
            break
    return _judged(scene, max(answers, key=lambda answer: int(answer.agree.sum())))


@dataclass(frozen=True)
class _Answer:
    homography: Matrix
    matches: Matches
    agree: NDArray[np.bool_]  # (n,) of the matches
    limit: float  # RGB pixels

    @property
    def share(self) -> float:
        return float(self.agree.mean()) if len(self.agree) else 0.0


def _check_texture(scene: Scene) -> None:
    for name, images in (("RGB", scene.rgb), ("thermal", scene.thermal)):
        if max(float(image.std()) for image in images) < 1.0:
            raise ValueError(
                f"the {name} images are of one grey: no outlines to align by; take the lens cap "
                "off, or point the cameras at people, cars, houses"
            )


def _coarse(scene: Scene) -> list[Matrix]:
    """Thermal to RGB, the best first; the others differ from it."""
    reduce, size = scene.reduced(_COARSE)
    back = np.linalg.inv(reduce)
    to_view = reduce @ scene.centred()
    correlate = _correlator(scene, (size[0], size[1]))
    tried = []
    for scale in SCALES:
        for turn in TURNS:
            turned = _about_middle(scale, turn, size) @ to_view
            likeness, shift = correlate(turned)
            tried.append((likeness, np.array([np.log(scale) / 0.1, turn / 3, *(shift / 6)]),
                          back @ _moved(shift) @ turned))  # fmt: skip
    tried.sort(key=lambda answer: -answer[0])
    chosen: list[tuple[float, NDArray[np.float64], Matrix]] = []
    for answer in tried:
        if all(np.abs(answer[1] - other[1]).max() > 1 for other in chosen):
            chosen.append(answer)
        if len(chosen) == _STARTS:
            break
    return [homography for _, _, homography in chosen]


def _correlator(
    scene: Scene, size: tuple[int, int]
) -> Callable[[Matrix], tuple[float, NDArray[np.float64]]]:
    """From thermal to view: how alike the outlines are at the best shift x, y (pixels)."""
    height, width = (cv2.getOptimalDFTSize(round(side * (1 + 2 * SHIFT))) for side in size)

    def transform(image: NDArray[Any]) -> NDArray[np.float32]:
        below, beside = height - size[0], width - size[1]
        edges = planes(image.astype(np.complex64))
        return np.asarray(
            cv2.dft(cv2.copyMakeBorder(edges, 0, below, 0, beside, cv2.BORDER_CONSTANT))
        )

    def products(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
        """(height, width): summed over a pixel by pixel, b moved by every x and y."""
        both = cv2.mulSpectrums(a, b, 0, conjB=True)
        return np.asarray(cv2.dft(both, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)[..., 0])

    rgb = list(scene.rgb_outlines(size[1]))
    spectra = [transform(edges) for edges in rgb]
    power = transform(np.sum([np.abs(edges) ** 2 for edges in rgb], axis=0))
    full = transform(np.ones(size, np.float32))
    y, x = (np.fft.fftfreq(side, 1 / side) for side in (height, width))
    near = (np.abs(y)[:, None] <= SHIFT * size[0]) & (np.abs(x) <= SHIFT * size[1])

    def correlate(to_view: Matrix) -> tuple[float, NDArray[np.float64]]:
        together, own = np.zeros((height, width), np.float32), np.zeros(size, np.float32)
        for spectrum, edges in zip(spectra, scene.thermal_outlines(to_view, size), strict=True):
            together += products(spectrum, transform(edges))
            own += np.abs(edges) ** 2
        # What of either lies where both see: else the smallest overlap would win.
        seen = transform(scene.covered(to_view, size))
        powers = products(power, seen), products(full, transform(own))
        floors = [np.maximum(values, 0.1 * values.max() + 1e-9) for values in powers]
        alike = np.where(near, together / np.sqrt(floors[0] * floors[1]), -1)
        best = np.unravel_index(int(alike.argmax()), alike.shape)
        return float(alike[best]), np.array([x[best[1]], y[best[0]]])

    return correlate


def _about_middle(scale: float, turn: float, size: tuple[int, int]) -> Matrix:
    """Scales and turns (degrees) what is in the view, about its middle."""
    middle = (size[1] - 1) / 2, (size[0] - 1) / 2
    return np.vstack([cv2.getRotationMatrix2D(middle, -turn, scale), [0, 0, 1.0]])


def _moved(shift: NDArray[np.float64]) -> Matrix:
    return np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]])


def _refined(scene: Scene, homography: Matrix) -> _Answer:
    answer = None
    for wanted, radius, limit in _LEVELS:
        width = min(wanted, scene.rgb_size[1], 2 * scene.thermal_size[1])
        matches = match_blocks(scene, homography, width, radius)
        limit *= matches.pixel
        answer = _agreed(homography, matches, limit)
        homography = answer.homography
    assert answer is not None
    return answer


def _agreed(homography: Matrix, matches: Matches, limit: float) -> _Answer:
    """Move the homography to where most blocks are found."""
    known = np.asarray(np.isfinite(matches.found).all(axis=1))
    none = np.zeros_like(known)
    if known.sum() < 6:
        return _Answer(homography, matches, none, limit)
    correction = best_fit(matches.put[known], matches.found[known], limit)
    if correction is None:
        return _Answer(homography, matches, none, limit)
    corrected = replace(matches, put=mapped(correction, matches.put))
    off = np.linalg.norm(corrected.put - corrected.found, axis=1)  # nan where not known
    return _Answer(correction @ homography, corrected, np.asarray(off <= limit), limit)


def _judged(scene: Scene, answer: _Answer) -> SceneAlignment:
    matches, agree = answer.matches, answer.agree
    advice = (
        ": do both cameras show the same scene, at the same moment, with edges in both (people, "
        "cars, houses)? Take more frames in which the view changes, or use --board or --points"
    )
    if agree.sum() < LEAST_BLOCKS or answer.share < LEAST_SHARE:
        raise ValueError(
            f"not sure of the alignment: {agree.sum()} of {len(agree)} blocks agree, expected "
            f"{LEAST_BLOCKS} and {LEAST_SHARE:.0%}{advice}"
        )
    between = _halves_apart(answer)
    if not between <= _MOST_APART * matches.pixel:
        raise ValueError(
            f"not sure of the alignment: two halves of the image say what lies {between:.1f} RGB "
            f"pixels apart, expected at most {_MOST_APART * matches.pixel:.1f}{advice}"
        )
    put, found = matches.put[agree], matches.found[agree]
    off = float(np.median(np.linalg.norm(put - found, axis=1)))
    alignment = Alignment(answer.homography, scene.thermal_size, scene.rgb_size, off)
    back = np.asarray(np.linalg.inv(answer.homography), np.float64)
    thermal = mapped(back, put)
    return SceneAlignment(alignment, np.hstack([thermal, found]), len(agree), between)


def _halves_apart(answer: _Answer) -> float:
    """RGB pixels between what two halves of the agreeing blocks say; nan if one is too small."""
    put, found = answer.matches.put[answer.agree], answer.matches.found[answer.agree]
    one, other = (similarity(put[half], found[half], answer.limit) for half in halves(put))
    if one is None or other is None:
        return float("nan")
    return apart(one, other, answer.matches.put)
