"""A few seconds of a recording as a small one, for bug reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Writer
from rosbags.typesys import TypesysError, get_types_from_idl, get_types_from_msg

from ainet_core.recordings import types
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.bag_output import PLUGINS, VERSION
from ainet_core.recordings.records import COMPRESSED, IMAGE, Topic, header_stamp

_NO_HASH = "RIHS01_" + 64 * "0"  # of a type whose definition nobody has


def write_sample(bag: Bag, around: int, seconds: float, output: Path) -> dict[str, int]:
    """Copy the messages of all topics, byte for byte, half of `seconds` before and after.

    Args:
        around: a stamp in ns, as images have it in their headers.
        output: folder to be made.

    Returns:
        How many messages of each topic there are.

    Raises:
        ValueError: nothing was recorded then, or the folder exists.
    """
    if output.exists():
        raise ValueError(f"{output} exists already: name another output")
    middle, half = around + clock_difference(bag), round(seconds / 2 * 1e9)
    counts: dict[str, int] = {}
    writer = Writer(output, version=VERSION, storage_plugin=PLUGINS[bag.storage])
    known: dict[str, Any] = {}
    for record in bag.records((), middle - half, middle + half):
        if not known:
            writer.open()
        if record.topic not in known:
            known[record.topic] = _add(writer, bag.topics[record.topic])
        writer.write(known[record.topic], record.time, record.data)
        counts[record.topic] = counts.get(record.topic, 0) + 1
    if not counts:
        raise ValueError(_told_when(bag, around))
    writer.close()
    return counts


def clock_difference(bag: Bag) -> int:
    """Time of recording minus stamp of the first image, ns: 0 without images.

    A camera's clock, or a simulation's, need not be the recorder's.
    """
    for topic in bag.topics.values():
        if topic.type in (IMAGE, COMPRESSED) and (first := bag.first(topic.name)) is not None:
            try:
                return first.time - header_stamp(first.data)
            except ValueError:
                continue
    return 0


def _told_when(bag: Bag, around: int) -> str:
    times = [record.time - clock_difference(bag) for record in bag.records()]
    if not times:
        return f"{bag.path} has no messages"
    return (
        f"{bag.path} has no message around {around / 1e9:.3f}: it goes from stamp "
        f"{min(times) / 1e9:.3f} to {max(times) / 1e9:.3f}"
    )


def _add(writer: Writer, topic: Topic) -> Any:
    """The topic with its type's definition: the recording's own, else the one that ROS has."""
    store = types.typestore()
    if not topic.definition and topic.type in store.types:
        return writer.add_connection(
            topic.name, topic.type, typestore=store, offered_qos_profiles=topic.qos
        )
    return writer.add_connection(
        topic.name,
        topic.type,
        msgdef=topic.definition,
        rihs01=_hash(topic),
        offered_qos_profiles=topic.qos,
    )


def _hash(topic: Topic) -> str:
    is_idl = topic.definition.startswith("=" * 80 + "\nIDL: ")
    parse = get_types_from_idl if is_idl else lambda text: get_types_from_msg(text, topic.type)
    store = types.fresh_typestore()
    try:
        store.register({k: v for k, v in parse(topic.definition).items() if k not in store.types})
        return str(store.hash_rihs01(topic.type))
    except (TypesysError, KeyError):
        return _NO_HASH
