"""What a browser may say: read from its messages, everything else is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

VIEWS = ("rgb", "thermal", "blend")
NAMES = ("shown", "target", "reset", "enable", "view", "mark", "go", "correct", "fill", "undo",
         "done")  # fmt: skip
MAX_POINTS = 100
FAR = 100_000.0  # no image has so many pixels a side

Box = tuple[float, float, float, float]
Points = tuple[tuple[float, float, float, float], ...]
Word = Literal["unknown", "absent"]  # in a box's place: nobody can tell, it is not there


class Orders(Protocol):
    """The page's owner. Called by the page's thread: each must return at once and never raise."""

    def set_target(self, box: Box) -> None:
        """Start on x, y, w, h in pixels of the image that the box is in (the RGB one)."""

    def reset(self) -> None:
        """Forget the target."""

    def enable(self, enabled: bool) -> None:
        """Pause, or go on."""

    def mark(self, points: Points) -> None:
        """Places marked in both images: thermal x, y, RGB x, y in pixels."""

    def go(self, index: int) -> None:
        """Show this frame of a recording, from 0."""

    def correct(self, index: int, box: Box | Word) -> None:
        """The target's box in this frame, x, y, w, h in pixels; or why there is none."""

    def fill(self, index: int) -> None:
        """Boxes of the frames around this one, from the corrected ones before and after."""

    def undo(self) -> None:
        """Take the last correction back."""

    def done(self) -> None:
        """Nothing more is wanted."""


class NoOrders:
    """An owner who takes none; others override what they take."""

    def set_target(self, box: Box) -> None:
        pass

    def reset(self) -> None:
        pass

    def enable(self, enabled: bool) -> None:
        pass

    def mark(self, points: Points) -> None:
        pass

    def go(self, index: int) -> None:
        pass

    def correct(self, index: int, box: Box | Word) -> None:
        pass

    def fill(self, index: int) -> None:
        pass

    def undo(self) -> None:
        pass

    def done(self) -> None:
        pass


@dataclass(frozen=True)
class Shown:
    """The browser has drawn message `number` and takes another."""

    number: int


@dataclass(frozen=True)
class Target:
    """A rectangle was drawn."""

    box: Box


@dataclass(frozen=True)
class Reset:
    """Forget the target."""


@dataclass(frozen=True)
class Enable:
    """Pause, or go on."""

    enabled: bool


@dataclass(frozen=True)
class View:
    """Which picture this browser wants."""

    name: str


@dataclass(frozen=True)
class Mark:
    """Points were picked."""

    points: Points


@dataclass(frozen=True)
class Go:
    """Another frame is wanted."""

    index: int


@dataclass(frozen=True)
class Correct:
    """A box was drawn in a recorded frame, or a word takes its place."""

    index: int
    box: Box | Word


@dataclass(frozen=True)
class Fill:
    """The frames between two corrected ones."""

    index: int


@dataclass(frozen=True)
class Undo:
    """The last correction was none."""


@dataclass(frozen=True)
class Done:
    """The page is not needed any more."""


Message = (
    Shown | Target | Reset | Enable | View | Mark | Go | Correct | Fill | Undo | Done
)


def parse(text: str) -> Message:
    """A browser's message.

    Args:
        text: one of {"shown": n}, {"target": [x, y, w, h]}, {"reset": true}, {"enable": bool},
            {"view": "rgb" | "thermal" | "blend"}, {"mark": [[tx, ty, rx, ry], ...]}, {"go": n},
            {"correct": [n, [x, y, w, h] | "unknown" | "absent"]}, {"fill": n}, {"undo": true},
            {"done": true}.

    Raises:
        ValueError: anything else; says what was expected.
    """
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):  # a few thousand brackets nest too deep
        raise ValueError(f"expected JSON, got {text[:40]!r}") from None
    if not isinstance(read, dict) or len(read) != 1:
        raise ValueError(f"expected one order, got {text[:40]!r}")
    ((name, value),) = read.items()
    if name == "shown" and _is_count(value):
        return Shown(value)
    if name == "target" and _is_box(value):
        return Target((value[0], value[1], value[2], value[3]))
    if name == "reset" and value is True:
        return Reset()
    if name == "enable" and type(value) is bool:
        return Enable(value)
    if name == "view" and value in VIEWS:
        return View(value)
    if name == "mark" and _are_points(value):
        return Mark(tuple((tx, ty, rx, ry) for tx, ty, rx, ry in value))
    if name in ("go", "fill") and _is_count(value):
        return Go(value) if name == "go" else Fill(value)
    if name == "correct" and _is_correction(value):
        index, box = value
        return Correct(index, (box[0], box[1], box[2], box[3]) if type(box) is list else box)
    if name in ("undo", "done") and value is True:
        return Undo() if name == "undo" else Done()
    raise ValueError(f"expected {', '.join(NAMES[:-1])} or {NAMES[-1]}, got {text[:40]!r}")


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_box(value: Any) -> bool:
    return _are_numbers(value) and min(value[2:]) > 0


def _is_correction(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not _is_count(value[0]):
        return False
    return value[1] in ("unknown", "absent") or _is_box(value[1])


def _are_points(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_POINTS
        and all(_are_numbers(numbers) for numbers in value)
    )


def _are_numbers(value: Any) -> bool:
    """Four numbers of a size that pixels have; NaN is no such number."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(type(number) in (int, float) and abs(number) < FAR for number in value)
    )
