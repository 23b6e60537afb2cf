"""A subscription as the first filter of a chain."""

from typing import Any

from .simple_filter import SimpleFilter


class Subscriber(SimpleFilter):
    """Hands on what an rclpy subscription receives; `.sub` is that subscription.

    The callbacks run in the executor's thread. There is no unsubscribing but
    `node.destroy_subscription(subscriber.sub)`.
    """

    def __init__(
        self, node: Any, msg_type: Any, topic: str, *, qos_profile: Any = 10, **kwargs: Any
    ) -> None:
        # qos_profile only by name: Jazzy's module fails when it comes by position.
        super().__init__()
        self.node = node
        self.topic = topic
        self.sub = node.create_subscription(
            msg_type, topic, self.callback, qos_profile=qos_profile, **kwargs
        )

    def callback(self, msg: Any) -> None:
        """Take one message from the subscription."""
        self.signalMessage(msg)

    def getTopic(self) -> str:  # noqa: N802
        """Return the topic as it was given, before remapping."""
        return self.topic

    def __getattr__(self, key: str) -> Any:
        """Look like the subscription itself: `s.topic_name`, `s.destroy()`, ..."""
        if key == "sub":  # not there yet when create_subscription raised: no endless recursion
            raise AttributeError(key)
        return getattr(self.sub, key)
