"""How the network runs: bfloat16 beside float32, a recorded step beside a plain one.

No CUDA here: a stand-in for a CUDA graph computes anew what it recorded, from the addresses that
it recorded and into them, as a real one does.
"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor

from ainet_core.model.ainet import AINet, Template
from ainet_core.model.config import preset_config
from ainet_core.model.head import Prediction
from ainet_core.tracking.step import WARM_UP, CapturedStep, Precision, make_step
from ainet_core.tracking.tracker import Tracker, TrackerSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> AINet:
    torch.manual_seed(0)
    return AINet(preset_config("nano")).eval().requires_grad_(False)


def test_an_unknown_precision_is_refused(network: AINet) -> None:
    with pytest.raises(ValueError, match="float32 or bfloat16, got 'float16'"):
        make_step(network, CPU, "float16", graph=False)  # type: ignore[arg-type]


def test_bfloat16_is_refused_on_a_cpu() -> None:
    with pytest.raises(ValueError, match="precision bfloat16 needs device cuda, got cpu"):
        Tracker.from_preset("nano", "cpu", TrackerSettings(precision="bfloat16"))


def test_on_a_cpu_there_is_no_graph(network: AINet) -> None:
    assert make_step(network, CPU, "float32", graph=True) == network.track


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_cuda_it_can_be_recorded_or_run_as_it_is(precision: Precision) -> None:
    network, cuda = AINet(preset_config("nano")), torch.device("cuda")
    assert isinstance(make_step(network, cuda, precision, graph=True), CapturedStep)
    assert make_step(network, cuda, precision, graph=False) == network.track
    assert network.narrow == (precision == "bfloat16")


def inputs(network: AINet, cameras: int = 2) -> tuple[Template, Tensor]:
    config = network.config
    shown = torch.randn(cameras, 1, 3, config.template_size, config.template_size)
    with torch.inference_mode():
        template = network.encode_template(shown, torch.tensor([[0.4, 0.6]]))
    return template, torch.randn(cameras, 1, 3, config.search_size, config.search_size)


def test_bfloat16_says_about_the_same(network: AINet) -> None:
    template, images = inputs(network)
    with torch.inference_mode():
        wanted = network.track(template, images)
        narrow = copy.deepcopy(network)
        narrow.narrow_encoder()
        got = narrow.track(template, images)
    assert not torch.equal(got.score_logits, wanted.score_logits), "nothing was narrow"
    assert got.similarity is not None
    assert wanted.similarity is not None
    assert torch.equal(got.similarity, wanted.similarity), "the stem was narrow"
    for name in ("score_logits", "offset", "size"):
        torch.testing.assert_close(
            getattr(got, name), getattr(wanted, name), rtol=0.01, atol=0.01
        )


class FakeGraph:
    """Computes once more, and writes where the recorded results lie."""

    made: list[FakeGraph] = []

    def __init__(self) -> None:
        self.replays = 0
        self.again: Callable[[], Prediction]
        self.results: Prediction
        FakeGraph.made.append(self)

    def replay(self) -> None:
        self.replays += 1
        fresh = self.again()
        for item in fields(fresh):
            old, new = getattr(self.results, item.name), getattr(fresh, item.name)
            if old is not None:
                old.copy_(new)


class FakeStream:
    def wait_stream(self, _: Any) -> None:
        pass


class Recorded:
    """A step that knows whether a graph records it."""

    def __init__(self, step: Callable[..., Prediction]) -> None:
        self.step, self.calls = step, 0
        self.recording: FakeGraph | None = None

    def __call__(self, template: Template, images: Tensor) -> Prediction:
        self.calls += 1
        made = self.step(template, images)
        if self.recording is not None:
            self.recording.again = lambda: self.step(template, images)
            self.recording.results = made
        return made


@pytest.fixture
def recorded(network: AINet, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    step = Recorded(network.track)

    @contextlib.contextmanager
    def graph(made: FakeGraph, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local"
        step.recording = made
        yield
        step.recording = None

    FakeGraph.made = []
    monkeypatch.setattr(torch.cuda, "CUDAGraph", FakeGraph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "Stream", FakeStream)
    monkeypatch.setattr(torch.cuda, "current_stream", FakeStream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: contextlib.nullcontext())
    return step


def test_a_recorded_step_sees_every_new_input(network: AINet, recorded: Recorded) -> None:
    captured = CapturedStep(recorded)
    with torch.inference_mode():
        for _ in range(3):  # another template and other images each time
            template, images = inputs(network)
            wanted, got = network.track(template, images), captured(template, images)
            for item in fields(got):
                torch.testing.assert_close(getattr(got, item.name), getattr(wanted, item.name))
    assert recorded.calls == WARM_UP + 1
    assert [graph.replays for graph in FakeGraph.made] == [3]


def test_inputs_are_left_as_they_were(network: AINet, recorded: Recorded) -> None:
    captured = CapturedStep(recorded)
    first, second = inputs(network), inputs(network)
    with torch.inference_mode():
        before = first[0].tokens.clone(), first[1].clone()
        captured(*first)
        captured(*second)
    assert torch.equal(first[0].tokens, before[0])
    assert torch.equal(first[1], before[1])


def test_one_camera_is_recorded_apart_from_two(network: AINet, recorded: Recorded) -> None:
    captured = CapturedStep(recorded)
    with torch.inference_mode():
        for cameras in (2, 1, 2, 1):
            template, images = inputs(network, cameras)
            wanted = network.track(template, images).score_logits
            torch.testing.assert_close(captured(template, images).score_logits, wanted)
    assert [graph.replays for graph in FakeGraph.made] == [2, 2]


def test_what_cannot_be_recorded_runs_as_it_is_and_is_said_once(
    network: AINet,
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph", refuses)
    captured = CapturedStep(recorded)
    with torch.inference_mode(), caplog.at_level(logging.WARNING):
        for _ in range(3):
            template, images = inputs(network)
            wanted = network.track(template, images).score_logits
            assert torch.equal(captured(template, images).score_logits, wanted)
    assert caplog.text.count("no CUDA graph") == 1
    assert "not permitted" in caplog.text
