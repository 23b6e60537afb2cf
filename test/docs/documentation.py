"""The pages that users read: their commands, their Python, their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "pip_ros" / "README.md",
    ROOT / "ainet_core" / "weights" / "nano.md",
]
PROGRAMS = {
    "ainet", "cd", "export", "fastdds", "git", "make", "mkdir", "pip", "python", "python3",
    "ros2", "rosdep", "rviz2", "ssh", "tensorboard", "torchrun", ".",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block of code: its page, its first line's number, its language ("" where none is said)."""

    page: Path
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One simple command (no `&&`), as it stands on a page; inline: in the running text."""

    page: str
    line: int
    text: str
    inline: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


@cache
def split(page: Path) -> tuple[tuple[Block, ...], str]:
    """A page's blocks of code, and its prose: the page with these blocks blanked."""
    blocks, prose = [], []
    lines = page.read_text().splitlines()
    number = 0
    while number < len(lines):
        fence = re.match(r"^( *)```(\w*)", lines[number])
        if fence:
            end = next(n for n in range(number + 1, len(lines)) if lines[n].strip() == "```")
            body = [line[len(fence[1]) :] for line in lines[number + 1 : end]]
            blocks.append(Block(page, number + 2, fence[2], "\n".join(body)))
            prose += [""] * (end + 1 - number)
            number = end + 1
        elif _starts_indented(lines, number):
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            body = [line.removeprefix("    ") for line in lines[number:end]]
            blocks.append(Block(page, number + 1, "bash", "\n".join(body).rstrip()))
            prose += [""] * (end - number)
            number = end
        else:
            prose.append(lines[number])
            number += 1
    return tuple(blocks), "\n".join(prose)


def _starts_indented(lines: list[str], number: int) -> bool:
    """Four spaces after an empty line: Markdown's plain block, which here is always shell."""
    return lines[number].startswith("    ") and (number == 0 or not lines[number - 1].strip())


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return split(page)[1]


def spans(page: Path) -> Iterator[tuple[int, str]]:
    """Line and text of what stands in backticks in the running text."""
    for paragraph in re.finditer(r"(?:^.*\S.*$\n?)+", prose(page), re.MULTILINE):
        for span in re.finditer(r"(?<!`)`([^`]+)`(?!`)", paragraph[0]):
            start = paragraph.start() + span.start()
            yield prose(page).count("\n", 0, start) + 1, " ".join(span[1].split())


def named_files(page: Path) -> list[str]:
    """Files and folders of the repository that the running text names, as paths from its root."""
    folders = "ainet_core|ainet_ros|bench|config|docs|foxglove|launch|pip_ros|rviz|test"
    file = re.compile(rf"(?:{folders})/[\w./-]*")
    return [span for _, span in spans(page) if file.fullmatch(span)]


def blocks(language: str) -> list[Block]:
    """Every page's blocks in one language."""
    return [block for page in PAGES for block in split(page)[0] if block.language == language]


def commands() -> list[Command]:
    """Every command of every page: in blocks of shell, and in the running text."""
    return [command for page in PAGES for command in _commands(page)]


def _commands(page: Path) -> Iterator[Command]:
    name = str(page.relative_to(ROOT))
    for block in split(page)[0]:
        if block.language in ("bash", "console"):
            for offset, line in _joined(block.text):
                for simple in _simple(line):
                    yield Command(name, block.line + offset, simple)
    for number, span in spans(page):
        if span.split()[0] in PROGRAMS - {"."} and len(span.split()) > 1:
            for simple in _simple(span):
                yield Command(name, number, simple, inline=True)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those that a backslash continues; the offset is the first one's."""
    begun, line = 0, ""
    for offset, part in enumerate(text.splitlines()):
        if not line:
            begun = offset
        line += part.removeprefix("$ ")
        if line.endswith("\\"):
            line = line[:-1]
        elif line.strip():
            yield begun, line
            line = ""


def _simple(line: str) -> list[str]:
    """The commands of one line, without comments and without what precedes and joins them."""
    without_comment = re.sub(r"(^|\s)#.*$", "", line)
    return [part.strip() for part in without_comment.split("&&") if part.strip()]
