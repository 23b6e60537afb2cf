"""message_filters for machines where ROS 2 comes from PyPI, which lacks it.

Same names, signatures and behaviour as ROS 2 Jazzy's module (4.11) for what a tracker node uses,
its traps included: code that is safe with this module is safe with the real one, which always
comes first on the path. Written from the documented behaviour, not from its source.
"""

from .cache import Cache
from .simple_filter import SimpleFilter
from .subscriber import Subscriber
from .synchronizers import ApproximateTimeSynchronizer, TimeSynchronizer

__all__ = [
    "ApproximateTimeSynchronizer",
    "Cache",
    "SimpleFilter",
    "Subscriber",
    "TimeSynchronizer",
]
