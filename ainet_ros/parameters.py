"""The node's parameters: one table, read by the declaration, the documentation and the tests.

Every field of `Settings` is a ROS parameter; its metadata holds the sentence a user sees in
`ros2 param describe`, in docs/ros.md and in the refusal of a wrong value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from functools import partial
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ainet_core.page.access import TOKEN, Access

Box = tuple[float, float, float, float]


def _parameter(
    default: Any,
    sentence: str,
    *,
    limits: tuple[float, float] | None = None,
    pattern: str | None = None,
    live: bool = False,
) -> Any:
    """A field with what its parameter needs: a sentence, allowed values, may it change live."""
    metadata = {"sentence": sentence, "limits": limits, "pattern": pattern, "live": live}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The checked values of all parameters, in the order of the documentation's table."""

    preset: str = _parameter(
        "nano",
        "preset must be a model size that `ainet info` lists",
        pattern=r"\w+",
    )
    checkpoint: str = _parameter(
        "",
        "checkpoint must be a .safetensors file, or empty for the weights shipped with preset",
        pattern=r".*",
    )
    device: str = _parameter(
        "auto",
        "device must be auto, cpu, cuda or cuda:N; auto takes a GPU where there is one",
        pattern=r"auto|cpu|cuda(:\d+)?",
    )
    threads: int = _parameter(
        0,
        "threads must be the network's number of CPU threads, 0 to 256; 0 takes one or all, "
        "whichever is faster at the time",
        limits=(0, 256),
    )
    precision: str = _parameter(
        "float32",
        "precision must be float32 or bfloat16, of the encoder's products; bfloat16 needs CUDA",
        pattern=r"float32|bfloat16",
    )
    cuda_graph: bool = _parameter(
        True,
        "cuda_graph must be true (a GPU starts the network as one CUDA graph) or false; no matter "
        "on a CPU",
    )
    rgb_transport: str = _parameter(
        "raw",
        "rgb_transport must be raw or compressed (rgb/image_raw/compressed: JPEG or PNG)",
        pattern=r"raw|compressed",
    )
    thermal_transport: str = _parameter(
        "raw",
        "thermal_transport must be raw or compressed (a PNG of 16 bits stays one of 16 bits)",
        pattern=r"raw|compressed",
    )
    alignment_file: str = _parameter(
        "",
        "alignment_file must be a file of `ainet calibrate`, or empty for images that show the "
        "same view already",
        pattern=r".*",
    )
    alignment_limit: float = _parameter(
        10.0,
        "alignment_limit must be how far thermal may lie beside RGB before the diagnostics warn, "
        "0.0 to 1000.0 RGB pixels; 0 never looks",
        limits=(0.0, 1000.0),
        live=True,
    )
    pairing: str = _parameter(
        "approximate",
        "pairing must be approximate (stamps within slop), exact (equal stamps) or rgb_leads "
        "(every RGB image with the newest thermal one within max_offset)",
        pattern=r"approximate|exact|rgb_leads",
    )
    slop: float = _parameter(
        0.02,
        "slop must be the largest time between the two images of a pair, 0.0 to 1.0 seconds",
        limits=(0.0, 1.0),
        live=True,
    )
    max_offset: float = _parameter(
        0.15,
        "max_offset must be the largest time between an RGB image and the thermal one that "
        "rgb_leads takes for it, 0.0 to 5.0 seconds",
        limits=(0.0, 5.0),
        live=True,
    )
    modality_timeout: float = _parameter(
        1.0,
        "modality_timeout must be after how long a silence of one camera the other goes on "
        "alone, 0.0 to 60.0 seconds; 0 waits for both for ever",
        limits=(0.0, 60.0),
        live=True,
    )
    queue_size: int = _parameter(
        10,
        "queue_size must be how many images per camera wait for the other's, 1 to 1000",
        limits=(1, 1000),
    )
    reliability: str = _parameter(
        "best_effort",
        "reliability must be best_effort or reliable; best_effort hears every kind of publisher",
        pattern=r"best_effort|reliable",
    )
    initial_box: str = _parameter(
        "",
        "initial_box must be x, y, w, h in pixels of the RGB image with w, h > 0, or empty; "
        "it acts on the first pair",
    )
    class_id: str = _parameter(
        "target",
        "class_id must be the class name written into the detections, not empty",
        pattern=r".+",
        live=True,
    )
    detection_score: float = _parameter(
        0.5,
        "detection_score must be the lowest score at which a box on ~/detections is taken, "
        "0.0 to 1.0",
        limits=(0.0, 1.0),
        live=True,
    )
    on_detection: str = _parameter(
        "reacquire",
        "on_detection must be start (a detection is taken when there is no target), reacquire "
        "(also when it is lost), replace (always) or ignore",
        pattern=r"start|reacquire|replace|ignore",
        live=True,
    )
    lost_below: float = _parameter(
        0.1,
        "lost_below must be the score under which a frame is doubtful, 0.0 to 1.0 and not above "
        "found_above; from the next target on",
        limits=(0.0, 1.0),
        live=True,
    )
    lost_after: int = _parameter(
        5,
        "lost_after must be how many doubtful frames in a row make the target lost, 1 to 1000; "
        "from the next target on",
        limits=(1, 1000),
        live=True,
    )
    found_above: float = _parameter(
        0.6,
        "found_above must be the score at which a frame is sure (three in a row find a lost "
        "target again), 0.0 to 1.0 and not under lost_below; from the next target on",
        limits=(0.0, 1.0),
        live=True,
    )
    debug_image_width: int = _parameter(
        640,
        "debug_image_width must be the largest width of ~/debug_image, 64 to 4096 pixels",
        limits=(64, 4096),
        live=True,
    )
    debug_image_rate: float = _parameter(
        10.0,
        "debug_image_rate must be how many debug images are drawn at most, 0.0 to 1000.0 a "
        "second; 0 draws as many as there are answers",
        limits=(0.0, 1000.0),
        live=True,
    )
    debug_side_by_side: bool = _parameter(
        False,
        "debug_side_by_side must be true (both cameras in ~/debug_image) or false (RGB alone)",
        live=True,
    )
    operator_page: bool = _parameter(
        False,
        "operator_page must be true (live pictures, and a rectangle that becomes the target, in a "
        "browser) or false",
    )
    operator_page_host: str = _parameter(
        "127.0.0.1",
        "operator_page_host must be the address or name that the page is bound to; one that other "
        "machines reach (0.0.0.0: all) needs operator_page_token",
        pattern=r"[A-Za-z0-9._:-]+",
    )
    operator_page_port: int = _parameter(
        8075,
        "operator_page_port must be the page's port, 0 to 65535; 0 takes a free one, see ~/status",
        limits=(0, 65535),
    )
    operator_page_token: str = _parameter(
        "",
        "operator_page_token must be what a browser has to know: 16 to 200 letters, digits, _ or "
        "-; empty where only this machine reaches the page",
        pattern=TOKEN + "|",
    )
    autostart: bool = _parameter(
        True,
        "autostart must be true (configure and activate at start) or false (a manager does it)",
    )

    def __post_init__(self) -> None:
        if self.lost_below > self.found_above:
            raise ValueError(
                "lost_below must not be above found_above; got "
                f"lost_below {self.lost_below}, found_above {self.found_above}"
            )
        if self.operator_page:
            self.page_access()  # raises where others could look without a token

    @property
    def start_box(self) -> Box | None:
        """`initial_box` as numbers, None when it is empty."""
        return parse_box(self.initial_box)

    def page_access(self) -> Access:
        """Whom the operator's page answers; ValueError: it is open to others without a token."""
        return Access(self.operator_page_host, self.operator_page_token)


def parse_box(value: Any) -> Box | None:
    """x, y, w, h from a list of numbers or from text like "10,20,30,40"; None when empty.

    Raises:
        ValueError: anything but nothing or four finite numbers with w, h > 0.
    """
    parts: Iterable[Any] = () if value is None else value  # rclpy reads [] in a file as None
    if isinstance(value, str):
        parts = [part for part in re.split(r"[\s,;]+", value.strip().strip("[]")) if part]
    numbers = [float(part) for part in parts]
    if not numbers:
        return None
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or min(numbers[2:]) <= 0:
        raise ValueError("not a box")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def check(name: str, value: Any) -> Any:
    """Return `value` as the type of parameter `name`.

    Raises:
        ValueError: the parameter's sentence and the value that came.
    """
    entry = table()[name]
    try:
        return _checked(entry, value)
    except (TypeError, ValueError):
        raise ValueError(f"{entry.metadata['sentence']}; got {value!r}") from None


def declare(node: Node) -> None:
    """Declare every parameter and refuse later changes that its sentence does not allow.

    Raises:
        ValueError: an override from the command line or a file is refused; says which and why.
    """
    for name, entry in table().items():
        try:
            node.declare_parameter(name, entry.default, descriptor(name))
        except (ParameterException, InvalidParameterException) as error:
            raise ValueError(f"{entry.metadata['sentence']} ({error})") from None
        check(name, node.get_parameter(name).value)
    read(node)  # what must hold between parameters
    node.add_on_set_parameters_callback(partial(_judge, node))


def read(node: Node) -> Settings:
    """The node's parameters as they are now."""
    return Settings(**{name: check(name, node.get_parameter(name).value) for name in table()})


def explain(parameters: Sequence[Parameter], result: SetParametersResult) -> SetParametersResult:
    """Put our sentence before rclpy's own reason, which names a type or a range only."""
    known = table()
    sentences = [known[p.name].metadata["sentence"] for p in parameters if p.name in known]
    told = any(sentence in result.reason for sentence in sentences) or " must " in result.reason
    if not result.successful and not told:
        result.reason = "; ".join([*sentences, result.reason])
    return result


def descriptor(name: str) -> ParameterDescriptor:
    """What `ros2 param describe` shows for parameter `name`."""
    entry = table()[name]
    limits = entry.metadata["limits"]
    made = ParameterDescriptor(
        name=name,
        description=entry.metadata["sentence"],
        read_only=not entry.metadata["live"],
        # A box may be written as numbers or as text, a length as 1 or 1.0.
        dynamic_typing=name == "initial_box" or isinstance(entry.default, float),
    )
    if isinstance(entry.default, float) and limits:
        made.floating_point_range = [FloatingPointRange(from_value=limits[0], to_value=limits[1])]
    elif limits:
        made.integer_range = [IntegerRange(from_value=int(limits[0]), to_value=int(limits[1]))]
    return made


def table() -> dict[str, Field[Any]]:
    """Parameter name -> field of `Settings`."""
    return {entry.name: entry for entry in fields(Settings) if entry.default is not MISSING}


def markdown() -> str:
    """The parameter table of docs/ros.md."""
    lines = ["| parameter | default | live | what it must be |", "|---|---|---|---|"]
    for name, entry in table().items():
        default = str(entry.default).lower() if entry.default is not None else ""
        sentence = entry.metadata["sentence"].removeprefix(f"{name} must be ").replace("|", "\\|")
        live = "yes" if entry.metadata["live"] else "no"
        lines.append(f"| `{name}` | `{default}` | {live} | {sentence} |".replace("``", "empty"))
    return "\n".join(lines)


def _checked(entry: Field[Any], value: Any) -> Any:
    if entry.name == "initial_box":
        box = parse_box(value)
        return "" if box is None else ",".join(str(number) for number in box)
    kind = type(entry.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise TypeError
    limits, pattern = entry.metadata["limits"], entry.metadata["pattern"]
    if limits and not limits[0] <= value <= limits[1]:
        raise ValueError
    if pattern and not re.fullmatch(pattern, str(value)):
        raise ValueError
    return value


def _judge(node: Node, parameters: Sequence[Parameter]) -> SetParametersResult:
    """rclpy asks this before it changes anything: all values are judged, then all are set."""
    try:
        changes = {p.name: check(p.name, p.value) for p in parameters if p.name in table()}
        replace(read(node), **changes)
    except ValueError as error:
        return SetParametersResult(successful=False, reason=str(error))
    return SetParametersResult(successful=True)
