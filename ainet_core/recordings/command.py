"""What `ainet track` and `ainet sample` do, and which pairs `ainet calibrate` aligns by."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from ainet_core.data import video
from ainet_core.data.aligned import aligned
from ainet_core.data.moments import Moment as Pair
from ainet_core.data.moments import evenly
from ainet_core.data.readers import open_sequence, open_videos
from ainet_core.imaging.registration import Alignment
from ainet_core.recordings.follow import BoxAt, Detected, Follower, TargetSource, TrackerLike
from ainet_core.recordings.moments import Moments, SequenceMoments
from ainet_core.recordings.outputs import Output, Table, TrainingFrames, Video, VideoAndText
from ainet_core.recordings.pairing import Rules
from ainet_core.recordings.records import is_bag
from ainet_core.recordings.selected import SelectedTarget

TRAINING_FRAMES = 40  # training takes so many frames of a folder, and all of fewer than twice that


def track(options: argparse.Namespace, make_tracker: Callable[[], TrackerLike]) -> list[Path]:
    """Track through a recording; returns what was written.

    Args:
        make_tracker: called when the recording has been looked through: what is wrong with it is
            said before a network is loaded.

    Raises:
        ValueError: a recording, topic or target that cannot be used; says why.
    """
    _check_target(options)
    moments, bag = _open(options)
    source = _source(options, moments, bag)
    outputs = _outputs(options, moments, bag)
    if isinstance(source, Output):  # the page on which the target is drawn
        outputs.append(source)
    troubles: Counter[str] = Counter()
    found = 0
    with ExitStack() as stack:
        for output in outputs:
            stack.enter_context(output)
        follower = Follower(make_tracker(), source)
        for moment in tqdm(moments, total=moments.count, unit="pair", desc="track"):
            answer = follower.answer(moment)
            found += answer.box is not None
            troubles[answer.trouble] += 1
            for output in outputs:
                output.write(answer)
    if bag is not None:
        for trouble, count in troubles.items():
            if trouble:
                bag.note(f"{count} of {moments.count} pairs: {trouble}")
        _say(bag.notes)
    if not found:
        why = "no detection fits a pair's stamp" if options.detections_topic else "no image there"
        raise ValueError(f"no box in any of {moments.count} pairs: {why}")
    print(f"a box in {found} of {moments.count} pairs", file=sys.stderr)
    return [path for output in outputs for path in output.written]


def sample(options: argparse.Namespace) -> Path:
    """Copy a few seconds of a recording; returns the folder.

    Raises:
        ValueError: no recording, nothing around that stamp, or no seconds.
    """
    if not options.seconds > 0:
        raise ValueError(f"--seconds must be > 0, got {options.seconds:g}")
    bag_module = _rosbags()
    from ainet_core.recordings.sample import clock_difference, write_sample

    bag = bag_module.Bag(Path(options.recording))
    first = next(bag.records(), None)
    start = 0 if first is None else first.time - clock_difference(bag)
    output = Path(options.output)
    counts = write_sample(bag, _stamp(options.around, start), options.seconds, output)
    _say(bag.notes)
    print(", ".join(f"{count} of {topic}" for topic, count in counts.items()), file=sys.stderr)
    return output


def pairs_to_align_by(options: argparse.Namespace) -> list[Pair]:
    """Some pairs of a recording, evenly spread, as `ainet track` would pair its images.

    Raises:
        ValueError: a recording or topic that cannot be used, or no pair with both images.
    """
    moments, bag = _open(options)
    taken = set(evenly(moments.count))
    pairs = []
    for index, moment in enumerate(tqdm(moments, total=moments.count, unit="pair", desc="read")):
        if index in taken and moment.rgb is not None and moment.thermal is not None:
            name = f"pair {index} of {options.recording}"
            pairs.append(Pair(name, moment.rgb, moment.thermal))
    if bag is not None:
        _say(bag.notes)
    if not pairs:
        raise ValueError(f"{options.recording}: no pair with images of both cameras")
    return pairs


def _check_target(options: argparse.Namespace) -> None:
    ways = {
        "--box X,Y,W,H": options.box,
        "--select": options.select,
        "--detections-topic TOPIC": options.detections_topic,
    }
    said = [way for way, value in ways.items() if value]
    if not said:
        raise ValueError(f"where is the target? Say one of {', '.join(ways)}")
    if len(said) > 1:
        raise ValueError(f"say one of {', '.join(ways)}; got {' and '.join(said)}")


def _open(options: argparse.Namespace):  # type: ignore[no-untyped-def]  # rosbags comes late
    """The moments, and the bag when they are of one."""
    path = None if options.recording is None else Path(options.recording)
    if path is not None and (options.rgb or options.thermal):
        raise ValueError(f"say {path} or --rgb and --thermal, not both")
    if path is not None and is_bag(path):
        return _open_bag(options, path)
    for name in ("rgb_topic", "thermal_topic", "detections_topic"):
        if getattr(options, name, None):
            raise ValueError(f"--{name.replace('_', '-')} is for rosbag2 recordings alone")
    if path is not None and path.suffix.lower() in video.ENDINGS:
        raise ValueError(f"say which camera {path} is: --rgb {path} or --thermal {path}")
    if path is not None and not path.exists():
        raise ValueError(f"no recording at {path}")
    sequence = (
        open_videos(options.rgb, options.thermal)
        if path is None
        else open_sequence(path, allow_missing=True)
    )
    if options.alignment:
        sequence = aligned(sequence, Alignment.load(Path(options.alignment)))
    return SequenceMoments(sequence), None


def _open_bag(options: argparse.Namespace, path: Path):  # type: ignore[no-untyped-def]
    bag_module = _rosbags()
    from ainet_core.recordings.bag_moments import BagMoments
    from ainet_core.recordings.topics import choose_cameras

    bag = bag_module.Bag(path)
    _say(bag.notes)
    told = len(bag.notes)
    rules = Rules(options.pairing, options.slop, options.max_offset, options.modality_timeout)
    alignment = Alignment.load(Path(options.alignment)) if options.alignment else None
    try:
        cameras = choose_cameras(bag, options.rgb_topic, options.thermal_topic)
        moments = BagMoments(bag, cameras, rules, alignment)
        _say([moments.summary])
    finally:  # it may be why there is nothing to track
        _say(bag.notes[told:])
    bag.notes.clear()  # what comes while tracking is told at the end
    return moments, bag


def _source(options: argparse.Namespace, moments: Moments, bag) -> TargetSource:  # type: ignore[no-untyped-def]
    at = _stamp(options.at, moments.start) if options.at else 0
    if at > moments.end:
        raise ValueError(
            f"--at must be at most {moments.end / 1e9:.3f}, the last pair's stamp, or "
            f"+{(moments.end - moments.start) / 1e9:.3f}; got {options.at}"
        )
    if options.select:
        title = str(options.recording or options.rgb or options.thermal)
        return SelectedTarget(Path(title).name, options.page_port, at)
    if not options.detections_topic:
        return BoxAt(options.box, at)
    from ainet_core.recordings.detections import detected_boxes

    boxes = detected_boxes(
        bag, options.detections_topic, options.class_id, options.detection_score
    )
    return Detected(boxes, options.slop, at)


def _outputs(options: argparse.Namespace, moments: Moments, bag) -> list[Output]:  # type: ignore[no-untyped-def]
    outputs: list[Output] = []
    path = Path(options.output)
    if path.suffix.lower() in video.ENDINGS:
        outputs.append(VideoAndText(path, moments.rate))
    else:
        outputs += [Table(path / "boxes.csv"), Video(path / "track.mp4", moments.rate)]
        _rosbags()
        from ainet_core.recordings.bag_output import BagOutput

        storage = "mcap" if bag is None else bag.storage
        outputs.append(BagOutput(path / "bag", storage, options.class_id))
    if options.export:
        folder = Path(options.export)
        if folder.exists():
            raise ValueError(f"{folder} exists already: name another folder for --export")
        every = options.export_every or max(1, moments.count // TRAINING_FRAMES)
        outputs.append(TrainingFrames(folder, moments.cameras, every))
    return outputs


def _rosbags() -> ModuleType:
    """The module that reads recordings, where `rosbags` is there."""
    try:
        from ainet_core.recordings import bag
    except ModuleNotFoundError as error:
        raise ValueError(
            f"rosbag2 recordings need {error.name}: pip install 'ainet_ros[recordings]'"
        ) from None
    return bag


def _stamp(text: str, start: int) -> int:
    """ "1718.25" is a stamp in seconds, "+12.5" counts from the start; ns, exact."""
    try:
        value = int(Decimal(text) * 1_000_000_000)
    except (InvalidOperation, OverflowError, ValueError):
        raise ValueError(
            f"a stamp must be seconds like 1718000000.25, or +12.5 from the start, got {text!r}"
        ) from None
    return start + value if text.strip().startswith("+") else value


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
