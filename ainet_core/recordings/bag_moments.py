"""The image pairs of a recording, as the node makes them when it processes every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ainet_core.imaging.messages import rgb_array, thermal_array
from ainet_core.imaging.registration import Alignment
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.moments import Moment
from ainet_core.recordings.pairing import Pair, Pairer, Rules
from ainet_core.recordings.records import Record, header_stamp
from ainet_core.recordings.topics import CameraTopic
from ainet_core.recordings.types import read

UNEQUAL_RATES = 1.25  # cameras whose rates differ by more are told about


class _Raw(NamedTuple):
    """An image as it was recorded."""

    stamp: int
    data: bytes
    type: str


class BagMoments:
    """Goes through a recording once when made, to count what there is; decodes when iterated.

    Attributes:
        summary: one line about topics, rates and pairs.

    Args:
        bag: gets notes about what is missing or odd.
        cameras: RGB and thermal topic; one may be None.
        rules: which images belong together.
        alignment: how thermal images lie in RGB ones; None: they show the same view.

    Raises:
        ValueError: no pair; says why not.
    """

    def __init__(
        self,
        bag: Bag,
        cameras: tuple[CameraTopic | None, CameraTopic | None],
        rules: Rules,
        alignment: Alignment | None = None,
    ) -> None:
        self._bag, self._rules, self._alignment = bag, rules, alignment
        self._topics = {topic.name: i for i, topic in enumerate(cameras) if topic is not None}
        self._types = {topic.name: topic.type for topic in cameras if topic is not None}
        self.cameras = cameras[0] is not None, cameras[1] is not None
        self._stamps: tuple[list[int], list[int]] = ([], [])
        pairs = list(self._pairs(survey=True))
        if not pairs:
            raise ValueError(self._why_no_pair())
        self.count, self.start = len(pairs), pairs[0].stamp
        self.end = max(pair.stamp for pair in pairs)
        self.rate = _rate(sorted(pair.stamp for pair in pairs)) or 30.0
        self.summary = self._summary(cameras, pairs)
        self._advise(pairs)

    def __iter__(self) -> Iterator[Moment]:
        reader = _Reader(self._alignment)
        return (reader.moment(pair) for pair in self._pairs())

    def _pairs(self, survey: bool = False) -> Iterator[Pair]:
        pairer: Pairer[_Raw] = Pairer(self._rules, tuple(sorted(self._topics.values())))
        headless = 0
        for record in self._progress(survey):
            index = self._topics[record.topic]
            try:
                stamp = header_stamp(record.data)
            except ValueError:
                headless += 1
                continue
            if survey:
                self._stamps[index].append(stamp)
            data = b"" if survey else record.data
            image = _Raw(stamp, data, self._types[record.topic])
            pair = pairer.put(index, stamp, record.time, image)
            if pair is not None:
                yield pair
        if survey:
            self._note(headless, "messages without any content are left out")
            self._note(pairer.refused, "images have no usable stamp (0, or far ahead)")
            self._note(pairer.dropped, "pairs came late or twice and are left out")
            self._note(pairer.jumps, "times the stamps went back: the target is forgotten there")

    def _progress(self, survey: bool) -> Iterator[Record]:
        records = self._bag.records(self._topics)
        if not survey:
            return records
        total = sum(self._bag.topics[name].messages for name in self._topics)
        return iter(tqdm(records, total=total, unit="image", desc="read", leave=False))

    def _note(self, count: int, what: str) -> None:
        if count:
            self._bag.note(f"{count} {what}")

    def _summary(
        self, cameras: tuple[CameraTopic | None, CameraTopic | None], pairs: list[Pair]
    ) -> str:
        told = []
        for name, topic, stamps in zip(("RGB", "thermal"), cameras, self._stamps, strict=True):
            if topic is None:
                told.append(f"no {name} camera")
            else:
                rate = _rate(sorted(stamps))
                told.append(f"{name} {topic}: {len(stamps)} images at {rate:.1f} Hz")
        seconds = (pairs[-1].time - pairs[0].time) / 1e9
        return f"{'; '.join(told)}; {self.count} pairs in {seconds:.1f} s ({self._rules.pairing})"

    def _advise(self, pairs: list[Pair]) -> None:
        """Say what is lost by the rules, and which others would take it."""
        if len(self._topics) < 2:
            return
        left = len(self._stamps[0]) - sum(pair.rgb is not None for pair in pairs)
        rates = sorted(_rate(sorted(stamps)) for stamps in self._stamps)
        unequal = rates[0] > 0 and rates[1] / rates[0] > UNEQUAL_RATES
        advice = ""
        if unequal and self._rules.pairing != "rgb_leads":
            advice = "; the rates differ: --pairing rgb_leads takes every RGB image"
        if left > 0.02 * len(self._stamps[0]):
            self._bag.note(
                f"{left} of {len(self._stamps[0])} RGB images found no thermal one{advice}"
            )
        alone = sum(pair.rgb is None or pair.thermal is None for pair in pairs)
        self._note(alone, "pairs have one camera's image alone: the other was silent")

    def _why_no_pair(self) -> str:
        counts = [len(stamps) for stamps in self._stamps]
        if not all(counts[index] for index in self._topics.values()):
            return f"{self._bag.path}: no image can be read; {'; '.join(self._bag.notes)}"
        if len(self._topics) < 2:
            return f"{self._bag.path}: no image has a usable stamp"
        rgb, thermal = (np.array(stamps) for stamps in self._stamps)
        nearest = min(np.abs(thermal - stamp).min() for stamp in rgb) / 1e9
        return (
            f"{self._bag.path}: no RGB and thermal image belong together, the nearest stamps are "
            f"{nearest:.3f} s apart (of {counts[0]} and {counts[1]}); raise --slop, or take "
            "--pairing rgb_leads with a large --max-offset"
        )


class _Reader:
    """Decodes pairs; an image that cannot be read is a camera that is silent."""

    def __init__(self, alignment: Alignment | None) -> None:
        self._alignment = alignment
        self._rgb_size: tuple[int, int] | None = None

    def moment(self, pair: Pair) -> Moment:
        rgb, frame_id, sentence = _decoded(pair.rgb, "RGB", self._rgb)
        thermal, other_id, other_sentence = _decoded(pair.thermal, "thermal", self._thermal)
        troubles = [each for each in (sentence, other_sentence) if each]
        frame = other_id if pair.rgb is None else frame_id
        return Moment(
            pair.stamp, pair.time, frame, rgb, thermal, pair.jumped, "; ".join(troubles)
        )

    def _rgb(self, message: Any) -> NDArray[np.uint8]:
        image = rgb_array(message)
        self._rgb_size = image.shape[0], image.shape[1]
        return image

    def _thermal(self, message: Any) -> NDArray[Any]:
        image = thermal_array(message)
        if self._alignment is None:
            return image
        if self._rgb_size is not None:
            self._alignment.check_rgb(self._rgb_size)
        return self._alignment.warp(image)


def _decoded(
    raw: _Raw | None, camera: str, pixels: Callable[[Any], NDArray[Any]]
) -> tuple[NDArray[Any] | None, str, str]:
    """The pixels, the header's frame, and why there are no pixels."""
    if raw is None:
        return None, "", ""
    frame_id = ""
    try:
        message = read(raw.data, raw.type)
        frame_id = message.header.frame_id
        return pixels(message), frame_id, ""
    except ValueError as error:
        return None, frame_id, f"{camera} image refused: {error}"


def _rate(stamps: list[int]) -> float:
    """Images per second, by the median distance of stamps; 0 where it cannot be told."""
    steps = np.diff(np.array(stamps, np.float64))
    steps = steps[steps > 0]
    return 1e9 / float(np.median(steps)) if len(steps) else 0.0
