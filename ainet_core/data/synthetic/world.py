"""`SyntheticWorld`: renders the city scene frame by frame, for both cameras, with exact boxes."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ainet_core.box import clip_box
from ainet_core.data.sequence import Frames, Image, Sequence
from ainet_core.data.synthetic.actors import Driver, Walker
from ainet_core.data.synthetic.camera import Camera
from ainet_core.data.synthetic.city import Backdrop, make_props
from ainet_core.data.synthetic.figures import shadow_blob
from ainet_core.data.synthetic.plot import EYE, Plot, make_cast
from ainet_core.data.synthetic.sensors import ColourSensor, ThermalSensor
from ainet_core.data.synthetic.smoke import Puff, Smoke
from ainet_core.data.synthetic.sprites import Canvas, Sprite, cast_shadow, paste, upright

RATE = 30.0
SECONDS = 14.0


class WorldFrame(NamedTuple):
    """One moment of a generated world.

    Attributes:
        rgb: (H, W, 3) uint8.
        thermal: (h, w) uint8 or uint16.
        box: (4,) x, y, w, h of the whole target in RGB pixels, also where something hides it, cut
            to the image; zeros where it is outside.
        visible_fraction: share of the target inside the image that no solid thing hides; smoke,
            darkness and missing contrast do not count.
    """

    rgb: NDArray[Any]
    thermal: NDArray[Any]
    box: NDArray[np.float64]
    visible_fraction: float


class WorldView(ABC):
    """A generated world: frames by number, boxes without rendering, and as a sequence."""

    rate: float

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def box(self, index: int) -> NDArray[np.float64]:
        """The target's box as in `WorldFrame`, without rendering the frame."""

    @abstractmethod
    def frame(self, index: int) -> WorldFrame:
        """Render frame 0 <= index < len; the same whenever it is asked for."""

    def _checked(self, index: int) -> int:
        index = operator.index(index)  # NumPy's integers would turn times into NumPy's floats
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        return index

    def sequence(self, name: str = "generated") -> Sequence:
        """The whole scene as a sequence; frames are rendered when asked for."""
        boxes = np.array([self.box(index) for index in range(len(self))])
        last = _Last(self)
        cameras = _Camera(last, thermal=False), _Camera(last, thermal=True)
        return Sequence(name, *cameras, boxes, self.rate, "generated")


class SyntheticWorld(WorldView):
    """The demo's scene, a function of its seed alone."""

    rate = RATE

    def __init__(
        self,
        seed: int = 0,
        size: tuple[int, int] = (480, 640),
        thermal_size: tuple[int, int] | None = None,
        sixteen_bit: bool = False,
    ) -> None:
        """Paint the backdrop and dress the people (about 2 s).

        Args:
            seed: another seed: other houses, people and clothes; the plot stays.
            size: (height, width) of the RGB images, 4:3 looks best.
            thermal_size: (height, width) of the thermal images, the RGB size by default. Both
                cameras see exactly the same field.
            sixteen_bit: thermal images in hundredths of a Kelvin instead of 8-bit grey.
        """
        if min(size) < 32 or (thermal_size is not None and min(thermal_size) < 32):
            raise ValueError(
                f"size and thermal_size must be (height, width) >= 32, got {size}, {thermal_size}"
            )
        rng = np.random.default_rng(seed)
        self.size = size
        self._count = round(SECONDS * RATE)
        zoom = size[1] / 640
        props = make_props(rng, zoom)
        target, others = make_cast(rng, self._count, RATE, zoom)
        self._target = target
        self._plot = Plot(rng, target.path, self._count, RATE, size)
        self._cameras = [self._plot.camera(index) for index in range(self._count)]
        self._backdrop = Backdrop(rng, self._cameras[0], props)
        self._props = props
        self._actors: list[Walker | Driver] = [*others, target]
        for actor in self._actors:  # draw all pictures now, so that the first frames are not slow
            for index in range(self._count):
                actor.sprite(index)
        self._smoke = Smoke(rng, size)
        self._colour = ColourSensor(rng, size)
        self._thermal = ThermalSensor(rng, thermal_size or size, sixteen_bit=sixteen_bit)
        self._blob = shadow_blob(40 * zoom)
        self._canvas = Canvas(np.zeros((*size, 3), np.uint8), np.zeros(size, np.float32))

    def __len__(self) -> int:
        return self._count

    def box(self, index: int) -> NDArray[np.float64]:
        """The target's box in frame `index`, without rendering it."""
        index = self._checked(index)
        camera = self._cameras[index]
        foot, scale = _stand(camera, self._target, index)
        box = self._target.sprite(index).box(foot, scale)
        height, width = self.size
        if box[0] >= width or box[1] >= height or box[0] + box[2] <= 0 or box[1] + box[3] <= 0:
            return np.zeros(4)
        return clip_box(box, self.size)

    def frame(self, index: int) -> WorldFrame:
        """Render frame 0 <= index < len; the same whenever it is asked for."""
        index = self._checked(index)
        camera, canvas = self._cameras[index], self._canvas
        self._backdrop.draw(canvas, camera)
        self._draw_shadows(canvas, camera, index)
        warming = self._plot.warming(index)
        canvas.heat *= np.float32(warming.scene[0])
        canvas.heat += np.float32(warming.scene[1])
        visible = self._draw_things(canvas, camera, index)
        return WorldFrame(
            self._colour(canvas.rgb, index),
            self._thermal(canvas.heat, index, warming.span),
            self.box(index),
            visible,
        )

    def _draw_shadows(self, canvas: Canvas, camera: Camera, index: int) -> None:
        for actor in self._actors:
            foot, scale = _stand(camera, actor, index)
            flat = EYE / max(actor.path.position[index, 1] - camera.position[2], 1.0)
            long = np.array([[scale, -0.75 * scale, foot[0]], [0, 0.42 * flat * scale, foot[1]]])
            cast_shadow(canvas, actor.sprite(index), long, 0.42)
            wide = actor.sprite(index).extent[2] - actor.sprite(index).extent[0]
            under = np.array([[wide * scale, 0, foot[0]], [0, 0.7 * flat * scale, foot[1]]])
            cast_shadow(canvas, self._blob, under, 0.55)

    def _draw_things(self, canvas: Canvas, camera: Camera, index: int) -> float:
        """Props, actors and smoke from far to near; returns the visible share of the target."""
        warming = self._plot.warming(index)
        things: list[tuple[float, Walker | Driver | Puff | tuple[Sprite, float, float]]] = []
        things += [(prop.z, (prop.sprite, prop.x, prop.z)) for prop in self._props]
        things += [(actor.path.position[index, 1], actor) for actor in self._actors]
        things += [(puff.z, puff) for puff in self._plot.puffs(index)]
        left: NDArray[Any] | None = None
        total = 1.0
        for _, thing in sorted(things, key=lambda item: -item[0]):
            if isinstance(thing, Puff):
                self._smoke.draw(canvas, camera, thing)
                continue
            if isinstance(thing, tuple):
                sprite, x, z = thing
                px, py, scale = camera.project(x, 0.0, z)
                foot, change = (px, py), warming.scene
            else:
                sprite, change = thing.sprite(index), warming.bodies
                foot, scale = _stand(camera, thing, index)
            drawn = paste(canvas, sprite, upright(foot, scale), change)
            if drawn is None:
                continue
            rows, columns, alpha = drawn
            if thing is self._target:
                left = np.zeros(self.size, np.float32)
                left[rows, columns] = alpha
                total = 255 * sprite.area * scale**2
            elif left is not None:
                left[rows, columns] *= 1 - alpha * np.float32(1 / 255)
        return 0.0 if left is None else float(min(left.sum() / total, 1.0))


class _Last:
    """The frame rendered last: both cameras of a sequence ask for the same one in turn."""

    def __init__(self, world: WorldView) -> None:
        self.world = world
        self._rendered: tuple[int, WorldFrame] | None = None

    def __call__(self, index: int) -> WorldFrame:
        if self._rendered is None or self._rendered[0] != index:
            self._rendered = (index, self.world.frame(index))
        return self._rendered[1]


class _Camera(Frames):
    def __init__(self, last: _Last, thermal: bool) -> None:
        self._last, self._thermal = last, thermal

    def __len__(self) -> int:
        return len(self._last.world)

    def __getitem__(self, index: int) -> Image:
        frame = self._last(index)
        return frame.thermal if self._thermal else frame.rgb


def _stand(
    camera: Camera, actor: Walker | Driver, index: int
) -> tuple[tuple[float, float], float]:
    """Pixel on which an actor stands, and pixels per metre there."""
    x, z = actor.path.position[index]
    px, py, scale = camera.project(x, 0.0, z)
    return (px, py), scale
