"""Every link leads somewhere, every file that is named exists, and every page is linked."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from documentation import PAGES, ROOT, named_files, prose

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def links(page: Path) -> list[str]:
    return LINK.findall(prose(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} links {link}"
        assert ROOT in target.parents, f"{page.name} links {link} outside the repository"
        assert not anchor or anchor in anchors(target), f"{page.name} links {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    missing = [name for name in named_files(page) if not (ROOT / name).exists()]
    assert missing == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in links(index)}
    assert {page for page in PAGES if page != index} <= linked


def test_every_picture_is_shown() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    files = (ROOT / "docs").iterdir()
    assert {file for file in files if file.suffix in (".png", ".jpg", ".svg")} <= shown


def test_anchors_are_githubs() -> None:
    """The check itself, on a heading with code, a comma and an apostrophe."""
    training = anchors(ROOT / "docs" / "training.md")
    assert {"several-gpus-several-machines", "what-the-papers-run-needs"} <= training
