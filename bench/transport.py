"""How many camera images Fast DDS loses on this machine: python bench/transport.py

For each configuration one process publishes colour images at 30 Hz, as a camera driver does, and
another one subscribes with best effort, as the node does. Printed: how many arrived, and the
median time from just before publishing to the callback. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
import private_dds

SIZES = {"640x480": (640, 480), "1280x1024": (1280, 1024)}
RATE_HZ = 30.0
# The defaults find each other by multicast; LOCALHOST keeps that, and all data, on this machine.
CONFIGURATIONS = {
    "Fast DDS's defaults": {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
    "fastdds_large_images.xml": {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(
            private_dds.ROOT / "config" / "fastdds_large_images.xml"
        ),
    },
    "fastdds_loopback.xml": private_dds.LOOPBACK,
}


def publish(size: str, count: int) -> None:
    """The camera's process: waits for a subscriber, then sends."""
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

    from ainet_ros.conversions import image_message

    rclpy.init()
    node = rclpy.create_node("transport_camera")
    publisher = node.create_publisher(Image, "image", qos_profile_sensor_data)
    width, height = SIZES[size]
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    message = image_message(pixels, "rgb8", Header())
    while not publisher.get_subscription_count():
        time.sleep(0.05)
    time.sleep(0.5)  # the subscriber must know of us, too
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(began + number / RATE_HZ - time.monotonic(), 0.0))
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)
    time.sleep(1.0)
    node.destroy_node()
    rclpy.try_shutdown()


def subscribe(seconds: float) -> None:
    """The node's process: prints how many images came and their median delay in ms."""
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from rclpy.time import Time
    from sensor_msgs.msg import Image

    rclpy.init()
    node = rclpy.create_node("transport_reader")
    delays: list[float] = []

    def came(message: Image) -> None:
        sent = Time.from_msg(message.header.stamp, node.get_clock().clock_type)
        delays.append((node.get_clock().now() - sent).nanoseconds / 1e6)

    node.create_subscription(Image, "image", came, qos_profile_sensor_data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(len(delays), np.median(delays) if delays else np.nan)
    node.destroy_node()
    rclpy.try_shutdown()


def measure(settings: dict[str, str], size: str, count: int) -> tuple[int, float]:
    """Images that arrived, and their median delay in ms."""
    environment = private_dds.environment(settings)
    command = [sys.executable, __file__, "--size", size, "--count", str(count), "--role"]
    camera = subprocess.Popen([*command, "camera"], env=environment)
    try:
        text = subprocess.check_output([*command, "reader"], env=environment, text=True)
    finally:
        camera.terminate()
        camera.wait(20)
    arrived, delay = text.split()
    return int(arrived), float(delay)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="images of each run")
    parser.add_argument("--size", choices=SIZES, help=argparse.SUPPRESS)
    parser.add_argument("--role", choices=("camera", "reader"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "camera":
        publish(options.size, options.count)
    elif options.role == "reader":
        subscribe(options.count / RATE_HZ + 6)
    else:
        for size in SIZES:
            for name, settings in CONFIGURATIONS.items():
                arrived, delay = measure(settings, size, options.count)
                print(f"{size}, {name}: {arrived} of {options.count}, {delay:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
