"""The tracker: `init` with a box once, `update` with every later pair of images.

NumPy images at the border, tensors inside. No weight is learnt online; what the template prior
looks for follows the target's looks, see `recent_look`.
"""

from __future__ import annotations

import logging
import math
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
from ainet_core.tracking.crop import Region, crop
from ainet_core.tracking.images import check_rgb, check_thermal, upload
from ainet_core.tracking.recent_look import RecentLook, Renewal
from ainet_core.tracking.target_size import SizeTrust, TargetSize
from ainet_core.tracking.target_state import State, StateThresholds, TargetState
from ainet_core.tracking.threads import ThreadChoice

logger = logging.getLogger(__name__)

Image = NDArray[np.generic]


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
        widen_step: factor on the search region's side for every frame that the target is lost.
        widen_limit: largest such factor; then the region is narrow again, since near targets
            score higher. The network trained with targets up to 2.5 times smaller than usual.
    """

    window: float = 0.35
    size: SizeTrust = SizeTrust()
    renewal: Renewal = Renewal()
    join_above: float = 0.5
    state: StateThresholds = StateThresholds()
    threads: int = 0
    widen_step: float = 1.1
    widen_limit: float = 2.4


@dataclass(frozen=True)
class Target:
    """The target in one frame.

    Attributes:
        box: (4,) x, y, w, h in pixels of the RGB image (of the thermal image if no RGB image
            ever came), origin top left. While lost: where the tracker looks, not a detection.
        score: 0 .. 1, the network's score for the cell that was read.
        state: "tracking" or "lost".
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
    """

    def __init__(
        self,
        model: AINet,
        device: str | torch.device = "auto",
        settings: TrackerSettings | None = None,
        preset: str = "",
    ) -> None:
        self.device = choose_device(device)
        self.backend = describe(self.device)[0]
        self.preset = preset
        self.settings = settings or TrackerSettings()
        self.model = model.to(self.device).eval().requires_grad_(False)
        window = self.settings.window
        self._window = 1 - window + window * _hann(model.config.search_grid).to(self.device)
        self._thermal_range = ThermalNormalizer()
        self._look: RecentLook | None = None
        self._threads = ThreadChoice(self.settings.threads or torch.get_num_threads())
        if self.settings.threads:
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
        return cls(model, device, settings, preset=name)

    @classmethod
    def from_checkpoint(
        cls, path: str | Path, device: str = "auto", settings: TrackerSettings | None = None
    ) -> Tracker:
        """A tracker with the weights and the model config of a checkpoint.

        Raises:
            FileNotFoundError, ValueError: no such file, or not a checkpoint of ours.
        """
        return cls(load_checkpoint(Path(path)), device, settings, preset=str(path))

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
        self._widening = 1.0  # of the search region, while the target is lost
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
        assert self._look is not None
        config = self.model.config
        region = Region.around(
            self._box, config.search_factor * self._widening, config.search_size
        )
        images = self._crops(rgb if usable[0] else None, thermal if usable[1] else None, region)
        prediction = self.model.track(self._template_of(usable), images)

        score_map = prediction.score_logits.sigmoid()
        # A lost target is as likely anywhere: the window is for one that moves on.
        weighted = score_map * self._window if self._widening == 1 else score_map
        cell = weighted.flatten(1).argmax(dim=1)
        # Read at once: on a GPU every look at a number waits for all that was asked of it.
        read = (score_map.flatten(1).gather(1, cell[:, None]), prediction.boxes(cell),
                prediction.order)  # fmt: skip
        score, *numbers = torch.cat([part[0].float() for part in read]).tolist()
        found = np.array(numbers[:4])  # centre x, y, w, h: fractions
        state = self._state.observe(score)
        if state == "lost":
            wider = self._widening * self.settings.widen_step
            self._widening = wider if wider <= self.settings.widen_limit else 1.0
        else:
            self._widening = 1.0
            self._move(region, found, score)
            if score >= self.settings.join_above:
                self._join(rgb, thermal)
            if self._look.is_due(score):
                self._look_again(rgb if usable[0] else None, thermal if usable[1] else None)
        order = tuple(int(layer) for layer in numbers[4:])
        return Target(self._box.copy(), score, state, order)

    def _move(self, region: Region, found: NDArray[np.float64], score: float) -> None:
        center, size = found[:2] * region.crop_size, found[2:] * region.crop_size
        read = region.to_image(np.concatenate([center - size / 2, size]))
        w, h = self._size.observe(read[2:], score)
        x, y = read[:2] + read[2:] / 2 - np.array([w, h]) / 2
        height, width = self._image_size
        # The centre stays inside the image, the size between 4 pixels and the image.
        w, h = min(max(w, 4.0), float(width)), min(max(h, 4.0), float(height))
        x = min(max(x, -w / 2), width - w / 2)
        y = min(max(y, -h / 2), height - h / 2)
        self._box = np.array([x, y, w, h])

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


def shipped_weights(preset: str) -> Path | None:
    """The file of a preset's weights inside the installed package, None if it has none."""
    path = Path(str(resources.files("ainet_core") / "weights" / f"{preset}.safetensors"))
    return path if path.is_file() else None


def _hann(cells: int) -> torch.Tensor:
    """The Hann window over the search region's cells, (S, S), largest in the middle."""
    line = 0.5 - 0.5 * torch.cos(2 * math.pi * (torch.arange(cells) + 1.0) / (cells + 1))
    return line[:, None] * line[None, :]


def _size(image: Image | None) -> tuple[int, int]:
    assert image is not None
    return image.shape[0], image.shape[1]
