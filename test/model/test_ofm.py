"""The order-dynamic fusion: the order is per sample, of whole layers, and it can be learnt."""

from __future__ import annotations

import dataclasses

import torch
from networks import SMALL
from torch import nn

from ainet_core.model import mamba
from ainet_core.model.ofm import OrderDynamicFusion, straight_through_permutation


def make_ofm(**changes: object) -> OrderDynamicFusion:
    torch.manual_seed(0)
    ofm = OrderDynamicFusion(dataclasses.replace(SMALL, **changes)).eval()  # type: ignore[arg-type]
    nn.init.normal_(ofm.project_out.weight, std=0.3)
    nn.init.normal_(ofm.order.fc.weight, std=2.0)
    return ofm


def test_each_sample_has_its_own_order() -> None:
    ofm = make_ofm()
    # Means over tokens that differ from sample to sample, as those of real images do.
    features = [
        torch.randn(16, 20, SMALL.width) + 2 * torch.randn(16, 1, SMALL.width)
        for _ in range(SMALL.depth)
    ]
    _, order = ofm(features)
    assert torch.equal(order.sort(dim=1).values, torch.arange(SMALL.depth).expand(16, -1))
    assert len(order.unique(dim=0)) > 1


def test_the_three_directions_are_one_scan_call(monkeypatch) -> None:
    calls = []
    scan = mamba.selective_scan

    def counted(u, delta, a, b, c, *rest, **options):
        calls.append((u.shape, b.shape))
        return scan(u, delta, a, b, c, *rest, **options)

    monkeypatch.setattr(mamba, "selective_scan", counted)
    make_ofm()([torch.randn(2, 20, SMALL.width) for _ in range(SMALL.depth)])
    length = 20 * SMALL.depth
    assert calls == [((2, 3 * SMALL.inner_width, length), (2, 3, SMALL.state_size, length))]


def test_training_and_tracking_agree() -> None:
    ofm = make_ofm()
    features = [torch.randn(4, 20, SMALL.width) for _ in range(SMALL.depth)]
    tracked, _ = ofm(features)
    trained, _ = ofm.train()(features)
    torch.testing.assert_close(tracked, trained, rtol=1e-4, atol=1e-4)


def test_the_dynamic_scan_meets_whole_layers_in_the_chosen_order() -> None:
    ofm = make_ofm()
    features = [torch.randn(1, 5, SMALL.width) for _ in range(SMALL.depth)]
    seen = []
    ofm.scan.register_forward_hook(lambda *call: seen.append(call[1][0]))
    _, order = ofm(features)
    forward, backward, dynamic = (x.transpose(1, 2) for x in seen[0])  # (1, E, T) each
    assert torch.equal(backward, forward.flip(-1))
    by_layer = forward.unflatten(-1, (SMALL.depth, 5))
    assert torch.equal(dynamic.unflatten(-1, (SMALL.depth, 5)), by_layer[:, :, order[0]])


def test_permutation_is_hard_forward_and_soft_backward() -> None:
    scores = torch.tensor([[0.3, -1.0, 0.9]], requires_grad=True)
    permutation = straight_through_permutation(scores)
    expected = torch.tensor([[[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]])
    torch.testing.assert_close(permutation, expected)
    (permutation[0, 0] * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert scores.grad is not None
    assert scores.grad.abs().sum() > 0


def test_a_toy_where_only_the_order_matters_is_learnt() -> None:
    """Which layer comes last must depend on the input; scores learn it through SoftSort alone."""
    torch.manual_seed(0)
    scorer = nn.Sequential(nn.Linear(4, 16), nn.GELU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(scorer.parameters(), lr=0.01)
    weights = torch.tensor([1.0, 0.5, 0.25, 0.125])  # a scan forgets: position is all that counts
    for _ in range(400):
        layers = torch.randn(64, 4, 4)  # (B, L, C), value in channel 2
        permutation = straight_through_permutation(scorer(layers).squeeze(-1))
        memory = torch.einsum("k,bkl,bl->b", weights, permutation, layers[..., 2])
        loss = -memory.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    layers = torch.randn(512, 4, 4)
    order = scorer(layers).squeeze(-1).argsort(dim=1, descending=True)
    best = layers[..., 2].argsort(dim=1, descending=True)
    assert (order == best).all(dim=1).float().mean() > 0.8


def test_the_order_gets_a_gradient_through_the_whole_module() -> None:
    ofm = make_ofm().train()
    features = [torch.randn(2, 20, SMALL.width) for _ in range(SMALL.depth)]
    y, _ = ofm(features)
    y.square().sum().backward()
    assert ofm.order.fc.weight.grad is not None
    assert ofm.order.fc.weight.grad.abs().sum() > 0
