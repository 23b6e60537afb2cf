"""The documented topics, services and parameters are those of the running node."""

from __future__ import annotations

import json
import re

import pytest
import rclpy
import yaml
from processes import ROOT
from rclpy.executors import SingleThreadedExecutor
from trivial_node import make

from ainet_ros import interface, parameters
from ainet_ros.tracker_node import TrackerNode

pytestmark = pytest.mark.dds

ALWAYS = {"/rosout", "/parameter_events", "/ainet/transition_event", "/clock"}


def short(kind: str) -> str:
    return kind.replace("/msg/", "/").replace("/srv/", "/")


@pytest.fixture(params=["raw", "compressed"])
def node(ros, request):
    overrides = [
        rclpy.parameter.Parameter(f"{camera}_transport", value=request.param)
        for camera in ("rgb", "thermal")
    ]
    made = TrackerNode(make(""), parameter_overrides=overrides)
    made.trigger_configure()
    made.trigger_activate()
    yield made
    made.close()
    made.destroy_node()


def ports(node: TrackerNode, way: str) -> set[tuple[str, str]]:
    expanded = {
        (port.name.replace("~", "/ainet"), port.kind)
        for port in interface.PORTS
        if port.way == way
    }
    return {(name if name.startswith("/") else f"/{name}", kind) for name, kind in expanded}


def found(entries) -> set[tuple[str, str]]:
    return {(name, short(kind)) for name, kinds in entries for kind in kinds if name not in ALWAYS}


def test_the_table_is_the_graph(node):
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.spin_once(timeout_sec=0.1)
    out = found(node.get_publisher_names_and_types_by_node("ainet", "/"))
    assert out == ports(node, "out")
    heard = found(node.get_subscriber_names_and_types_by_node("ainet", "/"))
    packed = node.get_parameter("rgb_transport").value == "compressed"
    images = {port for port in ports(node, "in") if "image_raw" in port[0]}
    wanted = {port for port in images if port[0].endswith("compressed") == packed}
    assert heard == (ports(node, "in") - images) | wanted
    services = found(node.get_service_names_and_types_by_node("ainet", "/"))
    assert ports(node, "service") <= services
    other = {name for name, kind in services - ports(node, "service")}
    rcl = ("parameter", "state", "states", "transitions", "graph", "type_description")
    assert all(any(word in name for word in rcl) for name in other), other
    executor.shutdown()


def test_the_parameters_are_the_table_and_the_overrides_of_qos(node):
    names = {name for name in node._parameters if not name.startswith("qos_overrides.")}
    assert names - {"use_sim_time", "start_type_description_service"} == set(parameters.table())
    overrides = [name for name in node._parameters if name.startswith("qos_overrides.")]
    assert any(".subscription.reliability" in name for name in overrides)


def test_the_document_has_the_tables_that_the_code_has():
    text = (ROOT / "docs" / "ros.md").read_text()
    assert interface.with_tables(text) == text
    with pytest.raises(ValueError, match="expected one table"):
        interface.with_tables("nothing")


def test_the_layouts_show_topics_that_the_node_and_the_cameras_have():
    names = {port.name.replace("~", "/ainet") for port in interface.PORTS}
    known = {name if name.startswith("/") else f"/{name}" for name in names}
    rviz = yaml.safe_load((ROOT / "rviz" / "tracker.rviz").read_text())
    displays = rviz["Visualization Manager"]["Displays"]
    assert {display["Topic"]["Value"] for display in displays} <= known
    layout = (ROOT / "foxglove" / "tracker.json").read_text()
    panels = set(json.loads(layout)["configById"])
    used = re.findall(r'"(?:first|second)": "([^"]+)"', layout)
    assert set(used) == panels
    topics = re.findall(r'"(?:imageTopic|topicPath|topicToRender|serviceName)": "([^"]+)"', layout)
    assert topics
    assert set(topics) <= known
