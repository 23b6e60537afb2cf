"""docs/robustness.md, row by row: one running node over real DDS, and everything that befalls it.

After every fault: the node lives, no stamp was answered twice or under another's header, the next
good pair is tracked (with the target set anew where the fault had to reset it), and what happened
was said.
"""

from __future__ import annotations

import pickle
import re
import signal
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest
from bad_day import BOX, BadDay, noise, start_process
from processes import CHILD_ENVIRONMENT, HERE, ROOT, Process
from rclpy.parameter import Parameter
from robot import Robot, header, picture
from std_srvs.srv import Trigger
from trivial_node import BREAKS, RAISES
from vision_msgs.msg import Detection2DArray

from ainet_ros.conversions import detected_box, detections, image_message
from ainet_ros.tracker_node import FAILURE, TrackerNode

pytestmark = pytest.mark.dds


@pytest.fixture(scope="module")
def running(module_robot: Robot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadDay]:
    process = start_process("faults", tmp_path_factory.mktemp("faults"))
    module_robot.wait_until_heard()
    yield BadDay(process, module_robot)
    assert process.end() == 0


@pytest.fixture
def day(running: BadDay) -> Iterator[BadDay]:
    running.begin()
    yield running
    print(running.said)
    running.end()


def test_rgb_dies_and_returns(day):
    alone = day.play(1.8, rgb=False)
    day.wait_said("going on with /thermal/image_raw alone")
    answered = day.answers_to(alone)
    assert answered
    assert all(message.detections for message in answered)
    day.robot.wait("thermal alone", lambda: day.robot.status["cameras"] == "thermal")
    assert day.robot.status["pixels"] == "rgb"
    both = day.play(1.0)
    day.wait_said("going on with both cameras")
    assert day.answers_to(both)[-1].detections
    day.robot.wait("both", lambda: day.robot.status["cameras"] == "rgb,thermal")


def test_thermal_dies_and_returns(day):
    alone = day.play(1.8, thermal=False)
    day.wait_said("going on with /rgb/image_raw alone")
    assert all(message.detections for message in day.answers_to(alone))
    day.robot.wait("RGB alone", lambda: day.robot.status["cameras"] == "rgb")
    day.play(1.0)
    day.robot.wait("both", lambda: day.robot.status["cameras"] == "rgb,thermal")


def test_both_die_and_return(day):
    day.wait_said("no image pair for 3 s")
    assert "/rgb/image_raw at" in day.said
    assert "does the camera run?" in day.said
    day.play(0.5)
    assert day.good().detections


def test_a_frozen_thermal_camera(day):
    for _ in range(7):
        stamp = day.tick()
        day.rgb(picture(stamp=stamp))
        day.thermal(picture(stamp=stamp, encoding="mono8"))
        day.robot.wait("its box", lambda at=stamp: day.answers_to([at]))
    day.wait_said("thermal images in a row are equal")
    day.robot.wait("the count", lambda: int(day.robot.status["thermal_frozen"]) >= 5)


def test_a_constant_offset_is_explained_and_slop_changes_while_it_runs(day):
    end = time.monotonic() + 20
    while "parameter slop" not in day.said and time.monotonic() < end:
        day.pair(thermal_late=0.05)
        time.sleep(0.1)
    assert "+0.050 s" in day.said
    (refused,) = day.robot.set_parameters(slop=7.0)
    assert not refused.successful
    assert "slop must be" in refused.reason
    assert day.robot.set_parameters(slop=0.06)[0].successful
    stamp = day.pair(thermal_late=0.05)
    day.robot.wait("its box", lambda: day.answers_to([stamp]))
    assert day.robot.set_parameters(slop=0.02)[0].successful


def test_jitter_within_slop_loses_no_pair(day):
    seed = time.time_ns() % 2**32
    print("seed", seed)
    random = np.random.default_rng(seed)
    stamps = []
    for _ in range(20):
        stamps.append(day.pair(thermal_late=float(random.uniform(-0.019, 0.019))))
        time.sleep(0.03)
    day.robot.wait("all boxes", lambda: len(day.answers_to(stamps)) == 20)


def test_images_out_of_order(day):
    first, second = day.tick(), day.tick(0.03)
    for stamp in (second, first):
        day.rgb(picture(stamp=stamp))
    for stamp in (first, second):
        day.thermal(noise(stamp))
    time.sleep(0.3)
    assert day.good().detections
    late = [header(stamp).stamp for stamp in (first, second)]
    answered = [m.header.stamp for m in day.robot.boxes if m.header.stamp in late]
    assert answered in (late, late[:1], late[1:])  # never back in time


def test_stamps_that_jump_back(day):
    day.tick(20.0)
    assert day.good().detections
    day.tick(-10.0)
    assert not day.good().detections
    day.wait_said("image queues cleared, target reset")
    day.tick(20.0)


def test_stamps_of_zero_and_from_the_future(day):
    for wrong in (0.0, 2e9):
        day.pair(wrong)
        assert day.good().detections
    day.wait_said("must set header.stamp")
    day.wait_said("leaps ahead")


def test_the_encoding_is_swapped_in_flight(day):
    for encoding in ("bgr8", "mono8", "rgb8", "bayer_rggb8"):
        stamp = day.tick()
        image = picture(stamp=stamp, encoding=encoding.replace("bayer_rggb8", "mono8"))
        image.encoding = encoding
        day.rgb(image)
        raw = np.full((60, 80), 9000 + int(stamp), np.uint16).view(np.uint8)
        thermal = image_message(raw, "mono16", header(stamp))
        thermal.width = 80
        day.thermal(thermal)
        day.robot.wait("its box", lambda at=stamp: day.answers_to([at]))
        assert day.answers_to([stamp])[0].detections


def _spoilt(what: str, stamp: float, encoding: str):
    image = picture(stamp=stamp, encoding=encoding)
    if what == "unknown encoding":
        image.encoding = "temperature"
    if what == "truncated":
        image.data = image.data[:100]
    if what == "wrong step":
        image.step = 3
    if what == "zero size":
        image.height = image.width = image.step = 0
        image.data = image.data[:0]
    return image


SPOILT = {
    "unknown encoding": "temperature",
    "truncated": "data has 100 bytes",
    "wrong step": "step is 3",
    "zero size": "0x0 pixels",
}


@pytest.mark.parametrize("camera", ["rgb", "thermal", "both"])
@pytest.mark.parametrize("what", SPOILT)
def test_spoilt_images(day, what, camera):
    stamp = day.tick()
    day.rgb(_spoilt(what if camera != "thermal" else "", stamp, "rgb8"))
    day.thermal(_spoilt(what if camera != "rgb" else "", stamp, "mono8"))
    day.robot.wait("its answer", lambda: day.answers_to([stamp]))
    # The other camera goes on alone; without any image the answer is empty.
    assert bool(day.answers_to([stamp])[0].detections) == (camera != "both")
    day.robot.wait("the reason", lambda: SPOILT[what] in day.process.output)


def test_thermal_nan_and_infinity(day):
    for value in (np.nan, np.inf, -np.inf):
        stamp = day.tick()
        pixels = np.full((60, 80), value, np.float32)
        image = image_message(pixels.view(np.uint8), "32FC1", header(stamp))
        image.width = 80
        day.rgb(picture(stamp=stamp))
        day.thermal(image)
        day.robot.wait("its box", lambda at=stamp: day.answers_to([at]))
        assert day.answers_to([stamp])[0].detections


def test_ten_times_the_resolution(day):
    stamp = day.tick()
    day.rgb(picture(1600, 1200, stamp))
    day.thermal(picture(1600, 1200, stamp, encoding="mono8"))
    day.robot.wait("its box", lambda: day.answers_to([stamp]))
    assert day.answers_to([stamp])[0].detections


def detection(stamp: float, box, class_id: str = "target", score: float = 0.9) -> Detection2DArray:
    return detections(header(stamp), class_id, box, score)


@pytest.fixture
def detector(day):
    made = day.robot.node.create_publisher(Detection2DArray, "ainet/detections", 10)
    day.robot.wait("the node", made.get_subscription_count)
    time.sleep(1.2)  # the node looks for detectors once a second
    yield made
    day.robot.node.destroy_publisher(made)


def test_targets_that_cannot_be(day, detector):
    day.robot.target(5, 5, 0, 10)
    day.wait_said("w, h > 0")
    day.robot.target(900, 5, 10, 10)
    day.wait_said("overlap the 160x120 image")
    assert day.robot.reset().success
    stamp = day.pair()
    day.robot.wait("an answer", lambda: day.answers_to([stamp]))
    for box, words in (((float("nan"), 1, 5, 5), "4 finite numbers"), ((500, 5, 9, 9), "overlap")):
        detector.publish(detection(stamp, box))
        day.wait_said(words)
    detector.publish(detection(stamp - 700, BOX))
    day.wait_said("no pair of the detection's stamp")
    assert day.robot.status["state"] == "no target"


def test_a_detection_starts_the_target_on_the_pair_of_its_stamp(day, detector):
    assert day.robot.reset().success
    marked, newest = [day.good().header.stamp.sec for _ in range(2)], day.now
    assert marked
    detector.publish(detection(newest - 0.1, (1, 2, 3, 4), class_id="tree"))
    detector.publish(detection(newest - 0.1, (1, 2, 3, 4), score=0.2))
    detector.publish(detection(newest - 0.1, (7, 8, 9, 10)))
    day.robot.wait("the target", lambda: day.robot.status["state"] == "tracking")
    before = day.robot.status["id"]
    assert detected_box(day.good()) == (7, 8, 9, 10)
    detector.publish(detection(day.now, (1, 2, 30, 40)))  # not while it is tracked
    assert detected_box(day.good()) == (7, 8, 9, 10)
    lost = day.pair(value=0)
    day.robot.wait("lost", lambda: day.robot.status["state"] == "lost")
    detector.publish(detection(lost, (1, 2, 30, 40)))  # but when it is lost
    day.robot.wait("the target", lambda: day.robot.status["id"] == str(int(before) + 1))
    assert detected_box(day.good()) == (1, 2, 30, 40)


def test_a_detections_storm(day, detector):
    day.robot.reset()
    for _ in range(30):
        stamp = day.pair()
        for _ in range(10):
            detector.publish(detection(stamp, BOX))
        time.sleep(0.02)
    day.robot.wait("a target", lambda: day.robot.status["state"] == "tracking")


def test_a_reset_storm(day):
    client = day.robot.node.create_client(Trigger, "ainet/reset")
    assert client.wait_for_service(20)
    futures = []
    for i in range(200):
        futures.append(client.call_async(Trigger.Request()))
        if i % 10 == 0:
            day.pair()
            day.robot.target(*BOX)
        time.sleep(0.01)
    day.robot.wait("all answers", lambda: all(future.done() for future in futures))
    assert all(future.result().success for future in futures)
    day.robot.node.destroy_client(client)


def test_a_callback_that_raises(day):
    day.robot.target(1, 1, RAISES, 1)
    day.wait_said("KeyError: 'a callback on purpose'")


def test_a_tracker_that_raises_once(day):
    stamp = day.pair(value=RAISES)
    day.robot.wait("its answer", lambda: day.answers_to([stamp]))
    assert not day.answers_to([stamp])[0].detections
    day.wait_said("on purpose, once")


def test_a_lost_device_is_an_error_until_the_node_is_configured_anew(day):
    for _ in range(12):
        stamp = day.pair(value=BREAKS)
        day.robot.wait("its answer", lambda at=stamp: day.answers_to([at]))
        assert not day.answers_to([stamp])[0].detections
    day.robot.wait("the state", lambda: day.robot.status["state"] == "error")
    day.robot.wait("the advice", lambda: "cleanup and configure" in day.robot.status["trouble"])
    day.wait_said("CUDA error: the device is lost")
    for step in ("deactivate", "cleanup", "configure", "activate"):
        assert day.robot.change_state(step)
    day.robot.wait_until_heard()


@pytest.mark.parametrize("ends", ["stands still", "vanishes"])
def test_a_subscriber_of_the_debug_image_that(day, ends, tmp_path):
    reader = Process([sys.executable, str(HERE / "debug_reader.py")], tmp_path / "reader.log")
    day.robot.wait("its first image", lambda: day.pair() and "image" in reader.output)
    reader.child.send_signal(signal.SIGSTOP if ends == "stands still" else signal.SIGKILL)
    began = time.monotonic()
    for _ in range(30):
        assert day.good().detections
    assert time.monotonic() - began < 15
    reader.child.send_signal(signal.SIGCONT)
    reader.kill()


def test_two_nodes_of_one_name(day, tmp_path):
    other = start_process("other", tmp_path, "-p", "autostart:=false")
    day.wait_said("another node is called /ainet")
    day.robot.wait("its states", lambda: len(day.robot.statuses) > 2)
    assert other.end() == 0


def test_a_log_directory_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setitem(CHILD_ENVIRONMENT, "ROS_LOG_DIR", "/dev/null/log")
    process = start_process("log", tmp_path, "-p", "autostart:=false", "-r", "__ns:=/log")
    end = time.monotonic() + 20
    while process.child.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    assert process.child.poll() == 2, process.output
    assert "/dev/null/log" in process.output
    assert "Traceback" not in process.output


@pytest.fixture(scope="module")
def compressed(ros, tmp_path_factory) -> Iterator[BadDay]:
    """Another node: both cameras compressed, every RGB image with the newest thermal one."""
    robot = Robot("packed", compressed=True)
    process = start_process(
        "packed", tmp_path_factory.mktemp("packed"), "-r", "__ns:=/packed",
        *("-p", "pairing:=rgb_leads", "-p", "rgb_transport:=compressed"),
        *("-p", "thermal_transport:=compressed"),
    )  # fmt: skip
    robot.wait_until_heard()
    yield BadDay(process, robot, thermal_first=True)
    assert process.end() == 0
    robot.close()


@pytest.fixture
def packed(compressed: BadDay) -> Iterator[BadDay]:
    compressed.begin()
    yield compressed
    print(compressed.said)
    compressed.end()


def test_a_thermal_camera_of_9_hz_leaves_the_tracker_at_30_hz(packed):
    sent, thermal, began = [], 0.0, time.monotonic()
    for i in range(60):
        stamp = packed.tick(1 / 30)
        if stamp - thermal > 1 / 9:
            packed.thermal(noise(stamp))
            thermal = stamp
        packed.rgb(picture(stamp=stamp))
        sent.append(stamp)
        time.sleep(max(began + i / 30 - time.monotonic(), 0))
    packed.robot.wait("the boxes", lambda: len(packed.answers_to(sent)) >= 50)
    assert packed.robot.status["thermal_topic"] == "/packed/thermal/image_raw/compressed"


@pytest.mark.parametrize("how", ["cut", "garbage", "empty"])
def test_a_corrupt_jpeg_and_a_corrupt_png(packed, how):
    for camera in ("rgb", "thermal"):
        stamp = packed.tick()
        images = {"rgb": picture(stamp=stamp), "thermal": noise(stamp)}
        packed.thermal(images.pop("thermal")) if camera == "rgb" else None
        packed.spoil(camera, stamp, how)
        packed.rgb(images.pop("rgb")) if camera == "thermal" else None
        packed.robot.wait("its answer", lambda at=stamp: packed.answers_to([at]))
    packed.wait_said("image refused")


def test_checkpoints_that_cannot_be_loaded(ros, tmp_path):
    shipped = ROOT / "ainet_core" / "weights" / "nano.safetensors"
    bad = {"missing": None, "empty": b"", "cut": b"\x00" * 64, "hostile pickle": b""}
    if shipped.is_file():
        bad["cut"] = shipped.read_bytes()[:100_000]
    touched = tmp_path / "touched"
    bad["hostile pickle"] = pickle.dumps(_Hostile(str(touched)))
    for what, data in bad.items():
        path = tmp_path / f"{what}.safetensors"
        if data is not None:
            path.write_bytes(data)
        node = TrackerNode(
            namespace="bad", parameter_overrides=[Parameter("checkpoint", value=str(path))]
        )
        assert node.trigger_configure() == FAILURE, what
        assert path.name in node._trouble, (what, node._trouble)
        node.destroy_node()
    assert not touched.exists()


class _Hostile:
    """Touches a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_every_row_of_the_table_has_its_test():
    rows = re.findall(
        r"\| `(test_\w+)\.py::(test_\w+)` \|", (ROOT / "docs/robustness.md").read_text()
    )
    assert len(rows) > 30
    for file, name in rows:
        assert f"def {name}(" in (ROOT / "test" / "ros" / f"{file}.py").read_text(), name
