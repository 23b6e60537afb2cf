"""One table: declaration, refusal, config file and documentation agree."""

from __future__ import annotations

import pytest
import rclpy
import yaml
from processes import ROOT
from rclpy.parameter import Parameter
from trivial_node import make

from ainet_ros import parameters
from ainet_ros.tracker_node import TrackerNode

pytestmark = pytest.mark.dds

WRONG = {
    "preset": ["", "../nano", 3],
    "checkpoint": [5, True],
    "device": ["tpu", "cuda:", "cuda:x", ""],
    "threads": [-1, 257, 1.5, "many"],
    "precision": ["float16", "", 16],
    "cuda_graph": ["yes", 1],
    "rgb_transport": ["jpeg", ""],
    "thermal_transport": ["png", True],
    "alignment_file": [5, True],
    "alignment_limit": [-1.0, 1001.0, float("nan"), "far"],
    "pairing": ["nearest", ""],
    "slop": [-0.1, 1.5, float("nan"), "0.1"],
    "max_offset": [-0.1, 6.0, float("inf")],
    "modality_timeout": [-1.0, 61.0, float("nan")],
    "queue_size": [0, 1001, 2.5],
    "reliability": ["best-effort", ""],
    "initial_box": [
        [1.0, 2.0, 3.0],
        [0.0, 0.0, 0.0, 4.0],
        [1.0, float("nan"), 3.0, 4.0],
        "a,b,c,d",
    ],
    "class_id": ["", 7],
    "detection_score": [-0.1, 1.1, float("nan")],
    "on_detection": ["always", ""],
    "lost_below": [-0.1, 1.1],
    "lost_after": [0, 1001],
    "found_above": [-0.1, 1.1],
    "debug_image_width": [63, 5000, "wide"],
    "debug_image_rate": [-1.0, 1001.0, "often"],
    "debug_side_by_side": ["yes", 1],
    "operator_page": ["yes", 1],
    "operator_page_host": ["", "a b", 5],
    "operator_page_port": [-1, 65536, 80.5, "http"],
    "operator_page_token": ["short", "with space with space", 5],
    "autostart": ["yes", 1],
}


def test_every_parameter_has_wrong_values_here():
    assert list(WRONG) == list(parameters.table())


@pytest.mark.parametrize(("name", "value"), [(k, v) for k, vs in WRONG.items() for v in vs])
def test_a_wrong_value_at_start_is_refused_with_the_sentence(ros, name, value):
    sentence = parameters.table()[name].metadata["sentence"]
    with pytest.raises(ValueError, match=name) as refusal:
        TrackerNode(make(""), parameter_overrides=[Parameter(name, value=value)])
    assert sentence in str(refusal.value)


def test_a_wrong_value_later_is_refused_with_the_sentence_and_changes_nothing(ros):
    node = TrackerNode(make(""))
    try:
        for name, value in (("class_id", ""), ("debug_image_width", 10), ("device", "cpu")):
            before = node.get_parameter(name).value
            (result,) = node.set_parameters([Parameter(name, value=value)])
            assert not result.successful
            assert parameters.table()[name].metadata["sentence"] in result.reason
            assert node.get_parameter(name).value == before
        good_and_bad = [
            Parameter("class_id", value="boat"),
            Parameter("debug_image_width", value=1),
        ]
        assert not node.set_parameters_atomically(good_and_bad).successful
        assert node.get_parameter("class_id").value == "target"
        (result,) = node.set_parameters([Parameter("class_id", value="boat")])
        assert result.successful
    finally:
        node.destroy_node()


@pytest.mark.parametrize(
    "value", [[10, 20, 30, 40], [10.0, 20.0, 30.0, 40.0], "10,20,30,40", "[10, 20, 30, 40]"]
)
def test_a_box_may_be_written_as_numbers_or_as_text(ros, value):
    node = rclpy.create_node("box", parameter_overrides=[Parameter("initial_box", value=value)])
    parameters.declare(node)
    assert parameters.read(node).start_box == (10, 20, 30, 40)
    node.destroy_node()


def test_every_parameter_is_described(ros):
    node = TrackerNode(make(""))
    for name, entry in parameters.table().items():
        described = node.describe_parameter(name)
        assert described.description == entry.metadata["sentence"]
        assert described.read_only == (not entry.metadata["live"])
        if entry.metadata["limits"]:
            assert described.integer_range or described.floating_point_range
    node.destroy_node()


def test_the_config_file_holds_every_parameter_at_its_default():
    file = yaml.safe_load((ROOT / "config" / "tracker.yaml").read_text())
    values = file["/**"]["ros__parameters"]
    assert values == {name: entry.default for name, entry in parameters.table().items()}


def test_the_documentation_holds_the_same_table():
    assert parameters.markdown() in (ROOT / "docs" / "ros.md").read_text()
