"""The running node over real DDS, in its own process: what is refused first, then what it does."""

from __future__ import annotations

import signal
import time

import cv2
import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from robot import PATIENCE, Robot, header, picture
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from ainet_ros.conversions import detected_box, rgb_array

pytestmark = pytest.mark.dds


def test_without_a_target_every_pair_gets_an_empty_array_under_the_whole_header(start, robot):
    start()
    robot.wait_until_heard()
    for stamp in (1234.000000007, 1234.25, 1234.5):
        message = robot.send_and_wait(stamp, frame="mast/left camera")
        assert message.header == header(stamp, "mast/left camera")
        assert len(message.detections) == 0
    robot.wait("the count", lambda: robot.status["pairs_processed"] == "3")
    assert robot.status["state"] == "no target"


def test_a_refused_target_is_answered_and_the_node_goes_on(start, robot):
    process = start()
    robot.wait_until_heard()
    robot.target(5, 5, 0, 10)
    robot.wait("a refusal", lambda: "w, h > 0" in robot.status.get("trouble", ""))
    robot.send_and_wait(1.0)
    robot.target(160, 5, 10, 10)
    robot.wait("a refusal", lambda: "overlap the 160x120 image" in robot.status["trouble"])
    assert "target refused: box must overlap" in process.output
    robot.target(10, 20, 30, 40)
    robot.wait("the target", lambda: robot.status["state"] == "tracking")
    assert robot.status["trouble"] == ""
    message = robot.send_and_wait(2.0)
    assert detected_box(message) == (10, 20, 30, 40)


def test_a_target_is_tracked_lost_found_and_forgotten(start, robot):
    start("", "-p", "class_id:=drone")
    robot.wait_until_heard()
    robot.target(10, 20, 30, 40)
    robot.wait("the target", lambda: "waiting" in robot.status["state"])
    message = robot.send_and_wait(1.0)
    (detection,) = message.detections
    assert detected_box(message) == (10, 20, 30, 40)
    assert detection.header == message.header
    assert detection.id == "1"
    assert detection.results[0].hypothesis.class_id == "drone"
    assert 0 <= detection.results[0].hypothesis.score <= 1
    assert robot.send_and_wait(2.0).detections
    assert not robot.send_and_wait(3.0, value=0).detections
    robot.wait("lost", lambda: robot.status["state"] == "lost")
    assert robot.send_and_wait(4.0).detections[0].id == "1"
    assert robot.reset().success
    assert not robot.send_and_wait(5.0).detections
    robot.target(1, 2, 3, 4)
    robot.wait("the target", lambda: robot.status["state"] == "tracking")
    assert robot.send_and_wait(6.0).detections[0].id == "2"
    answered = [message.header.stamp.sec for message in robot.boxes]
    assert answered == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("rgb", [(160, 120), (321, 243), (1280, 1024)])
def test_boxes_are_in_pixels_of_the_rgb_image_whatever_the_thermal_size(start, robot, rgb):
    start("", "-p", "initial_box:=100.0,50.0,40.0,30.0")
    robot.wait_until_heard()
    for stamp in (1.0, 2.0):
        robot.rgb.publish(picture(*rgb, stamp))
        robot.thermal.publish(picture(80, 60, stamp, encoding="mono8"))
        wanted = header(stamp).stamp
        robot.wait("a box", lambda stamp=wanted: robot.answers(stamp))
        assert detected_box(robot.answers(wanted)[0]) == (100, 50, 40, 30)


def test_stamps_that_jump_back_reset_the_target_and_pairs_go_on(start, robot):
    process = start()
    robot.wait_until_heard()
    robot.target(10, 20, 30, 40)
    robot.wait("the target", lambda: "waiting" in robot.status["state"])
    for stamp in (100.0, 100.1, 100.2):
        assert robot.send_and_wait(stamp).detections
    for stamp in (90.0, 90.1, 90.2, 90.3):
        assert not robot.send_and_wait(stamp).detections
    assert "went back" in process.output
    assert "target reset" in process.output


def test_bad_images_are_answered_empty_and_the_next_good_pair_is_tracked(start, robot):
    process = start("", "-p", "initial_box:=10,20,30,40")
    robot.wait_until_heard()
    assert robot.send_and_wait(1.0).detections
    for publisher, encoding in ((robot.rgb, "rgb8"), (robot.thermal, "mono8")):
        broken = picture(stamp=2.0, encoding=encoding)
        broken.data = broken.data[:100]
        publisher.publish(broken)
    robot.wait("an answer", lambda: robot.answers(header(2.0).stamp))
    assert not robot.answers(header(2.0).stamp)[0].detections
    assert "RGB image refused: data has 100 bytes" in process.output
    assert robot.send_and_wait(3.0).detections
    unknown = picture(stamp=4.0, encoding="mono8")
    unknown.encoding = "temperature"
    robot.rgb.publish(picture(stamp=4.0))
    robot.thermal.publish(unknown)
    robot.wait("an answer", lambda: robot.answers(header(4.0).stamp))
    assert robot.send_and_wait(5.0).detections
    robot.wait("the count", lambda: robot.status["pairs_failed"] == "2")


def test_a_slow_tracker_skips_pairs_and_counts_them(start, robot):
    start("slow", "-p", "initial_box:=10,20,30,40")
    robot.wait_until_heard()
    for i in range(40):
        robot.send(1.0 + i / 30)
        time.sleep(1 / 30)
    robot.wait("the last pair", lambda: robot.answers(header(1.0 + 39 / 30).stamp))
    assert robot.boxes[0].header.stamp == header(1.0).stamp  # the initial box acts on the first
    robot.wait("all pairs", lambda: robot.status["pairs_received"] == "40")
    processed, skipped = (int(robot.status[f"pairs_{key}"]) for key in ("processed", "skipped"))
    assert processed == len(robot.boxes) < 30
    assert processed + skipped == 40


def test_no_image_is_lost_at_30_hz_and_full_size(start, robot):
    start("", "-p", "initial_box:=100,100,40,40")
    robot.wait_until_heard()
    sent = [100 + i / 30 for i in range(120)]
    colour, grey = picture(640, 480), picture(640, 480, encoding="mono8")
    began = time.monotonic()
    for i, stamp in enumerate(sent):
        colour.header = grey.header = header(stamp)
        robot.rgb.publish(colour)
        robot.thermal.publish(grey)
        time.sleep(max(began + (i + 1) / 30 - time.monotonic(), 0))
    robot.wait("all pairs", lambda: robot.status["pairs_received"] == "120", 20)
    assert robot.status["rgb_lost"] == robot.status["thermal_lost"] == "0"
    done = int(robot.status["pairs_processed"]) + int(robot.status["pairs_skipped"])
    assert done == 120
    assert len(robot.boxes) >= 100
    assert all(message.detections for message in robot.boxes)


def test_the_debug_image_is_drawn_for_subscribers_only_and_is_small(start, robot):
    start("", "-p", "initial_box:=300,200,80,60", "-p", "debug_image_width:=320")
    robot.wait_until_heard()
    robot.rgb.publish(picture(640, 480, 1.0))
    robot.thermal.publish(picture(320, 240, 1.0, encoding="mono8"))
    robot.wait("a box", lambda: robot.boxes)
    robot.watch_debug_image()
    stamp = 2.0
    end = time.monotonic() + PATIENCE
    while not robot.debug and time.monotonic() < end:
        robot.rgb.publish(picture(640, 480, stamp))
        robot.thermal.publish(picture(320, 240, stamp, encoding="mono8"))
        stamp += 0.1
        time.sleep(0.1)
    image = robot.debug[0]
    assert (image.width, image.height) == (320, 240)
    assert image.header.stamp in [message.header.stamp for message in robot.boxes]
    drawn = rgb_array(image)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 1  # something is drawn on grey


def test_the_debug_jpeg_shows_both_cameras_side_by_side_when_asked(start, robot):
    start("", "-p", "initial_box:=300,200,80,60", "-p", "debug_image_width:=320",
          "-p", "debug_side_by_side:=true")  # fmt: skip
    robot.wait_until_heard()
    robot.watch_debug_jpeg()
    stamp = 1.0
    end = time.monotonic() + PATIENCE
    while not robot.debug_jpeg and time.monotonic() < end:
        robot.rgb.publish(picture(640, 480, stamp, value=40))
        robot.thermal.publish(picture(320, 240, stamp, value=200, encoding="mono8"))
        stamp += 0.1
        time.sleep(0.1)
    message = robot.debug_jpeg[0]
    assert message.format == "rgb8; jpeg compressed bgr8"
    assert message.header.stamp in [box.header.stamp for box in robot.boxes]
    shown = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[1] == 320
    assert shown.shape[0] > 120  # two pictures of 160x120, and what is said below them
    left, right = shown[:100, :60].mean(), shown[:100, 160:220].mean()
    assert abs(left - 40) < 5  # RGB as it is, thermal painted
    assert abs(right - 40) > 20
    assert not robot.debug  # nobody asked for the raw one


def test_disabled_it_answers_nothing_and_keeps_the_target(start, robot):
    start("", "-p", "initial_box:=10,20,30,40")
    robot.wait_until_heard()
    assert robot.send_and_wait(1.0).detections
    assert robot.enable(False).success
    robot.send(2.0)
    robot.wait("the pair", lambda: robot.status["pairs_received"] == "2")
    assert robot.enable(True).success
    assert robot.send_and_wait(3.0).detections[0].id == "1"


def test_two_nodes_live_in_two_namespaces(start, ros):
    robots = [Robot("left"), Robot("right")]
    try:
        for i, robot in enumerate(robots):
            start("", "-r", f"__ns:=/{robot.node.get_namespace()[1:]}",
                  "-p", f"initial_box:={10 + i},20,30,40")  # fmt: skip
        for i, robot in enumerate(robots):
            robot.wait_until_heard()
            assert detected_box(robot.send_and_wait(1.0)) == (10 + i, 20, 30, 40)
        assert [len(robot.boxes) for robot in robots] == [1, 1]
    finally:
        for robot in robots:
            robot.close()


def test_silence_is_explained(start, robot):
    process = start()
    robot.wait_until_heard()
    robot.rgb.publish(picture(stamp=1.0))
    robot.wait("the reason", lambda: "no image pair for 3 s" in process.output)
    assert "/thermal/image_raw" in process.output


def test_the_exit_is_clean_while_tracking(start, robot):
    for number in (signal.SIGINT, signal.SIGTERM):
        robot.statuses.clear()
        process = start("slow", "-p", "initial_box:=10,20,30,40")
        robot.wait("an active node", lambda: robot.status.get("lifecycle") == "active")
        robot.wait("the cameras", lambda: robot.thermal.get_subscription_count() == 1)
        for i in range(10):
            robot.send(1.0 + i)
            time.sleep(0.05)
        assert process.end(number) == 0
        assert "Traceback" not in process.output
        robot.wait("nobody", lambda: robot.thermal.get_subscription_count() == 0)


def test_simulated_time_that_jumps_back_resets_the_target(start, robot):
    process = start("", "-p", "use_sim_time:=true")
    clock = robot.node.create_publisher(Clock, "/clock", 10)
    robot.wait_until_heard()
    robot.wait("the clock", lambda: clock.get_subscription_count())
    for second in (100, 101, 102):
        clock.publish(Clock(clock=header(second).stamp))
        time.sleep(0.1)
    robot.target(10, 20, 30, 40)
    robot.wait("the target", lambda: "waiting" in robot.status["state"])
    assert robot.send_and_wait(102.0).detections
    end = time.monotonic() + PATIENCE
    while "the clock jumped" not in process.output and time.monotonic() < end:
        clock.publish(Clock(clock=header(50).stamp))
        time.sleep(0.1)
    assert "the clock jumped" in process.output
    assert not robot.send_and_wait(50.1).detections


def test_a_publisher_that_cannot_be_heard_is_named(start, robot):
    process = start("", "-p", "reliability:=reliable")
    robot.node.create_publisher(
        Image, "rgb/image_raw", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    )
    robot.wait("the error", lambda: "/rgb/image_raw: a publisher offers a" in process.output)
    assert "RELIABILITY" in process.output
    assert "reliability best_effort hears every publisher" in process.output
    robot.wait_until_heard()
    robot.send_and_wait(1.0)  # the reliable publishers are heard


def test_a_target_outside_the_first_pair_is_refused_and_pairs_are_answered(start, robot):
    process = start("", "-p", "initial_box:=900,20,30,40")
    robot.wait_until_heard()
    assert not robot.send_and_wait(1.0).detections
    robot.wait("the refusal", lambda: "overlap the 160x120 image" in robot.status["trouble"])
    assert "target refused" in process.output
    robot.target(10, 20, 30, 40)
    robot.wait("the target", lambda: robot.status["state"] == "tracking")
    assert robot.send_and_wait(2.0).detections


def test_images_that_a_stalled_node_never_sees_are_counted_as_lost(start, robot):
    process = start("", "-p", "initial_box:=100,100,40,40")
    robot.wait_until_heard()
    sent = 0

    def send(count, pause):
        nonlocal sent
        for _ in range(count):
            sent += 1
            robot.rgb.publish(picture(stamp=100 + sent / 30))
            robot.thermal.publish(picture(stamp=100 + sent / 30, encoding="mono8"))
            time.sleep(pause)

    send(10, 0.1)
    process.child.send_signal(signal.SIGSTOP)
    send(60, 0.01)
    process.child.send_signal(signal.SIGCONT)
    send(10, 0.1)

    def counted(camera):
        return int(robot.status[f"{camera}_received"]) + int(robot.status[f"{camera}_lost"])

    robot.wait("every image counted", lambda: counted("rgb") == counted("thermal") == sent)
    assert int(robot.status["rgb_lost"]) > 20
