"""Thermal to RGB from what both cameras see, without a board: outlines against outlines.

First every scale and turn within limits is tried on small images, with the shift by Fourier
transform; then the best are refined block by block on larger ones. Blocks are split in two halves
like the fields of a chessboard: what one half says must hold for the other, or it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ainet_core.imaging.block_matching import Matches, Points, match_blocks
from ainet_core.imaging.registration import Alignment, mapped
from ainet_core.imaging.scene import Matrix, Scene

SCALES = np.exp(np.arange(np.log(0.66), np.log(1.5), 0.06))  # thermal's view against RGB's width
TURNS = np.arange(-7.5, 7.6, 1.5)  # degrees
SHIFT = 0.25  # of the view's sides, either way

_COARSE, _COARSE_PAIRS = 128, 4  # pixels wide; pairs that are looked at
# Width of the images, search radius, and how far blocks may be off, in pixels of those.
_LEVELS = ((256, 12, 3.0), (512, 10, 2.0), (640, 8, 1.5))
_STARTS = 2  # so many different coarse answers are refined
_LEAST_BLOCKS, _LEAST_SHARE = 14, 0.13  # that must agree; chance gives 11 and 0.07
_ENOUGH_FOR_PERSPECTIVE = 60  # blocks
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
        if answers[-1].share > 0.4:  # beyond doubt: the second need not be tried
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
    padded = tuple(cv2.getOptimalDFTSize(round(side * (1 + 2 * SHIFT))) for side in size)

    def transform(image: NDArray[Any]) -> NDArray[np.complexfloating]:
        return np.asarray(np.fft.fft2(image, padded))

    rgb = list(scene.rgb_outlines(size[1]))
    spectra = [transform(edges) for edges in rgb]
    power = transform(sum(np.abs(edges) ** 2 for edges in rgb))
    full = transform(np.ones(size, np.float32))
    y, x = (np.fft.fftfreq(side, 1 / side) for side in padded)
    near = (np.abs(y)[:, None] <= SHIFT * size[0]) & (np.abs(x) <= SHIFT * size[1])

    def correlate(to_view: Matrix) -> tuple[float, NDArray[np.float64]]:
        together, own = np.zeros(padded, np.complex128), np.zeros(size, np.float32)
        for spectrum, edges in zip(spectra, scene.thermal_outlines(to_view, size), strict=True):
            together += spectrum * np.conj(transform(edges))
            own += np.abs(edges) ** 2
        seen = scene.covered(to_view, size).astype(np.float32)
        # What of either lies where both see: else the smallest overlap would win.
        powers = (np.fft.ifft2(power * np.conj(transform(seen))).real,
                  np.fft.ifft2(full * np.conj(transform(own))).real)  # fmt: skip
        floors = [np.maximum(values, 0.1 * values.max() + 1e-9) for values in powers]
        alike = np.fft.ifft2(together).real / np.sqrt(floors[0] * floors[1])
        best = np.unravel_index(int(np.where(near, alike, -1).argmax()), padded)
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
    known = np.isfinite(matches.found).all(axis=1)
    none = np.zeros(len(known), bool)
    if known.sum() < 6:
        return _Answer(homography, matches, none, limit)
    correction = _best_fit(matches.put[known], matches.found[known], limit)
    if correction is None:
        return _Answer(homography, matches, none, limit)
    corrected = replace(matches, put=mapped(correction, matches.put))
    off = np.linalg.norm(corrected.put - corrected.found, axis=1)
    return _Answer(correction @ homography, corrected, off <= limit, limit)  # nan is not


def _best_fit(put: Points, found: Points, limit: float) -> Matrix | None:
    """A similarity; a homography where that is sure, and holds for more of the blocks left out.

    Perspective bends what lies beside the blocks, where nothing holds it: it must be earned.
    """
    similar = _similarity(put, found, limit)
    if similar is None or len(put) < _ENOUGH_FOR_PERSPECTIVE:
        return similar
    held = []
    for fit in (_similarity, _homography):
        made = [fit(put[half], found[half], limit) for half in _halves(put)]
        if made[0] is None or made[1] is None:
            return similar
        rest = zip(made, reversed(list(_halves(put))), strict=True)
        held.append(sum(_agreeing(m, put[other], found[other], limit) for m, other in rest))
    sure = _apart(made[0], made[1], put) <= limit
    bent = _homography(put, found, limit) if sure and held[1] > 1.2 * held[0] else None
    return bent if bent is not None and _all_around(put, found, bent, limit) else similar


def _all_around(put: Points, found: Points, made: Matrix, limit: float) -> bool:
    """Blocks in each quarter of the image hold the answer."""
    agree = np.linalg.norm(mapped(made, put) - found, axis=1) <= limit
    middle = (put.min(axis=0) + put.max(axis=0)) / 2
    quarter = (put[agree] > middle) @ [1, 2]
    return bool(np.bincount(quarter, minlength=4).min() >= 0.08 * agree.sum())


def _agreeing(made: Matrix, put: Points, found: Points, limit: float) -> int:
    return int((np.linalg.norm(mapped(made, put) - found, axis=1) <= limit).sum())


def _similarity(put: Points, found: Points, limit: float) -> Matrix | None:
    cv2.setRNGSeed(0)  # the same scene gives the same alignment
    made, _ = cv2.estimateAffinePartial2D(
        put, found, method=cv2.RANSAC, ransacReprojThreshold=limit, maxIters=5000,
        confidence=0.999,
    )  # fmt: skip
    return None if made is None else np.vstack([made, [0, 0, 1.0]])


def _homography(put: Points, found: Points, limit: float) -> Matrix | None:
    cv2.setRNGSeed(0)
    made, _ = cv2.findHomography(put, found, cv2.RANSAC, limit, maxIters=5000)
    return None if made is None else np.asarray(made, np.float64)


def _halves(put: Points) -> Iterator[NDArray[np.bool_]]:
    """The black fields of a chessboard of blocks, and the white ones."""
    ranks = [np.unique(np.round(axis, 1), return_inverse=True)[1] for axis in put.T]
    black = (ranks[0] + ranks[1]) % 2 == 0
    yield black
    yield ~black


def _judged(scene: Scene, answer: _Answer) -> SceneAlignment:
    matches, agree = answer.matches, answer.agree
    advice = (
        ": do both cameras show the same scene, at the same moment, with edges in both (people, "
        "cars, houses)? Take more frames in which the view changes, or use --board or --points"
    )
    if agree.sum() < _LEAST_BLOCKS or answer.share < _LEAST_SHARE:
        raise ValueError(
            f"not sure of the alignment: {agree.sum()} of {len(agree)} blocks agree, expected "
            f"{_LEAST_BLOCKS} and {_LEAST_SHARE:.0%}{advice}"
        )
    apart = _halves_apart(answer)
    if not apart <= _MOST_APART * matches.pixel:
        raise ValueError(
            f"not sure of the alignment: two halves of the image say what lies {apart:.1f} RGB "
            f"pixels apart, expected at most {_MOST_APART * matches.pixel:.1f}{advice}"
        )
    put, found = matches.put[agree], matches.found[agree]
    off = float(np.median(np.linalg.norm(put - found, axis=1)))
    alignment = Alignment(answer.homography, scene.thermal_size, scene.rgb_size, off)
    thermal = mapped(np.linalg.inv(answer.homography), put)
    return SceneAlignment(alignment, np.hstack([thermal, found]), len(agree), apart)


def _halves_apart(answer: _Answer) -> float:
    """RGB pixels between what two halves of the agreeing blocks say; nan if one is too small."""
    put, found = answer.matches.put[answer.agree], answer.matches.found[answer.agree]
    made = [_similarity(put[half], found[half], answer.limit)
            for half in _halves(put) if half.sum() >= 4]  # fmt: skip
    if len(made) < 2 or made[0] is None or made[1] is None:
        return float("nan")
    return _apart(made[0], made[1], answer.matches.put)


def _apart(one: Matrix, other: Matrix, put: Points) -> float:
    """Pixels between two answers, median over the part of the image that the blocks lie in."""
    low, high = put.min(axis=0), put.max(axis=0)
    axes = [np.linspace(*ends, 9) for ends in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    return float(np.median(np.linalg.norm(mapped(one, grid) - mapped(other, grid), axis=1)))
