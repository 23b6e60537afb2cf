"""The traps of the Python synchronizer, contained: run against the message_filters installed."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import rclpy
from robot import picture

from ainet_ros.camera import Camera, nanoseconds
from ainet_ros.pairing import Pairing
from ainet_ros.parameters import Settings
from ainet_ros.status import silence_sentence

pytestmark = pytest.mark.dds


class Heard:
    """A pairing on a real node, fed as its subscriptions feed it."""

    def __init__(self, **values) -> None:
        self.node = rclpy.create_node("pairing")
        self.pairs, self.jumps, self.told = [], [], []
        self.settings = Settings(**values)
        log = SimpleNamespace(warning=self._told, error=self._told)
        self.pairing = Pairing(self.node, self.settings, self.pairs.append, self.jumps.append, log)

    def _told(self, sentence: str, kind: str) -> None:
        self.told.append(sentence)

    def rgb(self, stamp: float) -> None:
        self.pairing._heard(picture(2, 2, stamp), index=0)

    def thermal(self, stamp: float) -> None:
        self.pairing._heard(picture(2, 2, stamp), index=1)

    def both(self, *stamps: float) -> None:
        for stamp in stamps:
            self.rgb(stamp)
            self.thermal(stamp)

    @property
    def stamps(self) -> list[float]:
        return [nanoseconds(pair) / 1e9 for pair in self.pairs]

    @property
    def thermal_stamps(self) -> list[float | None]:
        images = [pair.thermal for pair in self.pairs]
        return [image and nanoseconds(image) / 1e9 for image in images]


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
        heard.pairing, heard.settings
    )
    for i in range(4):
        heard.rgb(1.0 + i / 10)
        heard.thermal(1.05 + i / 10)
        time.sleep(0.01)
    sentence = silence_sentence(heard.pairing, heard.settings)
    assert "/rgb/image_raw at" in sentence
    assert "+0.050 s" in sentence
    assert "parameter slop" in sentence
    assert heard.pairs == []


@pytest.mark.parametrize("stamp", [0.0, 1e6])
@pytest.mark.parametrize("index", [0, 1])
def test_a_stamp_that_cannot_be_is_refused_and_said_and_the_next_pair_comes(heard, stamp, index):
    heard = heard()
    heard.both(10.0)
    [heard.rgb, heard.thermal][index](stamp)
    heard.both(10.1)
    assert heard.stamps == [10.0, 10.1]
    assert heard.jumps == []
    assert heard.told
    assert heard.pairing.cameras[index].unpaired == 1


def test_a_leap_ahead_is_believed_when_the_next_image_agrees(heard):
    heard = heard()
    heard.both(10.0, 1000.0, 1000.1, 1000.2)
    assert heard.stamps == [10.0, 1000.1, 1000.2]


def test_exact_pairs_equal_stamps_and_no_others(heard):
    heard = heard(pairing="exact")
    heard.both(1.0, 1.1)
    heard.rgb(2.0)
    heard.thermal(2.000000001)
    heard.both(3.0)
    heard.both(1.0, 1.1)  # back in time
    assert heard.stamps == [1.0, 1.1, 3.0, 1.0, 1.1]


def test_rgb_leads_keeps_the_rgb_rate_beside_a_slow_thermal_camera(heard):
    heard = heard(pairing="rgb_leads", max_offset=0.15)
    rgb = [10 + i / 30 for i in range(30)]
    thermal = [9.99 + i / 9 for i in range(9)]
    for stamp in sorted(rgb + thermal):
        (heard.rgb if stamp in rgb else heard.thermal)(stamp)
    assert heard.stamps == pytest.approx(rgb)
    newest = [max(s for s in thermal if s <= stamp) for stamp in rgb]
    assert heard.thermal_stamps == pytest.approx(newest)
    assert heard.pairing.thermal.paired == 9  # each is counted once
    assert heard.pairing.rgb.unpaired + heard.pairing.rgb.paired == 30


def test_rgb_leads_takes_no_thermal_image_beyond_the_limit(heard):
    heard = heard(pairing="rgb_leads", max_offset=0.1, modality_timeout=0.0)
    heard.thermal(0.05)  # near zero: no negative time
    heard.rgb(0.15)
    heard.rgb(0.16)
    assert heard.stamps == [0.15]
    assert heard.pairing.rgb.unpaired == 1


@pytest.mark.parametrize("policy", ["approximate", "exact", "rgb_leads"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_silent_camera_is_done_without_and_taken_back(heard, policy, index):
    heard = heard(pairing=policy, modality_timeout=0.05)
    live, silent = [heard.rgb, heard.thermal], [heard.thermal, heard.rgb]
    heard.thermal(1.0)
    heard.rgb(1.0)
    heard.thermal(1.03)
    heard.rgb(1.03)
    assert len(heard.pairs) == 2
    time.sleep(0.08)
    live[index](1.9)  # the other one may be about to come, too
    for stamp in (2.0, 2.1):
        time.sleep(0.04)
        live[index](stamp)
    live[index](2.1)
    alone = heard.pairs[2:]
    assert [nanoseconds(pair) for pair in alone] == [2_100_000_000]
    assert all((pair.thermal, pair.rgb)[index] is None for pair in alone)
    assert "alone" in heard.told[-1]
    silent[index](2.1)  # its moment is answered
    for stamp in (2.2, 2.3):
        heard.thermal(stamp)
        heard.rgb(stamp)
    assert "going on with both" in heard.told[-1]
    assert heard.pairs[-1].rgb is not None
    assert heard.pairs[-1].thermal is not None
    stamps = [nanoseconds(pair) for pair in heard.pairs]
    assert stamps == sorted(set(stamps))


def test_with_a_timeout_of_zero_it_waits_for_both_for_ever(heard):
    heard = heard(modality_timeout=0.0)
    heard.thermal(1.0)
    heard.pairing.thermal.believed[0] -= 1000
    heard.rgb(1.1)
    heard.rgb(1.2)
    assert heard.pairs == []


def test_a_camera_on_another_clock_takes_over_and_gives_back(heard):
    heard = heard(modality_timeout=0.05)
    for feed, start in ((heard.rgb, 5000.0), (heard.thermal, 10.0), (heard.rgb, 5000.5)):
        for i in range(4):  # the thermal clock is more than an hour behind: answered all the same
            feed(start + i / 30)
            time.sleep(0.03)
    stamps = iter(heard.stamps)
    for start in (5000.0, 10.0, 5000.5):
        assert any(0 <= stamp - start < 0.2 for stamp in stamps)
    assert len(set(heard.stamps)) == len(heard.stamps)


def test_live_parameters_act_at_once(heard):
    heard = heard(slop=0.001)
    heard.rgb(1.0)
    heard.thermal(1.05)
    heard.pairing.apply(Settings(slop=0.1))
    heard.rgb(2.0)
    heard.thermal(2.05)
    assert heard.stamps == [2.0]
    assert heard.pairing.rgb.unpaired == heard.pairing.thermal.unpaired == 1


def test_numbers_that_one_publisher_skips_were_lost():
    camera = Camera("rgb", "/rgb/image_raw", publishers=1)
    for number in (5, 6, 9):
        camera.count_lost(number)
    assert camera.lost == 2
    camera.count_lost(1)  # the driver started anew
    camera.count_lost(2)
    assert camera.lost == 2


def test_numbers_of_two_publishers_say_nothing():
    camera = Camera("rgb", "/rgb/image_raw", publishers=2)
    for number in (5, 90, 6, 91):
        camera.count_lost(number)
    assert camera.lost == 0
