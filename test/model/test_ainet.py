"""The paper's facts about the whole network."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from fake_cuda import fake_cuda
from networks import SMALL, images, small_network, wake

from ainet_core.model.ainet import AINet
from ainet_core.model.config import preset_config


def test_ofm_of_base_sees_3840_tokens() -> None:
    config = preset_config("base")
    with torch.device("meta"):
        network = AINet(config).eval()
        template, search = torch.empty(2, 1, 3, 128, 128), torch.empty(2, 1, 3, 256, 256)
        encoded = network.encode_template(template, torch.empty(1, 2))
        features = network.encode(encoded, search)
    assert sum(x.shape[1] for x in features) == 3840
    assert len(features) == 12


def test_both_cameras_go_through_the_same_parameters() -> None:
    """Cameras swapped in front, features swapped behind: there is one encoder, not two."""
    network = small_network(dfm=False, ofm=False)
    template, search, extent = images(SMALL, 2)
    seen: list[torch.Tensor] = []
    network.blocks[-1].register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        network(template, search, extent)
        network(template.flip(0), search.flip(0), extent)
    as_given, swapped = (x.unflatten(0, (2, 2)) for x in seen)
    torch.testing.assert_close(as_given.flip(0), swapped)


def test_fresh_dfm_changes_nothing() -> None:
    with_dfm, without = small_network(), small_network(dfm=False)
    without.load_state_dict(with_dfm.state_dict(), strict=False)
    template, search, extent = images(SMALL, 2)
    with torch.no_grad():
        a = with_dfm.encode(with_dfm.encode_template(template, extent), search)
        b = without.encode(without.encode_template(template, extent), search)
    for x, y in zip(a, b, strict=True):
        assert torch.equal(x, y)


def test_fresh_ofm_is_the_norm_of_the_sum_of_layers() -> None:
    network = small_network()
    template, search, extent = images(SMALL, 2)
    seen: list[torch.Tensor] = []
    network.norm.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        network(template, search, extent)
        features = network.encode(network.encode_template(template, extent), search)
    torch.testing.assert_close(seen[0], network.norm(torch.stack(features).sum(0)))


def test_baseline_with_equal_cameras_is_the_plain_encoder() -> None:
    network = small_network(dfm=False, ofm=False)
    template, search, extent = images(SMALL, 2, cameras=1)
    seen: list[torch.Tensor] = []
    network.norm.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        network(template.expand(2, -1, -1, -1, -1), search.expand(2, -1, -1, -1, -1), extent)
        x = torch.cat(
            [
                network.patch_embed(template[0]) + network.template_position,
                network.patch_embed(search[0]) + network.search_position,
            ],
            dim=1,
        )
        for block in network.blocks:
            x = block(x)
    torch.testing.assert_close(seen[0], network.norm(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("compensation", ["self", "cross", "differential"])
def test_a_silent_camera_equals_a_copy_of_the_other(compensation: str) -> None:
    network = wake(small_network(compensation=compensation))
    template, search, extent = images(SMALL, 2, cameras=1)
    with torch.no_grad():
        alone = network(template, search, extent)
        doubled = network(
            template.expand(2, -1, -1, -1, -1), search.expand(2, -1, -1, -1, -1), extent
        )
    torch.testing.assert_close(alone.score_logits, doubled.score_logits)
    torch.testing.assert_close(alone.size, doubled.size)


@pytest.mark.parametrize("preset", ["small_network", "nano"])
def test_a_batch_of_two_equals_two_batches_of_one(preset: str) -> None:
    torch.manual_seed(0)
    network = small_network() if preset == "small_network" else AINet(preset_config("nano")).eval()
    wake(network)
    template, search, extent = images(network.config, 2)
    with torch.no_grad():
        both = network(template, search, extent)
        for i in range(2):
            one = network(template[:, i : i + 1], search[:, i : i + 1], extent[i : i + 1])
            torch.testing.assert_close(
                both.score_logits[i : i + 1], one.score_logits, rtol=1e-3, atol=1e-3
            )
            assert torch.equal(both.order[i], one.order[0])


@pytest.mark.parametrize(("dfm", "ofm"), [(True, True), (True, False), (False, True)])
def test_every_part_learns(dfm: bool, ofm: bool) -> None:
    network = wake(small_network(dfm=dfm, ofm=ofm)).train()
    prediction = network(*images(SMALL, 2))
    loss = prediction.score_logits.square().mean() + prediction.size.mean()
    (loss + prediction.offset.mean()).backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


@pytest.mark.parametrize("preset", ["nano", "tiny"])
def test_whole_network_keeps_to_one_device(preset: str) -> None:
    """A GPU user must not be the first to meet a mixed-device error."""
    config = dataclasses.replace(preset_config(preset), depth=2)
    network = AINet(config).eval()
    with fake_cuda(network):
        template = torch.empty(2, 1, 3, config.template_size, config.template_size)
        search = torch.empty(2, 1, 3, config.search_size, config.search_size)
        prediction = network(template, search, torch.empty(1, 2))
        box = prediction.boxes(prediction.score_logits.flatten(1).argmax(dim=1))
    assert box.device.type == "cuda"
    assert box.shape == (1, 4)
