"""The tracker: `init` with a box once, `update` with every later pair of images.

NumPy images at the border, tensors inside. No weight is learnt online; what the template prior
looks for follows the target's looks, see `recent_look`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ainet_core.box import BoxLike, as_box, clip_box
from ainet_core.imaging.thermal import ThermalNormalizer
from ainet_core.model.ainet import AINet, Template
from ainet_core.model.checkpoint import load_checkpoint, load_weights
from ainet_core.model.config import PRESETS, preset_config
from ainet_core.model.selective_scan import describe
from ainet_core.tracking.allocator import keep_freed_memory
from ainet_core.tracking.confidence import Calibration, Confidence, Evidence
from ainet_core.tracking.crop import Region, crop
from ainet_core.tracking.images import check_rgb, check_thermal, upload
from ainet_core.tracking.motion import Coasting, Motion
from ainet_core.tracking.reading import Reading, read
from ainet_core.tracking.recent_look import RecentLook, Renewal
from ainet_core.tracking.search import SearchPlan, regions
from ainet_core.tracking.step import Precision, make_step
from ainet_core.tracking.target_size import SizeTrust, TargetSize
from ainet_core.tracking.target_state import State, StateThresholds, TargetState
from ainet_core.tracking.threads import ThreadChoice

logger = logging.getLogger(__name__)

Image = NDArray[np.generic]
Images = tuple[Image | None, Image | None]  # RGB, thermal


@dataclass(frozen=True)
class TrackerSettings:
    """How the network's maps become a box.

    Attributes:
        window: share of the Hann window in the factor on the score, 0 (none) .. 1 (all).
        size: how far sizes that the network reads are taken over.
        threads: of the CPU for each update; 0: one or as many as torch has when the tracker is
            made, whichever is faster at the time.
        renewal: how far the target's recent looks count beside the first.
        join_above: a camera that was silent at init joins at such a score.
        state: when the target counts as lost.
        coasting: where it is expected while it cannot be seen.
        search: where it is looked for while it is lost.
        precision: of the network's products; bfloat16 needs CUDA.
        graph: whether the network's kernels start as one CUDA graph, on CUDA.
    """

    window: float = 0.35
    size: SizeTrust = SizeTrust()
    renewal: Renewal = Renewal()
    join_above: float = 0.5
    state: StateThresholds = StateThresholds()
    coasting: Coasting = Coasting()
    search: SearchPlan = SearchPlan()
    threads: int = 0
    precision: Precision = "float32"
    graph: bool = True


@dataclass(frozen=True)
class Target:
    """The target in one frame.

    Attributes:
        box: (4,) x, y, w, h in pixels of the RGB image (of the thermal image if no RGB image
            ever came), origin top left. While lost: where it is expected, not a detection.
        score: 0 .. 1, the chance that what was read overlaps the target by more than half
            (`confidence`); for a network without a calibration its own score.
        state: "tracking", "uncertain", "lost" or "recovered".
        order: the layers (from 0) as the dynamic scan met them.
    """

    box: NDArray[np.float64]
    score: float
    state: State
    order: tuple[int, ...]


class Tracker:
    """AINet as a single-object tracker. Make one with `from_preset` or `from_checkpoint`.

    Attributes:
        preset: the preset's name, or the checkpoint's path.
        device: where the network runs.
        backend: name of the selective scan used there.
        calibration: what makes a probability of the network's evidence; None: the score counts.
        evidence: what the newest update saw; None before it.
    """

    def __init__(
        self,
        model: AINet,
        device: str | torch.device = "auto",
        settings: TrackerSettings | None = None,
        preset: str = "",
        calibration: Calibration | None = None,
    ) -> None:
        self.device = choose_device(device)
        self.backend = describe(self.device)[0]
        self.preset = preset
        self.calibration = calibration
        self.evidence: Evidence | None = None
        self.settings = settings or TrackerSettings()
        self.model = model.to(self.device).eval().requires_grad_(False)
        self._step = make_step(
            self.model, self.device, self.settings.precision, self.settings.graph
        )
        if self.device.type == "cpu":
            self.model.pack()
            keep_freed_memory()
        window = self.settings.window
        self._window = 1 - window + window * _hann(model.config.search_grid).to(self.device)
        self._thermal_range = ThermalNormalizer()
        self._look: RecentLook | None = None
        self._threads = ThreadChoice(self.settings.threads or torch.get_num_threads())
        if self.settings.threads or self.device.type == "cuda":  # there the CPU only waits
            self._threads.fix()

    @classmethod
    def from_preset(
        cls, name: str, device: str = "auto", settings: TrackerSettings | None = None
    ) -> Tracker:
        """A tracker with the weights that ship with the package.

        Raises:
            ValueError: unknown preset or device.
            FileNotFoundError: a preset whose weights do not ship, with what to do.
        """
        config = preset_config(name)
        path = shipped_weights(name)
        if path is None:
            shipped = [preset for preset in PRESETS if shipped_weights(preset)]
            raise FileNotFoundError(
                f"no weights ship for preset {name!r} (weights ship for: "
                f"{', '.join(shipped) or 'none'}); train some with "
                f"`ainet train RECIPE.yaml --set preset={name}` and pass the file as checkpoint"
            )
        model = AINet(config)
        load_weights(model, path)
        return cls(model, device, settings, name, calibration_of(path))

    @classmethod
    def from_checkpoint(
        cls, path: str | Path, device: str = "auto", settings: TrackerSettings | None = None
    ) -> Tracker:
        """A tracker with the weights and the model config of a checkpoint.

        Raises:
            FileNotFoundError, ValueError: no such file, or not a checkpoint of ours.
        """
        model = load_checkpoint(Path(path))
        return cls(model, device, settings, str(path), calibration_of(Path(path)))

    def init(self, rgb: Image | None, thermal: Image | None, box: BoxLike) -> None:
        """Set the target.

        Args:
            rgb: (H, W, 3) uint8 in RGB order, or None when that camera is silent.
            thermal: (h, w) or (h, w, 3), uint8, uint16 or float32, or None; the same view as rgb.
            box: x, y, w, h in pixels of rgb (of thermal when rgb is None).

        Raises:
            ValueError: a wrong shape, dtype or box, or both images None.
        """
        check_rgb(rgb)
        check_thermal(thermal)
        if rgb is None and thermal is None:
            raise ValueError("init needs an rgb or a thermal image, got None for both")
        size = _size(rgb if rgb is not None else thermal)
        self._box = clip_box(as_box(box, size), size)
        self._size = TargetSize(self._box[2:], self.settings.size)
        self._image_size = size
        self._had_rgb = rgb is not None
        self._thermal_range.reset()
        self._state = TargetState(self.settings.state)
        self._confidence = Confidence(self.calibration)
        self._motion = Motion(self._box, self.settings.coasting)
        self._regions: Iterator[tuple[NDArray[np.float64] | None, float]] = iter(())
        self._candidate: NDArray[np.float64] | None = None  # while lost: may be the target
        self._cameras = [rgb is not None, thermal is not None]
        first = self._crop_template(rgb, thermal)
        self._look = RecentLook(first, self.settings.renewal)

    def update(self, rgb: Image | None, thermal: Image | None) -> Target:
        """Find the target in the next pair of images; arguments as `init`.

        Raises:
            RuntimeError: before `init`.
            ValueError: a wrong shape or dtype, or no image to look at (both None, or only the
                camera whose image was missing at `init`).
        """
        if self._look is None:
            raise RuntimeError("call init() first")
        check_rgb(rgb)
        check_thermal(thermal)
        self._follow_image_size(rgb, thermal)
        usable = [rgb is not None and self._cameras[0], thermal is not None and self._cameras[1]]
        if not any(usable):
            raise ValueError(
                "update needs an image of a camera that has seen the target, got "
                f"rgb {'None' if rgb is None else 'given'}, "
                f"thermal {'None' if thermal is None else 'given'}"
            )

        with self._threads.frame(), torch.inference_mode():
            return self._find(rgb, thermal, usable)

    def _find(self, rgb: Image | None, thermal: Image | None, usable: list[bool]) -> Target:
        images = rgb if usable[0] else None, thermal if usable[1] else None
        if self._state.state == "lost":
            return self._search(images)
        reading = self._read(images, self._box)
        confidence = self._confidence.observe(reading.evidence)
        state = self._state.observe(confidence)
        if state == "lost":
            self._begin_search()
        elif confidence < self.settings.state.lost_below and not _near(reading.box, self._box):
            # A doubtful leap is told, but not followed: the region stays where the target should
            # be, with the size that it had, or a neighbour would soon look like it.
            self._motion.miss()
            self._box = self._inside(self._motion.expected())
            return self._told(reading, confidence, self._inside(reading.box))
        else:
            self._follow(reading, confidence)
            if state == "tracking" and confidence >= self.settings.state.found_above:
                self._learn(rgb, thermal, images, reading.evidence.score)
        return self._told(reading, confidence, self._box)

    def _search(self, images: Images) -> Target:
        """Look for a lost target; found only when several frames in a row agree."""
        limits, confidence = self.settings.state, 0.0
        for _ in range(self.settings.search.looks):
            candidate = self._candidate
            place, widening = (candidate, 1.0) if candidate is not None else next(self._regions)
            around = self._box if place is None else place
            reading = self._read(images, around, widening)
            confidence = self._confidence.observe(reading.evidence, lost=True)
            sure = confidence >= limits.found_above
            if sure and (candidate is None or _near(reading.box, candidate)):
                # Its size is only read: what it was before is the better guess.
                self._candidate = _moved(around, reading.box)
                break
            if place is None and self._may_be_there(reading):
                self._box = self._inside(_moved(around, reading.box))
            self._candidate = None
            self._state.drop()
        if self._state.observe(confidence if self._candidate is not None else 0.0) != "lost":
            assert self._candidate is not None
            self._box, self._candidate = self._candidate, None
            self._motion = Motion(self._box, self.settings.coasting)
            self._follow(reading, confidence)
        return self._told(reading, confidence, self._box)

    def _may_be_there(self, reading: Reading) -> bool:
        """The target was doubted, and what moves on from there may well be it."""
        plan = self.settings.search
        apart = (_centre(reading.box) - _centre(self._box)) / self._box[2:]
        near = np.linalg.norm(apart) <= plan.follow_within
        return bool(near) and reading.evidence.score >= plan.follow_above

    def _begin_search(self) -> None:
        self._motion.miss()
        self._box = self._inside(self._motion.expected())
        self._regions = regions(
            self._box, self._image_size, self.model.config.search_factor, self.settings.search
        )

    def _told(self, reading: Reading, confidence: float, box: NDArray[np.float64]) -> Target:
        self.evidence = reading.evidence
        return Target(box.copy(), confidence, self._state.state, reading.order)

    def _read(self, images: Images, box: NDArray[np.float64], widening: float = 1.0) -> Reading:
        """What the network sees around a box."""
        assert self._look is not None
        config = self.model.config
        region = Region.around(box, config.search_factor * widening, config.search_size)
        usable = [image is not None for image in images]
        prediction = self._step(self._template_of(usable), self._crops(*images, region))
        # A lost target is as likely anywhere: the window is for one that moves on.
        window = None if self._state.state == "lost" else self._window
        return read(prediction, region, box[2:], window)

    def _follow(self, reading: Reading, confidence: float) -> None:
        """Move the box to what was read."""
        seen = reading.box
        w, h = self._size.observe(seen[2:], reading.evidence.score)
        x, y = _centre(seen) - np.array([w, h]) / 2
        self._box = self._inside(np.array([x, y, w, h]))
        if confidence >= self.settings.state.lost_below:
            self._motion.see(self._box)
        else:
            self._motion.miss()

    def _inside(self, box: NDArray[np.float64]) -> NDArray[np.float64]:
        """The centre inside the image, the size between 4 pixels and the image."""
        x, y, w, h = box
        height, width = self._image_size
        w, h = min(max(w, 4.0), float(width)), min(max(h, 4.0), float(height))
        x = min(max(x, -w / 2), width - w / 2)
        y = min(max(y, -h / 2), height - h / 2)
        return np.array([x, y, w, h])

    def _learn(
        self, rgb: Image | None, thermal: Image | None, images: Images, score: float
    ) -> None:
        """A certain target shows how it looks now."""
        assert self._look is not None
        if score >= self.settings.join_above:
            self._join(rgb, thermal)
        if self._look.is_due(score):
            self._look_again(*images)

    def _join(self, rgb: Image | None, thermal: Image | None) -> None:
        """Take the template of a camera that was silent at init and sees the target now."""
        joins = [
            image is not None and not seen
            for image, seen in zip((rgb, thermal), self._cameras, strict=True)
        ]
        if not any(joins):
            return
        assert self._look is not None
        fresh = self._crop_template(rgb if joins[0] else None, thermal if joins[1] else None)
        self._look.join(fresh, in_front=joins[0])
        self._cameras = [True, True]
        logger.info("the %s camera joins", "rgb" if joins[0] else "thermal")

    def _look_again(self, rgb: Image | None, thermal: Image | None) -> None:
        """Let what the prior looks for follow the cameras given."""
        assert self._look is not None
        seen = [rgb is not None, thermal is not None]
        # A camera's place in the template: it holds those that have seen the target.
        places = [sum(self._cameras[:camera]) for camera in (0, 1) if seen[camera]]
        self._look.look(self._crop_template(rgb, thermal), places)

    def _template_of(self, usable: list[bool]) -> Template:
        """The template of the cameras that give an image now."""
        assert self._look is not None
        template = self._look.template
        return template if self._cameras == usable else template.camera(0 if usable[0] else 1)

    @torch.inference_mode()
    def _crop_template(self, rgb: Image | None, thermal: Image | None) -> Template:
        config = self.model.config
        region = Region.around(self._box, config.template_factor, config.template_size)
        extent = torch.tensor(self._box[2:] / region.side, dtype=torch.float32)[None]
        images = self._crops(rgb, thermal, region)
        return self.model.encode_template(images, extent.to(self.device))

    def _crops(self, rgb: Image | None, thermal: Image | None, region: Region) -> torch.Tensor:
        """Normalised crops (M, 1, 3, size, size) of the cameras given, RGB first."""
        crops = []
        if rgb is not None:
            crops.append(crop(rgb, region, self._image_size))
        if thermal is not None:
            to_grey = self._thermal_range.follow(thermal)
            crops.append(crop(thermal, region, self._image_size, to_grey))
        return upload(crops, self.device)

    def _follow_image_size(self, rgb: Image | None, thermal: Image | None) -> None:
        """Keep the box at its place when the image that it is measured in changes size.

        With RGB silent the box stays in pixels of the last RGB image. When the first RGB image
        comes after a thermal-only init, the box moves from thermal to RGB pixels.
        """
        if rgb is not None:
            size, self._had_rgb = _size(rgb), True
        elif not self._had_rgb:
            size = _size(thermal)
        else:
            return
        if size != self._image_size:
            scale = np.array([size[1] / self._image_size[1], size[0] / self._image_size[0]])
            self._box = self._box * np.tile(scale, 2)
            self._size.rescale(scale)
            self._motion.rescale(scale)
            if self._look is not None:
                ratio = torch.tensor(np.sqrt(scale / scale[::-1]), dtype=torch.float32)
                self._look.rescale(ratio.to(self.device))
            self._image_size = size


def choose_device(device: str | torch.device) -> torch.device:
    """`auto` takes CUDA when there is one, else the CPU.

    Raises:
        ValueError: not a device, or CUDA asked for where there is none.
    """
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"device must be auto, cpu, cuda or cuda:N, got {device!r}") from None
    if chosen.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be auto, cpu, cuda or cuda:N, got {device!r}")
    count = torch.cuda.device_count()
    if chosen.type == "cuda" and (chosen.index or 0) >= count:
        raise ValueError(f"device {device} asked for, but PyTorch sees {count} CUDA devices")
    return chosen


def calibration_of(checkpoint: Path) -> Calibration | None:
    """What lies beside a checkpoint as NAME.confidence.json, None without it.

    Raises:
        ValueError: a file that holds something else.
    """
    path = checkpoint.with_name(f"{checkpoint.stem}.confidence.json")
    return Calibration.load(path) if path.is_file() else None


def shipped_weights(preset: str) -> Path | None:
    """The file of a preset's weights inside the installed package, None if it has none."""
    path = Path(str(resources.files("ainet_core") / "weights" / f"{preset}.safetensors"))
    return path if path.is_file() else None


def _moved(box: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """A box as large as it is, its centre where another's is."""
    return np.concatenate([to[:2] + (to[2:] - box[2:]) / 2, box[2:]])


def _near(box: NDArray[np.float64], place: NDArray[np.float64]) -> bool:
    """The centres are no further apart than the place is large."""
    apart = _centre(box) - _centre(place)
    return bool(np.linalg.norm(apart) <= math.sqrt(place[2] * place[3]))


def _centre(box: NDArray[np.float64]) -> NDArray[np.float64]:
    return box[:2] + box[2:] / 2


def _hann(cells: int) -> torch.Tensor:
    """The Hann window over the search region's cells, (S, S), largest in the middle."""
    line = 0.5 - 0.5 * torch.cos(2 * math.pi * (torch.arange(cells) + 1.0) / (cells + 1))
    return line[:, None] * line[None, :]


def _size(image: Image | None) -> tuple[int, int]:
    assert image is not None
    return image.shape[0], image.shape[1]
