"""Which topics are the cameras: asked about only where nothing decides."""

from __future__ import annotations

from pathlib import Path

import bag_maker
import numpy as np
import pytest
from bag_maker import START, Sent

from ainet_core.recordings.bag import Bag
from ainet_core.recordings.records import COMPRESSED, IMAGE
from ainet_core.recordings.topics import choose_cameras

PIXELS = {
    "rgb8": bag_maker.colour(0),
    "bayer_rggb8": bag_maker.colour(0)[..., 0],
    "mono8": bag_maker.colour(0)[..., 0],
    "mono16": bag_maker.warm(0),
    "16UC1": bag_maker.warm(0),
    "32FC1": bag_maker.warm(0).astype(np.float32),
}


def bag_of(path: Path, **topics: str) -> Bag:
    """Topics by name ("__" for "/") with their encoding, or jpeg or png16."""
    sent = []
    for name, encoding in topics.items():
        topic = "/" + name.replace("__", "/")
        if encoding in PIXELS:
            data = bag_maker.image(PIXELS[encoding], encoding, START)
            sent.append(Sent(topic, IMAGE, START, data))
        else:
            pixels = bag_maker.colour(0) if encoding == "jpeg" else bag_maker.warm(0)
            ending = ".jpg" if encoding == "jpeg" else ".png"
            data = bag_maker.compressed(pixels, ending, ending[1:], START)
            sent.append(Sent(topic, COMPRESSED, START, data))
    return Bag(bag_maker.write(path / "bag", sent))


def names(bag: Bag, **chosen: str) -> list[str | None]:
    return [topic and topic.name for topic in choose_cameras(bag, **chosen)]


@pytest.mark.parametrize(
    ("topics", "sentence"),
    [
        ({"left__image_raw": "rgb8", "right__image_raw": "rgb8"},
         r"which topic is the RGB camera: /left/image_raw \(rgb8\), /right/image_raw \(rgb8\)\? "
         "Say it with --rgb-topic"),
        ({"ir__front": "mono8", "ir__back": "mono16", "c": "rgb8"},
         r"the thermal camera: /ir/back \(mono16\), /ir/front \(mono8\)\? .*--thermal-topic"),
    ],
)  # fmt: skip
def test_what_could_be_either_is_asked(tmp_path, topics, sentence):
    with pytest.raises(ValueError, match=sentence):
        choose_cameras(bag_of(tmp_path, **topics))


def test_a_topic_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    bag = bag_of(tmp_path, c="rgb8", ir="mono16")
    with pytest.raises(ValueError, match=r"/x must be .* got no such topic; .*/c \(rgb8\), /ir"):
        choose_cameras(bag, rgb="/x")
    with pytest.raises(ValueError, match="name two topics"):
        choose_cameras(bag, rgb="/c", thermal="/c")


def test_a_recording_without_images_is_refused_with_what_it_has(tmp_path):
    box = bag_maker.detection((1, 2, 3, 4), START)
    bag = Bag(bag_maker.write(tmp_path / "bag", [box], topics=[("/c", IMAGE)]))
    with pytest.raises(ValueError, match=r"no images .* /c \(sensor_msgs/msg/Image, 0\)"):
        choose_cameras(bag)


@pytest.mark.parametrize(
    ("topics", "rgb", "thermal"),
    [
        ({"a": "rgb8", "b": "mono16"}, "/a", "/b"),
        ({"a": "bayer_rggb8", "b": "32FC1"}, "/a", "/b"),
        ({"a": "rgb8", "b": "mono8"}, "/a", "/b"),
        ({"front__lwir": "rgb8", "front__color": "rgb8"}, "/front/color", "/front/lwir"),
        ({"thermal_camera": "mono8", "mono": "mono8"}, "/mono", "/thermal_camera"),
        ({"depth__image": "16UC1", "c": "rgb8", "t": "mono16"}, "/c", "/t"),
        ({"depth__image": "16UC1", "c": "rgb8"}, "/c", None),
        ({"c": "rgb8", "c__compressed": "jpeg", "t": "mono16"}, "/c", "/t"),
        ({"c__compressed": "jpeg", "t__compressed": "png16"}, "/c/compressed", "/t/compressed"),
        ({"c": "rgb8", "ainet__debug_image": "rgb8",
          "ainet__debug_image__compressed": "jpeg", "t": "16UC1"}, "/c", "/t"),
        ({"c": "rgb8"}, "/c", None),
        ({"t": "mono16"}, None, "/t"),
    ],
)  # fmt: skip
def test_type_encoding_and_name_decide(tmp_path, topics, rgb, thermal):
    assert names(bag_of(tmp_path, **topics)) == [rgb, thermal]


def test_who_names_a_topic_is_believed(tmp_path):
    bag = bag_of(tmp_path, left="rgb8", right="rgb8", ir="mono16")
    assert names(bag, rgb="/right") == ["/right", "/ir"]
    assert names(bag, rgb="/left", thermal="/right") == ["/left", "/right"]


def test_a_first_image_that_is_broken_does_not_decide(tmp_path):
    sent = [Sent("/c", IMAGE, START, b""), *bag_maker.pairs(2)[::2]]
    sent[1:] = [Sent("/c", *each[1:]) for each in sent[1:]]
    bag = Bag(bag_maker.write(tmp_path / "bag", sent))
    assert names(bag) == ["/c", None]
