"""What the prior looks for follows the target, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ainet_core.data.synthetic import random_world
from ainet_core.model.ainet import Template
from ainet_core.tracking.recent_look import RecentLook, Renewal
from ainet_core.tracking.tracker import Tracker, TrackerSettings


@pytest.mark.parametrize(
    ("renewal", "message"),
    [
        ({"share": 1.1}, "share must be 0 to 1, got 1.1"),
        ({"share": float("nan")}, "share must be 0 to 1, got nan"),
        ({"pace": 0.0}, "pace must be above 0 and at most 1, got 0.0"),
        ({"every": 0}, "every must be at least 1, got 0"),
    ],
)
def test_refuses_what_is_no_share(renewal: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Renewal(**renewal)  # type: ignore[arg-type]


def template(value: float, cameras: int = 2) -> Template:
    kernels = (torch.full((cameras, 1, 3, 2, 2), value), torch.full((cameras, 1, 4), value))
    return Template(torch.full((cameras, 1, 5, 6), value), kernels, torch.full((1, 2), 0.5))


def values(look: RecentLook) -> list[float]:
    """Of each camera's kernels."""
    return [float(camera.mean()) for camera in look.template.kernels[0]]


def test_the_first_look_is_never_given_up() -> None:
    look = RecentLook(template(0.0), Renewal(share=0.5, pace=0.3))
    for _ in range(100):
        look.look(template(1.0), [0, 1])
    assert values(look) == pytest.approx([0.5, 0.5])
    assert (look.template.tokens == 0).all()


def test_recent_looks_follow_at_their_pace() -> None:
    look = RecentLook(template(0.0), Renewal(share=0.5, pace=0.3))
    look.look(template(1.0), [0, 1])
    look.look(template(2.0), [0, 1])
    assert values(look) == pytest.approx([0.65, 0.65])


def test_a_silent_camera_keeps_its_look() -> None:
    look = RecentLook(template(0.0), Renewal(share=0.5))
    look.look(template(1.0, cameras=1), [1])
    assert values(look) == pytest.approx([0.0, 0.5])


@pytest.mark.parametrize(("in_front", "expected"), [(True, [4.0, 0.5]), (False, [0.5, 4.0])])
def test_a_camera_joins_with_its_own_look(in_front: bool, expected: list[float]) -> None:
    look = RecentLook(template(0.0, cameras=1), Renewal(share=0.5))
    look.look(template(1.0, cameras=1), [0])
    look.join(template(4.0, cameras=1), in_front)
    assert values(look) == pytest.approx(expected)
    assert look.template.tokens.shape[0] == 2


def test_only_a_certain_target_is_looked_at_and_only_now_and_then() -> None:
    look = RecentLook(template(0.0), Renewal(every=3, above=0.5))
    assert [look.is_due(0.9) for _ in range(6)] == [False, False, True] * 2
    assert not any(look.is_due(0.5) for _ in range(6))
    never = RecentLook(template(0.0), Renewal(share=0))
    assert not any(never.is_due(0.9) for _ in range(6))


def test_a_network_without_a_prior_has_nothing_to_renew() -> None:
    plain = template(0.0)
    look = RecentLook(Template(plain.tokens, (), plain.extent), Renewal())
    assert not any(look.is_due(0.9) for _ in range(10))
    look.join(Template(plain.tokens[:1], (), plain.extent), in_front=True)


def test_it_changes_what_the_tracker_sees() -> None:
    """The same video with and without: equal until the first look, not equal afterwards."""
    world = random_world(5)
    scores = []
    for share in (0.0, 0.5):
        settings = TrackerSettings(renewal=Renewal(share=share, above=0.0))
        tracker = Tracker.from_preset("nano", device="cpu", settings=settings)
        rgb, thermal, box, _ = world.frame(0)
        tracker.init(rgb, thermal, box)
        frames = [world.frame(number)[:2] for number in range(1, 9)]
        scores.append([tracker.update(*frame).score for frame in frames])
    np.testing.assert_allclose(scores[0][:5], scores[1][:5], atol=1e-6)
    assert abs(scores[0][7] - scores[1][7]) > 1e-4
