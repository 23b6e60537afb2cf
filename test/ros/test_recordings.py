"""A recording tracked without ROS against the node: the same pairs, types and boxes."""

from __future__ import annotations

import sys
from pathlib import Path
from time import sleep
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
import torch
from robot import Robot, header
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from ainet_ros.camera import nanoseconds
from ainet_ros.conversions import detected_box, rgb_array, thermal_array
from ainet_ros.pairing import Pairing
from ainet_ros.parameters import Settings

pytest.importorskip("rosbags", reason="the extra `recordings` is not installed")
sys.path.insert(0, str(Path(__file__).parents[1] / "recordings"))

import bag_maker

from ainet_core.cli import main
from ainet_core.data.synthetic.world import SyntheticWorld
from ainet_core.recordings import types
from ainet_core.recordings.bag import Bag
from ainet_core.recordings.bag_moments import BagMoments
from ainet_core.recordings.pairing import POLICIES, Pairer, Rules
from ainet_core.recordings.records import COMPRESSED, DETECTIONS, IMAGE
from ainet_core.recordings.topics import choose_cameras

pytestmark = pytest.mark.dds


def stream(rng: np.random.Generator, jitter: float) -> list[tuple[int, int, int]]:
    """(camera, stamp, time) as on a bad day: jitter, gaps, repeats, jumps, zeros, silence."""
    sent, stamp = [], [int(5e10), int(5e10)]
    steps = [int(1e9 / 30), int(1e9 / rng.choice([9, 30, 30]))]
    time = [0, int(rng.integers(0, 20_000_000))]
    for _ in range(400):
        index = int(np.argmin(time))
        stamp[index] += steps[index]
        time[index] += steps[index]
        chance = rng.random()
        if chance < 0.1:
            continue  # lost
        if chance < 0.11:
            stamp[index] -= int(rng.choice([2e8, 3e9]))
        elif chance < 0.12:
            stamp[index] += int(4e10)
        elif chance < 0.13:
            time[index] += int(rng.integers(1e9, 4e9))  # silent
            stamp[index] += int(rng.integers(1e9, 4e9))
        jittered = stamp[index] + int(rng.normal(0, jitter))
        shown = 0 if chance > 0.995 else jittered
        sent.append((index, shown, time[index]))
        if 0.98 < chance < 0.99:
            sent.append((index, shown, time[index] + 1000))
    return sorted(sent, key=lambda each: each[2])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(6))
def test_pairs_are_those_of_the_node(ros, monkeypatch, policy, seed):
    clock = SimpleNamespace(monotonic=lambda: clock.now / 1e9, now=0)
    for module in ("ainet_ros.camera", "ainet_ros.pairing"):
        monkeypatch.setattr(f"{module}.time", clock)
    slop, offset = (0.02, 0.15) if seed % 2 else (0.2, 0.02)
    jitter = 0 if policy == "exact" else 8e6
    settings = Settings(pairing=policy, slop=slop, max_offset=offset, queue_size=5)
    rules = Rules(policy, slop, offset, queue_size=5)
    node, pairs = rclpy.create_node("pairing"), []
    log = SimpleNamespace(warning=lambda *told: None, error=lambda *told: pytest.fail(told[0]))
    pairing = Pairing(node, settings, pairs.append, lambda told: pairs.append(None), log)
    pairer: Pairer[int] = Pairer(rules)
    ours, jumped = [], 0
    for index, stamp, time in stream(np.random.default_rng(seed), jitter):
        clock.now = time + int(1e12)  # a machine that runs for a while
        message = Image(header=header(0))
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
        pairing._heard(message, index=index)
        pair = pairer.put(index, stamp, clock.now, stamp)
        ours += [None] * (pairer.jumps - jumped)
        jumped = pairer.jumps
        if pair is not None:
            ours.append((pair.rgb, pair.thermal))
    theirs = [
        pair and tuple(image and nanoseconds(image) for image in (pair.rgb, pair.thermal))
        for pair in pairs
    ]
    pairing.close()
    node.destroy_node()
    assert ours == theirs, f"seed {seed}"
    assert len([pair for pair in ours if pair]) > 20


def test_types_are_those_that_the_node_publishes(ros, robot):
    """The hash tells ROS 2 whether two ends mean the same type, field by field."""
    robot.node.create_publisher(Detection2DArray, "boxes", 1)
    robot.node.create_publisher(CompressedImage, "pictures", 1)
    for topic, kind in (("/boxes", DETECTIONS), ("/pictures", COMPRESSED), ("/rosout", None)):
        robot.wait(topic, lambda topic=topic: robot.node.get_publishers_info_by_topic(topic))
        (info, *_) = robot.node.get_publishers_info_by_topic(topic)
        if kind is not None:
            assert str(info.topic_type_hash) == types.typestore().hash_rihs01(kind)


def test_definitions_of_vision_msgs_are_those_that_are_compiled_here():
    folder = Path(__file__).parents[2] / "pip_ros" / "interfaces" / "vision_msgs" / "msg"
    lines = {
        path.stem: [line for line in path.read_text().splitlines() if not line.startswith("#")]
        for path in folder.glob("*.msg")
    }
    assert lines == {name: text.splitlines() for name, text in types.VISION_MSGS.items()}


ENCODINGS = ["rgb8", "bgr8", "8UC3", "rgba8", "bgra8", "8UC4", "mono8", "8UC1", "mono16", "16UC1",
             "32FC1", "yuv422", "uyvy", "yuv422_yuy2", "yuyv", "rgb16", "bgr16", "rgba16",
             "bgra16"]  # fmt: skip
ENCODINGS += [f"bayer_{p}{b}" for p in ("rggb", "bggr", "gbrg", "grbg") for b in ("8", "16")]


@pytest.mark.parametrize("encoding", [*ENCODINGS, "16SC1", "nonsense"])
def test_pixels_are_those_of_the_node(encoding):
    """What a recording's image is decoded to, and what the node decodes it to, if it can."""
    from ainet_core.imaging import messages

    rng = np.random.default_rng(len(encoding))
    message = Image(height=8, width=6, encoding=encoding, step=8 * 4 * 2 * 6)
    message.data = rng.integers(0, 256, 8 * message.step, dtype=np.uint8).tobytes()
    if encoding == "32FC1":
        message.data = rng.random(2 * message.step, np.float32).tobytes()
    stored = types.make(
        IMAGE, header=types.header(5, ""), height=8, width=6, encoding=encoding, is_bigendian=0,
        step=message.step, data=np.frombuffer(message.data, np.uint8),
    )  # fmt: skip
    recorded = types.read(types.written(stored, IMAGE), IMAGE)
    for ours, theirs in (
        (messages.rgb_array, rgb_array), (messages.thermal_array, thermal_array),
    ):  # fmt: skip
        try:
            expected = theirs(message)
        except ValueError:
            with pytest.raises(ValueError, match=encoding):
                ours(recorded)
            continue
        assert np.array_equal(ours(recorded), expected)
        assert ours(recorded).dtype == expected.dtype


def world_bag(path: Path, transport: str) -> tuple[Path, np.ndarray]:
    """A generated scene as a recording: 10 pairs, thermal 16 bits, some images unpaired."""
    world = SyntheticWorld(0, thermal_size=(240, 320), sixteen_bit=True)
    sent = []
    for index in range(10):
        frame, stamp = world.frame(index), bag_maker.START + index * bag_maker.STEP
        if transport == "raw":
            rgb = (bag_maker.RGB, IMAGE, bag_maker.image(frame.rgb, "rgb8", stamp))
            thermal = (
                bag_maker.THERMAL,
                IMAGE,
                bag_maker.image(frame.thermal, "mono16", stamp + 8_000_000),
            )
        else:
            jpeg = bag_maker.compressed(
                frame.rgb, ".jpg", "rgb8; jpeg compressed bgr8", stamp
            )
            png = bag_maker.compressed(
                frame.thermal, ".png", "mono16; png compressed ", stamp + 8_000_000
            )
            rgb = (f"{bag_maker.RGB}/compressed", COMPRESSED, jpeg)
            thermal = (f"{bag_maker.THERMAL}/compressed", COMPRESSED, png)
        if index != 4:  # a lost image: its partner goes without
            sent.append(bag_maker.Sent(*rgb[:2], stamp + 1_000_000, rgb[2]))
        sent.append(bag_maker.Sent(*thermal[:2], stamp + 9_000_000, thermal[2]))
    return bag_maker.write(path, sent, "mcap"), world.box(0)


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_boxes_are_those_of_the_node(start_real, ros, checkpoint, tmp_path, transport):
    path, box = world_bag(tmp_path / "scene", transport)
    text = ",".join(f"{value:.1f}" for value in box)
    ours = tmp_path / "out"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the node below: sums over other threads round differently
    try:
        assert main(["track", str(path), "--box", text, "--output", str(ours), "--device", "cpu",
                     "--checkpoint", str(checkpoint)]) == 0  # fmt: skip
    finally:
        torch.set_num_threads(threads)

    robot = Robot(compressed=transport == "compressed")
    start_real("-p", f"checkpoint:={checkpoint}", "-p", f"initial_box:={text}",
               "-p", f"rgb_transport:={transport}", "-p", f"thermal_transport:={transport}",
               "-p", "modality_timeout:=0.0")  # fmt: skip
    try:
        robot.wait_until_heard()
        theirs = replayed(Bag(path), robot)
    finally:
        robot.close()
    written = [
        types.read(record.data, DETECTIONS)
        for record in Bag(ours / "bag").records(["/ainet/bbox"])
    ]
    assert len(written) == len(theirs) == 9
    for our, their in zip(written, theirs, strict=True):
        assert (our.header.stamp.sec, our.header.stamp.nanosec) == (
            their.header.stamp.sec, their.header.stamp.nanosec,
        )  # fmt: skip
        assert our.header.frame_id == their.header.frame_id == "mast"
        assert len(our.detections) == len(their.detections)
        if their.detections:
            assert detected_box(our) == pytest.approx(detected_box(their), abs=1e-3)
            assert our.detections[0].id == their.detections[0].id
            score = their.detections[0].results[0].hypothesis.score
            assert our.detections[0].results[0].hypothesis.score == pytest.approx(score, abs=1e-5)
    assert sum(len(their.detections) for their in theirs) >= 2


def replayed(bag: Bag, robot: Robot) -> list[Detection2DArray]:
    """Publish the recording's own bytes; where they make a pair, wait for its answer."""
    cameras = choose_cameras(bag)
    pairs = {pair.stamp: pair.time for pair in BagMoments(bag, cameras, Rules())._pairs()}
    completes = {time: stamp for stamp, time in pairs.items()}
    publishers = {
        cameras[0].name: robot.rgb, cameras[1].name: robot.thermal,
    }  # fmt: skip
    answers = []
    for record in bag.records(publishers):
        publishers[record.topic].publish(record.data)  # rclpy takes serialized messages, too
        if record.time in completes:
            wanted = header(completes[record.time] / 1e9).stamp
            wanted.sec, wanted.nanosec = divmod(completes[record.time], 1_000_000_000)
            robot.wait("an answer", lambda wanted=wanted: robot.answers(wanted), 120)
            answers += robot.answers(wanted)
        else:
            sleep(0.05)  # the two topics may overtake each other
    return answers
