"""The page: what is refused, its figures, that it stands alone, that names cannot break it."""

from __future__ import annotations

import base64
import builtins
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from ainet_core.data.sequence import ArrayFrames, Sequence
from ainet_core.evaluation.film_strip import film_strip, spread
from ainet_core.evaluation.protocol import PROTOCOLS
from ainet_core.evaluation.report import protocol_words, write_report
from ainet_core.evaluation.scoring import Evaluation, TrackResult, score_sequence

SEED = 7
NASTY = '<script>alert("x")</script>&$a_1$'


class Page(HTMLParser):
    """Tables by id as rows of text, and every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._rows: list[list[str]] | None = None
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self._rows = self.tables.setdefault(dict(attrs)["id"] or "", [])
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in ("td", "th") and self._rows is not None:
            self._rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False
        if tag == "table":
            self._rows = None

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._cell and self._rows:
            self._rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def rows(self, table: str) -> dict[str, dict[str, str]]:
        """Row by name, cell by column."""
        head, *rows = self.tables[table]
        return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def sequence(name: str, group: str, rng: np.random.Generator, thermal: bool = True) -> Sequence:
    count = 40
    path = 60 + np.cumsum(rng.normal(0, 2, (count, 2)), axis=0)
    boxes = np.hstack([path, np.full((count, 2), 24.0)])
    rgb = ArrayFrames([rng.integers(0, 255, (120, 160, 3), np.uint8)] * count)
    infrared = ArrayFrames([rng.integers(0, 255, (60, 80), np.uint8)] * count)
    attributes = ("PO", "LI") if group == "day" else ("PO",)
    return Sequence(name, rgb, infrared if thermal else None, boxes, 30.0, group, None, attributes)


def track(sequences: list[Sequence], noise: float, rng: np.random.Generator):
    """Results of a tracker that is off by so many pixels."""
    results = {}
    for s in sequences:
        boxes = s.groundtruth.copy()
        boxes[:, :2] += rng.normal(0, noise, (len(boxes), 2))
        scores, seconds = rng.uniform(0, 1, len(boxes)), np.full(len(boxes), 0.02)
        results[s.name] = TrackResult(boxes, scores, seconds)
    return results


def evaluate(name: str, sequences: list[Sequence], results, **run: object) -> Evaluation:
    protocol = PROTOCOLS["folder"]
    scored = tuple(score_sequence(results[s.name], s.truth, protocol) for s in sequences)
    return Evaluation(name, protocol, scored, dict(run))


@pytest.fixture(scope="module")
def world():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    sequences = [sequence(f"day{n}", "day", rng) for n in range(6)]
    sequences += [sequence(NASTY, "night", rng, thermal=False)]
    noises = {"ours": 4.0, "static": 12.0, "ours@no-thermal": 9.0}
    results = {name: track(sequences, noise, rng) for name, noise in noises.items()}
    evaluations = [
        evaluate(name, sequences, found, command="ainet eval run", versions={"numpy": "2.0"},
                 weights="ab12", machine="x86_64, 2 cores")
        for name, found in results.items()
    ]  # fmt: skip
    boxes = {t: {n: r.boxes for n, r in found.items()} for t, found in results.items()}
    return {s.name: s for s in sequences}, evaluations, boxes


@pytest.fixture(scope="module")
def text(world, tmp_path_factory: pytest.TempPathFactory) -> str:
    sequences, evaluations, boxes = world
    path = tmp_path_factory.mktemp("report") / "deeper" / "report.html"
    old = evaluate("ours", list(sequences.values()),
                   {n: TrackResult(b) for n, b in boxes["static"].items()})  # fmt: skip
    write_report(evaluations, path, sequences=sequences, boxes=boxes, baseline=[old],
                 command=f"ainet eval report {NASTY}")  # fmt: skip
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_nothing_twins_and_several_protocols_are_refused(world, tmp_path: Path) -> None:
    ours = world[1][0]
    with pytest.raises(ValueError, match="at least one tracker, got none"):
        write_report([], tmp_path / "r.html")
    with pytest.raises(ValueError, match="different names, got 'ours' twice"):
        write_report([ours, ours], tmp_path / "r.html")
    other = replace(ours, tracker="other", protocol=PROTOCOLS["lasher"])
    with pytest.raises(ValueError, match="one protocol for all trackers, got folder, lasher"):
        write_report([ours, other], tmp_path / "r.html")
    assert not list(tmp_path.iterdir())


def test_a_baseline_that_fits_nothing_is_refused(world, tmp_path: Path) -> None:
    _, (ours, static, _), _ = world
    stranger = replace(ours, tracker="stranger")
    with pytest.raises(ValueError, match="nothing to compare: expected one of ours, static,"):
        write_report([ours, static], tmp_path / "r.html", baseline=[stranger])


@pytest.mark.parametrize("lacking", ["jinja2", "matplotlib"])
def test_a_missing_library_is_named(world, tmp_path: Path, monkeypatch, lacking: str) -> None:
    ask = builtins.__import__

    def refuse(name: str, *rest: object):
        if name.split(".")[0] == lacking:
            raise ModuleNotFoundError(f"No module named {lacking!r}", name=lacking)
        return ask(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ValueError, match=rf"{lacking}: pip install ainet_ros\[evaluation\]"):
        write_report(world[1], tmp_path / "r.html")


def test_boxes_of_another_count_are_refused(world) -> None:
    one = world[0]["day0"]
    with pytest.raises(ValueError, match="day0: expected 40 boxes x, y, w, h, got shape"):
        film_strip(one, one.groundtruth[:-1])
    with pytest.raises(ValueError, match="expected 40 boxes"):
        film_strip(one, one.groundtruth, peer=one.groundtruth[:-1])


def test_tables_have_the_figures(world, page: Page) -> None:
    _, (ours, static, degraded), _ = world
    rows = page.rows("trackers")
    assert set(rows) == {"ours", "static"}
    for e in (ours, static):
        mean = e.mean()
        row = rows[e.tracker]
        assert row["SR"] == f"{100 * mean.success:.1f}"
        assert row["PR"] == f"{100 * mean.precision:.1f}"
        assert row["NPR"] == f"{100 * mean.normalized_precision:.1f}"
        assert row["lost"] == f"{mean.failures:.1f}"
        assert row["to failure"] == f"{mean.frames_to_failure:.0f}"
        assert row["score AUC"] == f"{mean.separation:.2f}".replace("nan", "-")
        assert (row["ms, median"], row["frames/s"], row["sequences"]) == ("20.0", "50", "7")
        worst = min(e.groups().items(), key=lambda item: item[1].success)
        assert row["worst group"] == f"{worst[0]} {100 * worst[1].success:.1f}"
        for name, figures in e.groups().items():
            assert page.rows("group")[name][f"{e.tracker} SR"] == f"{100 * figures.success:.1f}"
        for name, figures in e.attributes().items():
            shown = page.rows("attribute")[name]
            assert shown[f"{e.tracker} PR"] == f"{100 * figures.precision:.1f}"
            assert shown["sequences"] == str(figures.sequences)
        for s in e.sequences:
            shown = page.rows("sequence")[s.name]
            assert shown[f"{e.tracker} SR"] == f"{100 * s.success:.1f}"
            assert (shown["group"], shown["frames"]) == (s.group, str(s.frames))
    cost = page.rows("cost")["ours"]
    assert cost["condition"] == "no-thermal"
    change = 100 * (degraded.mean().success - ours.mean().success)
    assert cost["difference"] == f"{change:+.1f}"


def test_the_comparison_is_shown(page: Page) -> None:
    row = page.tables["difference-0"][1]
    assert row[:3] == ["all sequences", "SR", "7"]
    assert row[-1] == "better"
    assert "only one of the runs has them: static." in page.words


def test_legends_and_descriptions_have_the_figures(world, text: str) -> None:
    for e in world[1][:2]:
        words = f"{e.tracker}: SR {100 * e.mean().success:.1f}"
        assert text.count(words) >= 2  # in the plot, and for those who cannot see it


def test_two_truths_are_called_by_their_names(world, tmp_path: Path) -> None:
    two = replace(world[1][0], protocol=PROTOCOLS["vtuav"])
    write_report([two], tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text())
    assert {"MSR", "MPR", "MNPR"} <= set(page.tables["trackers"][0])
    assert "ours MSR" in page.tables["group"][0]


def test_trackers_with_other_sequences_are_compared_on_shared_ones(world, tmp_path: Path) -> None:
    _, (ours, static, _), _ = world
    fewer = replace(static, sequences=static.sequences[:3])
    write_report([ours, fewer], tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text())
    assert "Not every tracker has the same sequences" in page.words
    shared = replace(ours, sequences=ours.sequences[:3]).mean().success
    assert page.rows("trackers")["ours"]["SR, shared"] == f"{100 * shared:.1f}"
    assert page.rows("sequence")["day5"]["static SR"] == "-"


def test_the_page_stands_alone(text: str, page: Page) -> None:
    assert len(text) < 5e6
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "base"), tag
        for name in ("src", "href", "xlink:href", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    assert not re.search(r"url\((?!#)|@import", text)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert addresses <= names  # of XML's vocabularies: nothing is fetched


def test_names_are_words_never_markup(text: str, page: Page) -> None:
    assert len(page.all("script")) == 1
    assert "<script>alert" not in text
    assert NASTY in page.rows("sequence")
    assert NASTY in page.words


def test_a_trackers_name_may_be_anything(world, tmp_path: Path) -> None:
    strange = replace(world[1][0], tracker=f"_{NASTY}")
    write_report([strange], tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert len(Page(text).all("script")) == 1
    assert f"_{NASTY}: SR" in Page(text).words


def test_ids_are_unique_and_tables_can_be_sorted(text: str, page: Page) -> None:
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a.get("class") == "sortable" for a in page.all("table"))
    assert len(page.all("caption")) == len(page.all("table"))
    heads = sum(len(rows[0]) for rows in page.tables.values())
    assert len([a for a in page.all("button") if a.get("type") == "button"]) == heads
    cells = [a for a in page.all("td") + page.all("th") if a.get("scope") != "col"]
    assert all("data-value" in a for a in cells)
    assert page.all("html")[0] == {"lang": "en"}
    assert 'setAttribute("aria-sort"' in text


def test_film_strips_are_pictures_of_the_worst(world, page: Page) -> None:
    images = page.all("img")
    assert len(images) == 7
    worst = min(world[1][0].sequences, key=lambda s: s.success)
    assert (images[0]["alt"] or "").startswith(worst.name)
    for image in images:
        assert image["alt"]
        kind, data = (image["src"] or "").split(",")
        assert kind == "data:image/jpeg;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[1] > 3 * picture.shape[0]
    both = film_strip(world[0]["day0"], world[0]["day0"].groundtruth)
    one = film_strip(world[0][NASTY], world[0][NASTY].groundtruth)
    heights = [cv2.imdecode(np.frombuffer(d, np.uint8), 1).shape[0] for d in (both, one)]
    assert heights[0] > 2 * heights[1] > 0


def test_boxes_lie_where_they_are_in_both_cameras() -> None:
    """A bright square on black; the truth is around it, ours is not drawn (no area)."""
    rgb = np.zeros((120, 160, 3), np.uint8)
    rgb[50:70, 80:100] = 255
    thermal = np.ascontiguousarray(rgb[::2, ::2, 0])
    truth = np.array([[80, 50, 20, 20.0]])
    s = Sequence("square", ArrayFrames([rgb]), ArrayFrames([thermal]), truth)
    data = np.frombuffer(film_strip(s, np.zeros((1, 4))), np.uint8)
    strip = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    for half in (strip[:180], strip[-180:]):
        amber = (np.abs(half - (255, 176, 0)).max(axis=2) < 70)
        bright = half.sum(axis=2) > 3 * 215
        assert bright.any()
        for found in (amber, bright):
            ys, xs = np.nonzero(found[20:])
            assert abs(xs.mean() - 119.5) < 4
            assert abs(ys.mean() + 20 - 89.5) < 4


def test_frames_are_spread_from_first_to_last() -> None:
    assert spread(100, 8)[0] == 0
    assert spread(100, 8)[-1] == 99
    assert len(spread(100, 8)) == 8
    assert spread(3, 8) == [0, 1, 2]
    assert spread(1, 8) == [0]


def test_what_is_lacking_is_said(world, tmp_path: Path) -> None:
    bare = Evaluation("raw", world[1][0].protocol, world[1][0].sequences[:1])
    write_report([bare], tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text())
    assert "no film strips: the images were not at hand" in page.words
    assert "Nothing is known about how these results were made" in page.words
    write_report([bare], tmp_path / "r.html", sequences=world[0], boxes={})
    assert "the boxes of raw were not at hand" in (tmp_path / "r.html").read_text()


def test_what_made_it_is_said(page: Page) -> None:
    for words in ("ainet eval run", "numpy 2.0", "ab12", "x86_64, 2 cores"):
        assert words in page.words


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_every_protocol_has_words(name: str) -> None:
    words = " ".join(protocol_words(PROTOCOLS[name]))
    assert f"{PROTOCOLS[name].pixels:g} pixels" in words
    assert ("weigh as many frames" in words) == (name == "gtot")


def test_a_strip_shows_the_peer_too(world) -> None:
    one = world[0]["day0"]
    plain, both = (
        cv2.imdecode(np.frombuffer(film_strip(one, one.groundtruth, peer=peer), np.uint8), 1)
        for peer in (None, one.groundtruth + (6, 4, 0, 0))
    )
    assert plain.shape == both.shape
    assert (np.abs(plain.astype(int) - both).max(axis=2) > 60).sum() > 100
