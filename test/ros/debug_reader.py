"""Reads ~/debug_image until it is stopped: the subscriber that stands still or vanishes."""

import rclpy
from sensor_msgs.msg import Image

rclpy.init()
node = rclpy.create_node("debug_reader")
node.create_subscription(Image, "ainet/debug_image", lambda image: print("image", flush=True), 10)
rclpy.spin(node)
