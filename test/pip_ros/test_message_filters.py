"""What the node relies on and has to contain, whichever message_filters is installed."""

from collections.abc import Callable

import pytest

pytest.importorskip("message_filters", reason="ROS 2 is not installed: make venv")

import message_filters
from builtin_interfaces.msg import Time as Stamp
from rclpy.time import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

Pairs = list[tuple[int, int]]


def image(ms: int) -> Image:
    return Image(
        header=Header(stamp=Stamp(sec=ms // 1000, nanosec=ms % 1000 * 1_000_000)), width=ms
    )


class Pairing:
    """Two inputs and what came out of a synchronizer, as pairs of stamps in ms."""

    def __init__(self, make: Callable[[list[message_filters.SimpleFilter]], object]) -> None:
        self.inputs = [message_filters.SimpleFilter(), message_filters.SimpleFilter()]
        self.sync = make(self.inputs)
        self.pairs: Pairs = []
        self.sync.registerCallback(lambda a, b: self.pairs.append((a.width, b.width)))

    def take(self, side: int, *stamps_ms: int) -> None:
        for ms in stamps_ms:
            self.inputs[side].signalMessage(image(ms))


def exact(queue_size: int) -> Pairing:
    return Pairing(lambda fs: message_filters.TimeSynchronizer(fs, queue_size))


def approximate(queue_size: int, slop: float) -> Pairing:
    return Pairing(lambda fs: message_filters.ApproximateTimeSynchronizer(fs, queue_size, slop))


def test_callbacks_get_messages_then_their_own_arguments() -> None:
    source, calls = message_filters.SimpleFilter(), []
    assert source.registerCallback(lambda *got: calls.append(got), "x", 1) == 0
    assert source.registerCallback(lambda *got: calls.append(got)) == 1
    source.signalMessage("message")
    assert calls == [("message", "x", 1), ("message",)]


def test_exact_pairs_equal_stamps_only() -> None:
    pairing = exact(10)
    pairing.take(0, 10, 20, 30)
    pairing.take(1, 30, 11, 10)
    assert pairing.pairs == [(30, 30), (10, 10)]


def test_exact_drops_the_smallest_stamp_of_a_full_queue() -> None:
    pairing = exact(2)
    pairing.take(0, 10, 20, 30)
    pairing.take(1, 10, 20)
    assert pairing.pairs == [(20, 20)]


def test_exact_keeps_the_newer_message_of_a_repeated_stamp() -> None:
    pairing = exact(2)
    first, second = image(10), image(10)
    second.width = 99
    pairing.inputs[0].signalMessage(first)
    pairing.inputs[0].signalMessage(second)
    pairing.take(1, 10)
    assert pairing.pairs == [(99, 10)]


def test_approximate_takes_the_nearest_stamp() -> None:
    pairing = approximate(10, 0.05)
    pairing.take(0, 100, 120, 140)
    pairing.take(1, 125)
    assert pairing.pairs == [(120, 125)]


def test_approximate_is_greedy() -> None:
    """The first that fits is taken, though a better one comes later."""
    pairing = approximate(10, 0.05)
    pairing.take(0, 100)
    pairing.take(1, 70, 101)
    assert pairing.pairs == [(100, 70)]


def test_approximate_keeps_the_order_of_its_inputs() -> None:
    pairing = approximate(10, 0.05)
    pairing.take(1, 100)
    pairing.take(0, 110)
    assert pairing.pairs == [(110, 100)]


@pytest.mark.parametrize(("slop", "difference_ms"), [(0.0, 0), (0.02, 20)])
def test_slop_itself_is_too_far(slop: float, difference_ms: int) -> None:
    pairing = approximate(10, slop)
    pairing.take(0, 100)
    pairing.take(1, 100 + difference_ms)
    assert pairing.pairs == []


def test_hardly_pairs_after_a_jump_back() -> None:
    """The new messages have the smallest stamps, so a full queue throws them away at once."""
    pairing = approximate(2, 0.02)
    pairing.take(0, 1000, 1040)
    pairing.take(1, 1100, 1140)
    for ms in range(0, 200, 40):
        pairing.take(0, ms)
        pairing.take(1, ms)
    assert pairing.pairs == []


def test_callback_runs_under_the_lock_and_an_exception_keeps_it() -> None:
    pairing = approximate(10, 0.02)
    held = []
    pairing.sync.registerCallback(lambda *_: held.append(pairing.sync.lock.locked()))
    pairing.take(0, 100)
    pairing.take(1, 100)
    assert held == [True]
    assert not pairing.sync.lock.locked()

    def fail(*_: Image) -> None:
        raise ValueError("from the callback")

    pairing.sync.registerCallback(fail)
    pairing.take(0, 200)
    with pytest.raises(ValueError, match="from the callback"):
        pairing.take(1, 200)
    assert pairing.sync.lock.locked()  # any further message would wait for ever


def test_headerless_messages_are_dropped_unless_allowed() -> None:
    pairing = approximate(10, 0.5)
    pairing.inputs[0].signalMessage(String(data="no header"))
    assert pairing.sync.queues == [{}, {}]

    sources = [message_filters.SimpleFilter(), message_filters.SimpleFilter()]
    sync = message_filters.ApproximateTimeSynchronizer(sources, 10, 5.0, allow_headerless=True)
    got = []
    sync.registerCallback(lambda a, b: got.append((a.data, b.data)))
    for source, text in zip(sources, "ab", strict=True):
        source.signalMessage(String(data=text))
    assert got == [("a", "b")]


def test_cache_answers_by_time() -> None:
    source = message_filters.SimpleFilter()
    cache = message_filters.Cache(source, cache_size=3)
    assert cache.getLast() is None
    assert cache.getOldestTime() is None
    for ms in (10, 20, 30, 40):
        source.signalMessage(image(ms))
    at = {
        ms: Time(nanoseconds=ms * 1_000_000, clock_type=cache.getOldestTime().clock_type)
        for ms in (20, 25, 30, 40, 50)
    }
    assert cache.getOldestTime() == at[20]
    assert cache.getLastestTime() == at[40]
    assert cache.getLast().width == 40
    assert cache.getElemBeforeTime(at[25]).width == 20
    assert cache.getElemAfterTime(at[25]).width == 30
    assert cache.getElemAfterTime(at[50]) is None
    assert [m.width for m in cache.getInterval(at[20], at[30])] == [20, 30]


class FakeNode:
    """Records what create_subscription was asked for."""

    def create_subscription(self, *args: object, **kwargs: object) -> "FakeNode":
        self.args, self.kwargs = args, kwargs
        self.topic_name = "/resolved/name"
        return self


def test_subscriber_hands_on_what_its_subscription_gets() -> None:
    node = FakeNode()
    subscriber = message_filters.Subscriber(node, Image, "rgb", qos_profile=5, raw=False)
    message_type, topic, callback = node.args
    assert (message_type, topic) == (Image, "rgb")
    assert node.kwargs == {"qos_profile": 5, "raw": False}
    assert subscriber.getTopic() == "rgb"
    assert subscriber.sub is node
    assert subscriber.topic_name == "/resolved/name"
    got = []
    subscriber.registerCallback(got.append)
    callback("message")
    assert got == ["message"]
    message_filters.Subscriber(node, Image, "rgb")
    assert node.kwargs == {"qos_profile": 10}
