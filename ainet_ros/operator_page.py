"""The node's operator's page: what it shows goes out, what the operator wants comes in.

What a browser orders is done by the node's executor, like a message on a topic; so the page's
thread never touches what belongs to the node. A page that cannot be served costs one line in the
log and in ~/status, never the node.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from rclpy.node import Node

from ainet_core.page.live import Frame, Live
from ainet_core.page.opening import open_page
from ainet_core.page.orders import Box, NoOrders
from ainet_ros.answers import Answer
from ainet_ros.parameters import Settings


class Operable(Protocol):
    """What the node does for an operator; called by its executor."""

    def set_target(self, box: Box) -> None: ...
    def reset(self) -> bool: ...
    def enable(self, enabled: bool) -> bool: ...


class OperatorPage(NoOrders):
    """From the node's start to its end, in every lifecycle state; nothing where it is off.

    Args:
        node: does the orders in its executor.
        settings: whether there is a page, and where.
        operable: who does them.
    """

    def __init__(self, node: Node, settings: Settings, operable: Operable) -> None:
        self._operable = operable
        self._live = Live()
        self._orders: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._page = None
        self.place = ""  # where it is, or why it is not; "" where it is off
        if not settings.operator_page:
            return
        self._guard = node.create_guard_condition(self._do_orders)
        logger = node.get_logger()
        try:
            self._page, self.place = open_page(
                self._live, self, settings.page_access(), settings.operator_page_port,
                title=node.get_fully_qualified_name(),
            )  # fmt: skip
        except (ValueError, OSError) as error:
            self.place = str(error)
            logger.error(f"going on without the operator's page: {error}")
            return
        logger.info(f"operator's page: {self.place}")

    def close(self) -> None:
        """End it; nothing happens when it is off."""
        if self._page is not None:
            self._page.stop()
            self._page = None

    def show(self, answer: Answer) -> None:
        """Show an answer: keeps references, in microseconds. Called by the worker's thread."""
        images = answer.images
        if self._page is None or images.cameras == "none":
            return
        self._live.show(
            Frame(
                images.rgb, images.thermal, answer.box_size, answer.box, answer.score,
                answer.state, answer.target_id,
            )
        )  # fmt: skip

    def tell(self, values: Mapping[str, str]) -> None:
        """Show what ~/status says."""
        if self._page is not None:
            self._live.tell(values)

    # Orders, called by the page's thread.

    def set_target(self, box: Box) -> None:
        self._order(partial(self._operable.set_target, box))

    def reset(self) -> None:
        self._order(self._operable.reset)

    def enable(self, enabled: bool) -> None:
        self._order(partial(self._operable.enable, enabled))

    def _order(self, order: Callable[[], object]) -> None:
        self._orders.put(order)
        self._guard.trigger()

    def _do_orders(self) -> None:
        while not self._orders.empty():
            self._orders.get()()
