"""The stem in C: what it refuses, and that its maps are the stem's."""

from __future__ import annotations

import pytest
import torch
from scan_cases import fresh_seed

from ainet_core.model.packed_stem import PackedStem
from ainet_core.model.selective_scan import native
from ainet_core.model.stem import ConvolutionStem

LIBRARY = native.load()
compiled = pytest.mark.skipif(isinstance(LIBRARY, str), reason=str(LIBRARY))


@compiled
@pytest.mark.parametrize(
    "shape", [(1, 3, 96, 80), (1, 3, 40, 40), (1, 1, 96, 96), (1, 3, 104, 104)], ids=str
)
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    packed = PackedStem(ConvolutionStem())
    with pytest.raises(ValueError, match=r"expected \(B, 3, S, S\) with S a multiple of 16, got"):
        packed(torch.zeros(shape))


def test_without_the_compiled_code_it_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "load", lambda: "not compiled")
    with pytest.raises(RuntimeError, match="not compiled"):
        PackedStem(ConvolutionStem())


@compiled
def test_no_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = PackedStem(ConvolutionStem())

    class Library:
        scan_stem = staticmethod(lambda problem: 1)

    class Native:
        library, fresh, openmp = Library, staticmethod(torch.empty), False

    packed._native = Native  # type: ignore[assignment]
    with pytest.raises(MemoryError):
        packed(torch.zeros(1, 3, 16, 16))


@compiled
@pytest.mark.parametrize("level", native.LEVELS)
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("images", "size"), [(2, 192), (1, 192), (2, 96), (5, 64), (1, 256), (3, 16), (0, 32)]
)
def test_maps_are_those_of_the_stem(level: str, threads: int, images: int, size: int) -> None:
    assert not isinstance(LIBRARY, str)
    if native.LEVELS.index(level) > LIBRARY.best_level:
        pytest.skip(f"this processor has no {level}")
    torch.manual_seed(fresh_seed())
    stem, before = ConvolutionStem().eval(), torch.get_num_threads()
    image = 2 * torch.randn(images, 3, size, size)
    packed = PackedStem(stem, level=level)
    with torch.inference_mode():
        try:
            torch.set_num_threads(threads)
            maps = packed(image)
        finally:
            torch.set_num_threads(before)
        right = stem.double()(image.double())
    for got, wanted in zip(maps, right, strict=True):
        assert got.shape == wanted.shape
        assert got.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(got.double(), wanted, rtol=1e-5, atol=1e-5)


@compiled
def test_weights_are_copied() -> None:
    torch.manual_seed(fresh_seed())
    stem, image = ConvolutionStem(), torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        packed = PackedStem(stem)
        before = packed(image)
        for weight in stem.parameters():
            weight.zero_()
        del stem
        after = packed(image)
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)
