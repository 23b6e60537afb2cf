"""The traps of the Python synchronizer, contained: run against the message_filters installed."""

from __future__ import annotations

import time

import pytest
import rclpy
from robot import picture

from ainet_ros.pairing import Pairing
from ainet_ros.parameters import Settings
from ainet_ros.status import silence_sentence

pytestmark = pytest.mark.dds


class Heard:
    """A pairing on a real node, fed as its subscriptions feed it."""

    def __init__(self, slop: float = 0.02, queue_size: int = 10) -> None:
        self.node = rclpy.create_node("pairing")
        self.pairs, self.jumps = [], []
        settings = Settings(slop=slop, queue_size=queue_size)
        self.pairing = Pairing(self.node, settings, self.pairs.append, self.jumps.append)

    def rgb(self, stamp: float) -> None:
        self.pairing._heard(picture(2, 2, stamp), 0)

    def thermal(self, stamp: float) -> None:
        self.pairing._heard(picture(2, 2, stamp), 1)

    def both(self, *stamps: float) -> None:
        for stamp in stamps:
            self.rgb(stamp)
            self.thermal(stamp)

    @property
    def stamps(self) -> list[float]:
        headers = [pair.rgb.header.stamp for pair in self.pairs]
        return [stamp.sec + stamp.nanosec / 1e9 for stamp in headers]


@pytest.fixture
def heard(ros):
    made = []

    def make(**options) -> Heard:
        made.append(Heard(**options))
        return made[-1]

    yield make
    for each in made:
        each.pairing.close()
        each.node.destroy_node()


def test_a_callback_that_raises_does_not_lock_the_next_image_out(heard):
    heard = heard()

    def broken(pair):
        raise RuntimeError("on purpose")

    heard.pairing._on_pair = broken
    heard.both(1.0)
    heard.pairing._on_pair = heard.pairs.append
    heard.both(2.0)  # with a bare synchronizer this blocks for ever
    assert heard.stamps == [2.0]


def test_a_filter_that_raises_is_replaced(heard):
    heard = heard()

    def broken(message, *args):
        raise KeyError("on purpose")

    heard.pairing._gates[0].callbacks[0] = (broken, ())
    heard.rgb(1.0)
    heard.both(2.0)
    assert heard.stamps == [2.0]


def test_equal_stamps_pair_with_slop_zero(heard):
    heard = heard(slop=0.0)
    heard.both(1.0, 1.1)
    heard.rgb(2.0)
    heard.thermal(2.000000001)
    assert heard.stamps == [1.0, 1.1]


@pytest.mark.parametrize("slop", [0.02, 0.033, 0.1, 1.0])
def test_a_distance_equal_to_slop_pairs_and_one_nanosecond_more_does_not(heard, slop):
    heard = heard(slop=slop)
    heard.rgb(10.0)
    heard.thermal(10.0 + slop)
    assert heard.stamps == [10.0]
    assert heard.pairing.offset == pytest.approx(slop)
    heard.rgb(20.0)
    heard.thermal(20.0 + slop + 2e-9)
    assert heard.stamps == [10.0]


def test_after_stamps_jumped_back_every_pair_comes_again(heard):
    heard = heard(queue_size=3)
    heard.both(*[100 + i / 30 for i in range(20)])
    heard.rgb(101.0)  # waits for a thermal image that never comes
    heard.pairs.clear()
    looped = [50 + i / 30 for i in range(20)]
    heard.both(*looped)
    assert heard.stamps == pytest.approx(looped)
    assert len(heard.jumps) >= 1
    assert "went back" in heard.jumps[0]


def test_a_loop_shorter_than_the_limit_is_noticed_too(heard):
    heard = heard()
    loop = [5 + i / 30 for i in range(10)]
    heard.both(*loop)
    heard.pairs.clear()
    heard.both(*loop)
    assert heard.jumps
    assert len(heard.pairs) >= len(loop) - 3


def test_one_late_image_is_no_jump_and_goes_back_in_no_answer(heard):
    heard = heard()
    heard.both(1.0)
    heard.rgb(1.066)
    heard.rgb(1.033)
    heard.thermal(1.066)
    heard.thermal(1.033)
    heard.both(1.1)
    assert heard.jumps == []
    assert heard.stamps == [1.0, 1.066, 1.1]


def test_a_repeated_stamp_is_answered_once(heard):
    heard = heard()
    heard.both(1.0, 1.0, 1.0, 1.5)
    assert heard.stamps == [1.0, 1.5]
    assert heard.pairing.rgb.unpaired == 2


def test_images_without_a_partner_are_counted_on_their_side(heard):
    heard = heard(queue_size=3)
    heard.both(1.0)
    for i in range(10):
        heard.rgb(2.0 + i)
    heard.thermal(30.0)
    assert heard.pairing.rgb.received == 11
    assert heard.pairing.rgb.unpaired == 7  # three of ten still wait
    assert heard.pairing.thermal.unpaired == 0
    heard.pairing.clear()
    assert (heard.pairing.rgb.unpaired, heard.pairing.thermal.unpaired) == (10, 1)


def test_the_silence_is_explained_by_topic_rate_offset_and_parameter(heard):
    heard = heard()
    assert "nothing arrives on /rgb/image_raw and /thermal" in silence_sentence(
        heard.pairing, 0.02
    )
    for i in range(4):
        heard.rgb(1.0 + i / 10)
        heard.thermal(1.05 + i / 10)
        time.sleep(0.01)
    sentence = silence_sentence(heard.pairing, 0.02)
    assert "/rgb/image_raw at" in sentence
    assert "+0.050 s" in sentence
    assert "parameter slop" in sentence
    assert heard.pairs == []
