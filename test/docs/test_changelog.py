"""What changed is told for the version that is built, and who makes a page is told once."""

from __future__ import annotations

import re

from documentation import PAGES, ROOT, prose

import ainet_core

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_newest_version_is_the_packages() -> None:
    heading = r"^## (\d+\.\d+\.\d+) - (?:unreleased|\d{4}-\d{2}-\d{2})$"
    newest = re.findall(heading, CHANGELOG, re.MULTILINE)
    assert newest[0] == ainet_core.__version__
    assert f'version="{newest[0]}"' in (ROOT / "setup.py").read_text()
    assert f"<version>{newest[0]}</version>" in (ROOT / "package.xml").read_text()


def test_sections_are_those_of_keep_a_changelog() -> None:
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}
    sections = re.findall(r"^### (\w+(?: limits)?)", CHANGELOG, re.MULTILINE)
    assert sections
    assert set(sections) <= kinds


def test_contributing_names_every_page_that_a_bench_writes() -> None:
    made = {page.name for page in PAGES if re.search(r"^Made by", prose(page), re.MULTILINE)}
    table = (ROOT / "CONTRIBUTING.md").read_text().split("## Figures and pages")[1]
    assert made
    assert made <= set(re.findall(r"\(docs/(\w+\.md)\)", table))
