"""Which topics of a recording are the cameras: by type, by encoding, and by name."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from ainet_core.imaging.compressed import decoded
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.records import COMPRESSED, IMAGE, Topic
from ainet_core.recordings.types import read

_THERMAL = {"ir", "tir", "lwir", "mwir", "flir", "boson", "lepton", "seek", "optris", "infrared"}
_DEPTH = {"depth", "disparity", "confidence"}
_DEEP, _GREY = {"mono16", "16UC1", "32FC1"}, {"mono8", "8UC1"}


class CameraTopic(NamedTuple):
    """A topic with a camera's images."""

    name: str
    type: str
    encoding: str  # of its first image; of a compressed one its format
    depth: str  # "deep" (16 bits or float), "grey" (8 bits) or "colour"

    def __str__(self) -> str:
        return f"{self.name} ({self.encoding})"


def choose_cameras(
    bag: Bag, rgb: str | None = None, thermal: str | None = None
) -> tuple[CameraTopic | None, CameraTopic | None]:
    """The RGB and the thermal camera's topic; None where there is no such camera.

    Args:
        rgb, thermal: topics that the user names; None: found.

    Raises:
        ValueError: no images, a topic that has none, or more than one that it could be: names
            them and the option that decides.
    """
    found = _camera_topics(bag)
    named_rgb, named_thermal = (
        None if name is None else _named(name, found, bag) for name in (rgb, thermal)
    )
    if named_rgb is not None and named_rgb == named_thermal:
        raise ValueError(f"--rgb-topic and --thermal-topic are both {rgb}: name two topics")
    if not found:
        there = ", ".join(f"{t.name} ({t.type}, {t.messages})" for t in bag.topics.values())
        raise ValueError(
            f"{bag.path} has no images (sensor_msgs Image or CompressedImage); it has "
            f"{there or 'no topics'}"
        )
    taken = {_base(topic) for topic in (named_rgb, named_thermal) if topic is not None}
    found = [topic for topic in found if _base(topic) not in taken]
    if named_thermal is None:
        named_thermal = _one("thermal", _claims_thermal(found))
        found = [topic for topic in found if topic != named_thermal]
    if named_rgb is None:
        named_rgb = _one("RGB", _claims_rgb(found))
    return named_rgb, named_thermal


def _camera_topics(bag: Bag) -> list[CameraTopic]:
    """All topics with readable images, one for each camera: raw before compressed."""
    found: dict[str, CameraTopic] = {}
    for topic in sorted(bag.topics.values()):
        base = _base(topic)
        ours, other = base.endswith("debug_image"), topic.name.endswith("/compressedDepth")
        if topic.type not in (IMAGE, COMPRESSED) or topic.messages == 0 or ours or other:
            continue
        if base not in found and (looked := _look(bag, topic)) is not None:
            found[base] = looked
    return list(found.values())


def _base(topic: Topic | CameraTopic) -> str:
    """The camera's name: image_transport puts what is compressed below it."""
    return topic.name.removesuffix("/compressed")


def _look(bag: Bag, topic: Topic) -> CameraTopic | None:
    """What a topic's first readable image is; None where it is no camera's image."""
    for number, record in enumerate(bag.records([topic.name])):
        try:
            image = read(record.data, topic.type)
            encoding, depth = _depth(image)
        except ValueError as error:
            bag.note(f"{topic.name}: {error}")
            if number >= 9:
                return None
            continue
        return CameraTopic(topic.name, topic.type, encoding, depth)
    return None


def _depth(image: Any) -> tuple[str, str]:
    if hasattr(image, "encoding"):
        encoding = str(image.encoding)
        return encoding, "deep" if encoding in _DEEP else "grey" if encoding in _GREY else "colour"
    pixels = decoded(image)
    if pixels.dtype != np.uint8:
        return str(image.format), "deep"
    return str(image.format), "grey" if pixels.ndim == 2 else "colour"


def _claims_thermal(found: list[CameraTopic]) -> list[list[CameraTopic]]:
    """Groups of topics: the first that is not empty holds the thermal camera."""
    named = [topic for topic in found if _is_named_thermal(topic)]
    rest = [topic for topic in found if not _words(topic) & _DEPTH]
    return [named, *([t for t in rest if t.depth == depth] for depth in ("deep", "grey"))]


def _claims_rgb(found: list[CameraTopic]) -> list[list[CameraTopic]]:
    rest = [t for t in found if not _is_named_thermal(t) and not _words(t) & _DEPTH]
    return [[t for t in rest if t.depth == depth] for depth in ("colour", "grey")]


def _is_named_thermal(topic: CameraTopic) -> bool:
    words = _words(topic)
    return bool(words & _THERMAL) or any(word.startswith("therm") for word in words)


def _words(topic: CameraTopic) -> set[str]:
    return set(re.findall(r"[a-z]+", topic.name.lower()))


def _one(camera: str, claims: list[list[CameraTopic]]) -> CameraTopic | None:
    group = next((claim for claim in claims if claim), [])
    if len(group) > 1:
        raise ValueError(
            f"which topic is the {camera} camera: {', '.join(map(str, group))}? "
            f"Say it with --{camera.lower()}-topic"
        )
    return group[0] if group else None


def _named(name: str, found: list[CameraTopic], bag: Bag) -> CameraTopic:
    topic = bag.topics.get(name)
    if topic is not None and topic.type in (IMAGE, COMPRESSED) and topic.messages:
        looked = _look(bag, topic)
        if looked is not None:
            return looked
    there = ", ".join(map(str, found)) or "none"
    got = "no such topic" if topic is None else f"{topic.messages} messages of {topic.type}"
    raise ValueError(f"{name} must be a topic with images, got {got}; with images are: {there}")
