"""How our processes run and end: signals are requests, what raises does not end the node."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node


class Stop:
    """SIGINT and SIGTERM ask the main loop to end; nothing is interrupted half-way.

    Ctrl-C under a launch file arrives twice, from the terminal and from launch: both times it is
    only noted. rclpy's own handlers would end the context under a node that still configures.
    """

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def spin(node: Node, finished: Callable[[], bool]) -> None:
    """Serve the node's callbacks until `finished`, outliving those that raise."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not finished():
        try:
            executor.spin_once(timeout_sec=0.1)
        except Exception as error:  # such as a lifecycle service called in the wrong state
            node.get_logger().error(f"{type(error).__name__}: {error}")
    executor.shutdown()


def answer_wrong_transitions(node: Node) -> None:
    """A transition asked for by its number in the wrong state gets a "no".

    rclpy answers a wrong label, but raises out of the executor for a wrong number and leaves the
    lifecycle manager waiting.
    """

    def guarded(change: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, response: Any) -> Any:
            try:
                return change(request, response)
            except RuntimeError as error:  # RCLError
                number = request.transition.id
                node.get_logger().error(f"transition {number} is not possible now: {error}")
                response.success = False
                return response

        return answer

    for service in node.services:
        if service.srv_name.endswith("/change_state"):
            service.callback = guarded(service.callback)
