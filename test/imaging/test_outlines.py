"""Edges of both cameras: the same whichever side is bright, and nothing where nothing is."""

from __future__ import annotations

import cv2
import numpy as np

from ainet_core.imaging.outlines import outlines, planes
from ainet_core.imaging.peaks import peak


def test_flat_images_have_none() -> None:
    assert not outlines(np.full((40, 50), 7, np.uint8)).any()


def test_a_reversed_contrast_is_the_same_edge() -> None:
    image = np.zeros((60, 80), np.uint8)
    cv2.circle(image, (40, 30), 15, 200, -1, cv2.LINE_AA)
    edges = outlines(image)
    assert edges.shape == image.shape
    assert edges.dtype == np.complex64
    np.testing.assert_allclose(outlines(255 - image), edges, atol=1e-4)
    np.testing.assert_allclose(outlines(image.astype(np.float32) * 30 + 400), edges, atol=1e-4)


def test_the_angle_is_twice_the_edges_and_a_lamp_does_not_outweigh_the_street() -> None:
    image = np.zeros((80, 160), np.float32)
    image[:, 40:] += 10  # faint
    image[:, 120:] += 1000  # glaring
    edges = outlines(image)
    assert edges[40, 40].real > 0.5  # across: 0 degrees, twice 0
    assert abs(edges[40, 40].imag) < 1e-4
    assert abs(edges[40, 120]) <= 2.0001
    assert outlines(image.T)[40, 40].real < -0.5  # down: 90 degrees, twice 180
    np.testing.assert_array_equal(planes(edges)[..., 0], edges.real)


def test_a_peak_is_found_between_pixels_and_not_at_the_edge() -> None:
    y, x = np.mgrid[:11, :15]
    surface = -((x - 6.3) ** 2) - (y - 4.8) ** 2
    np.testing.assert_allclose(peak(surface), [6.3, 4.8], atol=1e-6)
    assert np.isnan(peak(-((x - 20.0) ** 2) - (y - 4.0) ** 2)).all()
