"""One side of an image stream between two processes: `image_stream.py send|receive COUNT`.

Prints, as JSON, how many images it sent or received, and to which addresses its UDP sockets are
bound; `receive` also the images' median age.
"""

import json
import os
import socket
import statistics
import struct
import sys
import time
from array import array
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

WIDTH, HEIGHT, RATE = 640, 480, 30
PATIENCE_S = 30.0  # for the other side to appear
SILENCE_S = 3.0  # after which no more images are expected


def send(node: Node, count: int) -> dict[str, object]:
    """Publish `count` images, once somebody listens."""
    publisher = node.create_publisher(Image, "image", qos_profile_sensor_data)
    data = array("B", bytes(WIDTH * HEIGHT * 3))
    image = Image(height=HEIGHT, width=WIDTH, encoding="bgr8", step=WIDTH * 3, data=data)
    deadline = time.monotonic() + PATIENCE_S
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)  # the reader may still be learning of this writer
    start = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))
        image.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(image)
    time.sleep(1.0)  # what is still on its way goes with the writer
    return {"images": count}


def receive(node: Node, count: int) -> dict[str, object]:
    """Count the images until all are there or none has come for a while."""
    ages_ms: list[float] = []

    def take(image: Image) -> None:
        sent = rclpy.time.Time.from_msg(image.header.stamp)
        ages_ms.append((node.get_clock().now() - sent).nanoseconds / 1e6)

    node.create_subscription(Image, "image", take, qos_profile_sensor_data)
    deadline = time.monotonic() + PATIENCE_S
    while len(ages_ms) < count and time.monotonic() < deadline:
        before = len(ages_ms)
        rclpy.spin_once(node, timeout_sec=0.1)
        if len(ages_ms) > before:
            deadline = time.monotonic() + SILENCE_S
    return {"images": len(ages_ms), "median_age_ms": statistics.median(ages_ms or [0.0])}


def bound_addresses() -> list[str]:
    """Return the local addresses of this process's UDP sockets."""
    mine = {os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    addresses = set()
    for line in Path("/proc/self/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" in mine:
            packed = struct.pack("=I", int(fields[1].split(":")[0], 16))
            addresses.add(socket.inet_ntoa(packed))
    return sorted(addresses)


def main() -> None:
    """Play the side that the command line names."""
    side, count = sys.argv[1], int(sys.argv[2])
    rclpy.init()
    node = Node(f"test_{side}")
    report = {"send": send, "receive": receive}[side](node, count)
    print(json.dumps({**report, "bound_to": bound_addresses()}))
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
