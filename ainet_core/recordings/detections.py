"""A detector's boxes that lie in a recording, to start on."""

from __future__ import annotations

from ainet_core.box import BoxLike
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.records import DETECTIONS, header_stamp
from ainet_core.recordings.types import best_box, read


def detected_boxes(bag: Bag, topic: str, class_id: str, score: float) -> dict[int, BoxLike]:
    """Stamp (ns) -> x, y, w, h of the best detection of a class with at least such a score.

    Raises:
        ValueError: no such topic, or no such detection in it; says what there is.
    """
    known = bag.topics.get(topic)
    if known is None or known.type != DETECTIONS:
        there = [each.name for each in bag.topics.values() if each.type == DETECTIONS]
        raise ValueError(
            f"{topic} must be a topic of {DETECTIONS}, got {known.type if known else 'none'}; "
            f"of this type are: {', '.join(there) or 'none'}"
        )
    boxes: dict[int, BoxLike] = {}
    classes: dict[str, float] = {}  # and the best score
    for record in bag.records([topic]):
        try:
            message = read(record.data, DETECTIONS)
        except ValueError as error:
            bag.note(f"{topic}: {error}")
            continue
        box = best_box(message, class_id, score)
        if box is not None:
            boxes[header_stamp(record.data)] = box
        for detection in message.detections:
            for result in detection.results:
                name, seen = result.hypothesis.class_id, result.hypothesis.score
                classes[name] = max(seen, classes.get(name, seen))
    if not boxes:
        told = ", ".join(f"{name} (up to {best:.2f})" for name, best in sorted(classes.items()))
        raise ValueError(
            f"{topic} has no detection of class {class_id!r} with a score of {score:g} or more; "
            f"it has {told or 'none at all'}"
        )
    return boxes
