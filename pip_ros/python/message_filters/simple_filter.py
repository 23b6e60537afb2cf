"""The output side that every filter has: a list of callbacks, called in the order of arrival."""

from collections.abc import Callable
from typing import Any


class SimpleFilter:
    """Something that hands messages on to whoever registered."""

    def __init__(self) -> None:
        self.callbacks: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}

    def registerCallback(self, cb: Callable[..., Any], *args: Any) -> int:  # noqa: N802
        """Have `cb(*messages, *args)` called for each output. There is no way to take it back."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg: Any) -> None:  # noqa: N802
        """Call every callback, in this thread; what one raises reaches whoever signalled."""
        for callback, args in self.callbacks.values():
            callback(*msg, *args)
