"""docs/architecture.svg is true: its boxes are the packages, its arrows are imports."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
import test_imports
from documentation import ROOT

SVG = "{http://www.w3.org/2000/svg}"
FIGURE = ET.parse(ROOT / "docs" / "architecture.svg").getroot()
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def packages() -> set[str]:
    """Dotted names of all packages of ours."""
    return {
        name
        for top in ("ainet_core", "ainet_ros")
        for name, path in test_imports.modules(top)
        if path.name == "__init__.py"
    }


def drawn() -> dict[str, ET.Element]:
    """Box by the name of what it stands for."""
    return {group.attrib["id"]: group for group in FIGURE.iter(f"{SVG}g") if "id" in group.attrib}


def part(module: str) -> str | None:
    """The drawn box that a module lies in, as arrows know it: no package inside a package."""
    parts = module.split(".")
    if parts[0] == "ainet_ros":
        return "ainet_ros"
    name = ".".join(parts[:2])
    return name if name in drawn() else None


def imported() -> set[tuple[str, str]]:
    """(from, to) of all imports between drawn boxes."""
    found = {
        (part(name), part(target))
        for top in ("ainet_core", "ainet_ros")
        for name, target in test_imports.arrows(top)
        if test_imports.within(target, "ainet_core") or test_imports.within(target, "ainet_ros")
    }
    return {(a, b) for a, b in found if a and b and a != b and "ainet_core" not in (a, b)}


def arrows() -> set[tuple[str, str]]:
    lines = [line.attrib for line in FIGURE.iter(f"{SVG}line")]
    return {(line["data-from"], line["data-to"]) for line in lines if "data-from" in line}


def reachable(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What follows from arrows by going on along arrows."""
    closed = set(pairs)
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    return closed


def test_boxes_are_the_packages() -> None:
    shown = {name for name, group in drawn().items() if "package" in group.attrib["class"]}
    assert shown == packages()


def test_the_pages_table_has_every_package() -> None:
    assert set(re.findall(r"^\| `(ainet\S+)` \|", PAGE, re.MULTILINE)) == packages()


GROUPS = list(FIGURE.iter(f"{SVG}g"))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.attrib.get("id", "module"))
def test_what_is_written_in_a_box_is_its_name(group: ET.Element) -> None:
    name = group.find(f"{SVG}text")
    assert name is not None
    if "id" in group.attrib:
        assert name.text == group.attrib["id"].split(".")[-1]
    inside = "ainet_core" if group.attrib.get("id") == "ainet_core.cli" else "ainet_ros"
    for file in group.attrib.get("data-files", "").split():
        assert (ROOT / inside / file).is_file()


def test_arrows_are_imports_and_imports_follow_from_arrows() -> None:
    assert arrows() <= imported()
    assert imported() <= reachable(arrows())


def test_no_arrow_turns_round() -> None:
    assert not {(b, a) for a, b in arrows()} & reachable(arrows())
    for start, end in arrows():
        friends = test_imports.RESTRICTED.get(end)
        assert friends is None or any(test_imports.within(start, friend) for friend in friends)


def borders(group: ET.Element) -> Iterator[float]:
    rect = group.find(f"{SVG}rect")
    assert rect is not None
    x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
    yield from (x, y, x + width, y + height)


@pytest.mark.parametrize(("end", "attribute"), [("1", "data-from"), ("2", "data-to")])
def test_an_arrow_touches_the_boxes_that_it_means(end: str, attribute: str) -> None:
    for line in FIGURE.iter(f"{SVG}line"):
        if attribute not in line.attrib:
            continue
        left, top, right, bottom = borders(drawn()[line.attrib[attribute]])
        x, y = float(line.attrib["x" + end]), float(line.attrib["y" + end])
        assert left <= x <= right
        assert top <= y <= bottom
        assert x in (left, right) or y in (top, bottom)


def test_the_flow_in_the_node_is_told_in_the_same_order() -> None:
    steps = [file for group in GROUPS for file in group.attrib.get("data-files", "").split()]
    told = PAGE.split("## One pair of images")[1].split("\n## ")[0]
    places = [told.index(step) for step in steps if step in told]
    assert len(places) == len(steps) - 1  # all but cli.py
    assert places == sorted(places)
