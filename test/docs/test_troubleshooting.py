"""What docs/troubleshooting.md quotes is said by the code."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from documentation import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
ROWS = re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE)
QUOTED = [sentence for row in ROWS for sentence in re.findall(r'"([^"]+)"', row)]


@cache
def said() -> str:
    """All texts in the code, and the texts between the values of f-strings, one a line."""
    texts = []
    for folder in ("ainet_core", "ainet_ros", "pip_ros"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "\0"
                             for part in node.values)  # fmt: skip
                    texts.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
    return "\n".join(texts)


def fragments(sentence: str) -> list[str]:
    """A quoted sentence without its values: numbers, topics, names, what is left out."""
    values = r"\.\.\.|\.venv|/\w+|[+-]?\d+\.\d+|\b\d+\b|\bRELIABILITY\b|\bjazzy\b|\bcuda\b"
    parts = (part.strip(" ;:,") for part in re.split(values, sentence))
    return [part for part in parts if len(part) > 3]


@pytest.mark.parametrize("sentence", QUOTED)
def test_the_code_says_it(sentence: str) -> None:
    for fragment in fragments(sentence):
        assert fragment in said(), fragment


def test_there_is_something_to_test() -> None:
    assert len(QUOTED) > 15
    assert fragments("no image pair for 3 s: ... nothing arrives on /x")[0] == "no image pair for"
