"""Draw training samples: a template, a search region and the true box, for one camera or two.

Sample i depends on (seed, i) alone. Geometry is changed alike for both cameras, everything else
for each on its own, so that the network must learn whom to trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ainet_core.data import augment
from ainet_core.data.border import two_borders
from ainet_core.data.clip import Clip
from ainet_core.data.pasting import CutOut, Pasting
from ainet_core.data.view import View
from ainet_core.model.config import ModelConfig

Crop = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Sample:
    """One training sample of M cameras.

    Attributes:
        template: (M, Ht, Wt, 3) uint8.
        search: (M, Hs, Ws, 3) uint8.
        extent: (2,) the target's w, h as fractions of the template's side.
        box: (4,) centre x, y, w, h in fractions of the search region's side.
        present: False when the search region does not show the target.
        sized: False when only the box's centre is known to be true.
    """

    template: NDArray[np.uint8]
    search: NDArray[np.uint8]
    extent: NDArray[np.float32]
    box: NDArray[np.float32]
    present: bool
    sized: bool = True


class PairSampler:
    """Draws samples from weighted groups of clips.

    Args:
        groups: clips and the group's share of the samples.
        config: sizes of the crops.
        seed: sample i is a function of (seed, i).
        batch: samples i that fall into one batch have the same number of cameras.
        both_cameras: share of the batches with two cameras.
    """

    def __init__(
        self,
        groups: Sequence[tuple[Sequence[Clip], float]],
        config: ModelConfig,
        seed: int,
        batch: int,
        both_cameras: float = 0.6,
    ) -> None:
        groups = [(clips, weight) for clips, weight in groups if clips and weight > 0]
        if not groups:
            raise ValueError("no clips to train on")
        self.groups = [clips for clips, _ in groups]
        weights = np.array([weight for _, weight in groups])
        self.shares = weights / weights.sum()
        self.config, self.seed, self.batch, self.both_cameras = config, seed, batch, both_cameras

    def sample(self, number: int) -> Sample:
        """The sample of this number."""
        cameras = np.random.default_rng((self.seed, 1, number // self.batch))
        both = bool(cameras.random() < self.both_cameras)
        rng = np.random.default_rng((self.seed, 0, number))
        group = self._group(rng)
        clip = _any(group, rng)
        first, second = _two_frames(clip, rng)
        # Now and then the image ends in the target: at first, later too, or it comes in.
        borders = two_borders(rng) if rng.random() < 0.06 else (None, None)
        seen_first, seen_second = (
            clip.boxes[frame] if border is None else border.visible(clip.boxes[frame])
            for frame, border in zip((first, second), borders, strict=True)
        )
        template_view, extent = self._template_view(seen_first, rng)
        search_view, box = self._search_view(seen_second, rng)
        absent = rng.random() < 0.1
        paste = self._pasting(group, rng) if rng.random() < 0.35 and not absent else None
        other = self._clip(rng) if absent and rng.random() < 0.5 else None
        if absent and other is None:
            search_view = _beside(search_view, seen_second, rng)

        # A thermal camera's shutter closes now and then: its picture stands still.
        still = clip.rgb is not None and rng.random() < 0.04
        frozen = int(rng.integers(len(clip))) if still else second

        pictures = []  # of each camera: template, search
        for images, thermal in ((clip.rgb, False), (clip.thermal, True)):
            if images is None:
                continue
            shown = frozen if thermal else second
            whole = [
                image if border is None else border.fill(image, clip.boxes[frame])
                for border, image, frame in zip(
                    borders, (images[first], images[shown]), (first, second), strict=True
                )
            ]
            template = template_view.cut(whole[0], self.config.template_size)
            search = search_view.cut(whole[1], self.config.search_size)
            if paste is not None:
                template, search = paste.apply(template, search, extent, box, thermal)
            pictures.append([thermal, template, search])
        if other is not None:
            self._replace_search(pictures, other, rng)
        pasted = paste is not None and paste.target is not None
        # Within one frame, or pasted, the size is exact whatever the clip's boxes are worth.
        sized = clip.sized or pasted or first == second
        sample = self._finish(pictures, both, extent, box, not absent, rng)
        return replace(sample, sized=sized)

    def _finish(
        self,
        pictures: list[list[Any]],
        both: bool,
        extent: NDArray[np.float64],
        box: NDArray[np.float64],
        present: bool,
        rng: Rng,
    ) -> Sample:
        if both and len(pictures) == 1:
            pictures = self._second_camera(pictures[0], rng)
        elif not both and len(pictures) == 2:
            pictures = [pictures[int(rng.integers(2))]]
        covered = rng.random() < 0.15
        blank = rng.random() < 0.03  # no camera sees anything: nothing may be claimed
        present = present and not blank
        blind = int(rng.integers(2)) if both and rng.random() < 0.5 else -1
        flip = rng.random() < 0.5
        templates, searches = [], []
        for camera, (thermal, template, search) in enumerate(pictures):
            if thermal:
                template, search = _thermal_camera(template, search, both, rng)
            if covered and present:
                corner = (box[:2] - box[2:] / 2) * search.shape[0]
                area = np.concatenate([corner, box[2:] * search.shape[0]])
                start = rng.integers(0, search.shape[0] // 2, 2)
                piece = search[start[0] : start[0] + 48, start[1] : start[1] + 48]
                if np.abs(start + 24 - area[1::-1]).max() > area[2:].max():
                    search = augment.occlude(search, area, piece, rng)
            if camera == blind:
                worsen = augment.blind_kind(rng, thermal)
                # Template and search fail independently: smoke comes and goes.
                if rng.random() < 0.5:
                    template = worsen(template, rng, rng.uniform(0.3, 1))
                if rng.random() < 0.85:
                    search = worsen(search, rng, rng.uniform(0.4, 1))
            if blank:
                search = augment.blank(search, rng)
            template = augment.photometric(template, rng, thermal)
            search = augment.photometric(search, rng, thermal)
            if flip:
                template, search = template[:, ::-1], search[:, ::-1]
            templates.append(template.astype(np.uint8))
            searches.append(search.astype(np.uint8))
        if flip:
            box = box * np.array([-1, 1, 1, 1]) + np.array([1, 0, 0, 0])
        return Sample(
            np.stack(templates),
            np.stack(searches),
            extent.astype(np.float32),
            box.astype(np.float32),
            present,
        )

    def _second_camera(self, picture: list[Any], rng: Rng) -> list[list[Any]]:
        """Give a single-camera sample a second one: imagined, or blind to the target."""
        thermal, template, search = picture
        if rng.random() < 0.6:
            if thermal:
                curves = np.stack([augment.random_curve(rng) for _ in range(3)])
                made = [augment.imagined_rgb(image, curves) for image in (template, search)]
            else:
                curve = augment.random_curve(rng)
                made = [augment.imagined_thermal(image, curve) for image in (template, search)]
        else:  # another place, or nothing at all: looks alive, knows nothing
            made = [
                self._elsewhere(image.shape[0], not thermal, rng) for image in (template, search)
            ]
            worsen = augment.blind_kind(rng, not thermal)
            strength = rng.uniform(0.3, 1)
            made = [worsen(image, rng, strength) for image in made]
        second = [not thermal, *made]
        return [second, picture] if thermal else [picture, second]

    def _replace_search(self, pictures: list[list[Any]], other: Clip, rng: Rng) -> None:
        """Show another place in every camera: the target is not there."""
        frame = int(rng.integers(len(other)))
        view, _ = self._search_view(other.boxes[frame], rng)
        for picture in pictures:
            images = other.thermal if picture[0] else other.rgb
            images = images or other.rgb or other.thermal
            assert images is not None
            image = images[frame]
            if picture[0] and image.ndim == 3:
                image = image.mean(axis=2).astype(np.uint8)
            picture[2] = view.cut(image, self.config.search_size)

    def _elsewhere(self, size: int, thermal: bool, rng: Rng) -> Crop:
        clip = self._clip(rng)
        images = clip.thermal if thermal else clip.rgb
        images = images or clip.rgb or clip.thermal
        assert images is not None
        frame = int(rng.integers(len(clip)))
        box = clip.boxes[frame]
        side = np.full(2, 4 * np.sqrt(box[2] * box[3]))
        out = View(box[:2] + rng.uniform(-1, 2, 2) * box[2:], side, 0.0).cut(images[frame], size)
        return np.repeat(out.mean(axis=2, keepdims=True), 3, axis=2) if thermal else out

    def _clip(self, rng: Rng) -> Clip:
        return _any(self._group(rng), rng)

    def _group(self, rng: Rng) -> Sequence[Clip]:
        return self.groups[int(rng.choice(len(self.groups), p=self.shares))]

    def _template_view(
        self, box: NDArray[np.float64], rng: Rng
    ) -> tuple[View, NDArray[np.float64]]:
        side = self.config.template_factor * np.sqrt(box[2] * box[3]) * np.exp(rng.normal(0, 0.05))
        center = box[:2] + box[2:] / 2 + rng.normal(0, 0.03, 2) * box[2:]
        view = View(center, np.full(2, side), 0.0)
        return view, box[2:] / side

    def _search_view(self, box: NDArray[np.float64], rng: Rng) -> tuple[View, NDArray[np.float64]]:
        target_side = np.sqrt(box[2] * box[3])
        # Wide: a size read with a leaning towards "as before" makes a tracker's boxes drift.
        scale = np.exp(np.clip(rng.normal(0, 0.45), -0.9, 0.9))
        stretch = np.exp(rng.normal(0, 0.08))
        side = self.config.search_factor * target_side * scale
        # The shift keeps the centre inside the region. To throw the others away would take more of
        # the small regions than of the large ones, and teach that targets shrink.
        reach = min(1.5 * target_side if rng.random() < 0.6 else 0.5 * target_side, 0.43 * side)
        center = box[:2] + box[2:] / 2 + rng.uniform(-reach, reach, 2)
        view = View(center, side * np.array([stretch, 1 / stretch]), rng.normal(0, 0.06))
        inside = view.box(box)
        inside[:2] = inside[:2].clip(0.01, 0.99)
        return view, inside

    def _pasting(self, group: Sequence[Clip], rng: Rng) -> Pasting:
        """Over a target of this group, and beside it; half of the others are of its kind."""
        target = None
        if rng.random() < 0.6:
            group = self._group(rng)
            target = _cut_out(group, rng)
        others = [
            _cut_out(group if rng.random() < 0.5 else self._group(rng), rng)
            for _ in range(int(rng.integers(0 if target else 1, 4)))
        ]
        return Pasting(target, others, rng)


def _any(group: Sequence[Clip], rng: Rng) -> Clip:
    return group[int(rng.integers(len(group)))]


def _cut_out(group: Sequence[Clip], rng: Rng) -> CutOut:
    clip = _any(group, rng)
    return CutOut(clip, int(rng.integers(len(clip))))


def _thermal_camera(template: Crop, search: Crop, both: bool, rng: Rng) -> tuple[Crop, Crop]:
    """What is a thermal camera's own, for both crops: polarity, palette, a few pixels beside RGB.

    Crop pixels of template and search are equally large in the scene.
    """
    kind = rng.random()
    if kind < 0.15:
        template, search = augment.polarity(template), augment.polarity(search)
    elif kind < 0.2:
        curve = augment.random_curve(rng)
        template, search = (augment.false_colour(image, curve) for image in (template, search))
    if both and rng.random() < 0.3:
        move = rng.normal(0, 3, 2)
        template, search = augment.shift(template, move), augment.shift(search, move)
    return template, search


def _two_frames(clip: Clip, rng: Rng) -> tuple[int, int]:
    """Template and search frame. Mostly in the order of time, often the very first: people mark a
    target tightly and let the box grow, which a network that saw pairs in any order reads as a
    shrinking target. Now and then the same frame twice: then the growth is exact, however loose
    the box is, and it is all that a clip without true sizes can teach about sizes."""
    first, second = int(rng.integers(len(clip))), int(rng.integers(len(clip)))
    if rng.random() < (0.1 if clip.sized else 0.4):
        return second, second
    order = rng.random()
    if order < 0.35:
        return 0, second
    if order < 0.85:
        return min(first, second), max(first, second)
    return first, second


def _beside(view: View, box: NDArray[np.float64], rng: Rng) -> View:
    """The same scene, but the target is just outside the region: what a lost tracker sees."""
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    reach = (view.side / 2 + 0.6 * np.sqrt((box[2:] ** 2).sum())) / np.abs(direction).max()
    return replace(view, center=box[:2] + box[2:] / 2 + direction * reach * rng.uniform(1, 1.2))
