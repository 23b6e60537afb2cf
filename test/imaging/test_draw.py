"""Pictures for people."""

import numpy as np
import pytest

from ainet_core.imaging.draw import (
    OURS,
    TRUTH,
    contact_sheet,
    draw_target,
    paint_thermal,
    side_by_side,
)

GREY = np.full((120, 160, 3), 90, np.uint8)


def count(picture, color):
    """Pixels of about this colour."""
    return int((np.abs(picture.astype(int) - color).max(axis=-1) < 40).sum())


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((8, 8, 4)), None],
)
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(ValueError, match=r"image must be \(H, W, 3\) uint8"):
        draw_target(image, (1, 1, 4, 4))


def test_no_camera_and_no_pictures_are_refused():
    with pytest.raises(ValueError, match="got neither"):
        side_by_side(None, None)
    with pytest.raises(ValueError, match="got 0 pictures"):
        contact_sheet([])
    with pytest.raises(ValueError, match="columns 0"):
        contact_sheet([GREY], columns=0)


def test_a_box_is_drawn_on_a_copy():
    before = GREY.copy()
    picture = draw_target(GREY, (40, 30, 50, 60), "target")
    assert np.array_equal(before, GREY)
    assert count(picture, OURS) > 100
    ys, xs = np.nonzero((picture != GREY).any(axis=2))
    assert 36 <= xs.min() <= 40
    assert ys.max() <= 94
    assert np.array_equal(picture[50:70, 55:75], GREY[50:70, 55:75])  # nothing inside


@pytest.mark.parametrize(
    "box", [None, [np.nan] * 4, (5, 5, 0, 0), (0, 0, -3, 4), (1e12, 5, np.inf, 4)]
)
def test_no_target_no_box(box):
    assert np.array_equal(draw_target(GREY, box, "lost"), GREY)


@pytest.mark.parametrize(
    "box", [(-30, -30, 60, 60), (140, 100, 90, 90), (1e9, 1e9, 5, 5), (0, 0, 1e7, 1e7)]
)
def test_boxes_over_the_edge_are_harmless(box):
    assert draw_target(GREY, box, "a long label that is wider than the image").shape == GREY.shape


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_thermal_images_of_any_depth_are_coloured(dtype):
    ramp = np.linspace(0, 250, 64 * 64).reshape(64, 64).astype(dtype)
    painted = paint_thermal(ramp)
    assert painted.shape == (64, 64, 3)
    assert painted[-1].sum() > painted[0].sum()
    assert painted[48, 32, 0] > painted[48, 32, 2]  # hot is red rather than blue: RGB order


def test_both_cameras_and_both_boxes():
    thermal = np.zeros((60, 80), np.uint16)  # another size, the same field
    caption = ("tracking", "score 0.87")
    box, truth = (40, 30, 50, 60), (70, 40, 50, 60)
    picture = side_by_side(GREY, thermal, box, truth, caption, "target")
    assert picture.shape[1] == 320
    assert picture.shape[0] > 120
    for panel in (picture[:120, :160], picture[:120, 160:]):
        assert count(panel, OURS) > 60
        assert count(panel, TRUTH) > 20
    assert not np.array_equal(
        picture, side_by_side(GREY, thermal, box, truth, ("lost",), "target")
    )


def test_a_silent_camera_has_a_dark_panel_without_boxes():
    thermal = np.zeros((120, 160), np.uint8)
    for images, silent in (
        ((GREY, None), np.s_[:120, 160:]),
        ((None, thermal), np.s_[:120, :160]),
    ):
        picture = side_by_side(*images, (40, 30, 50, 60))
        assert picture.shape[1] == 320
        assert count(picture[silent], OURS) == 0
        assert picture[silent].max() < 200


def test_a_sheet_has_rows_and_columns():
    pictures = [np.full((60, 80, 3), 20 * index, np.uint8) for index in range(1, 6)]
    sheet = contact_sheet(pictures, columns=2, width=206, gap=2)
    assert sheet.shape == (2 + 3 * (75 + 2), 206, 3)
    assert [int(sheet[40, x, 0]) for x in (50, 150)] == [20, 40]
    assert int(sheet[190, 50, 0]) == 100
    assert sheet[190, 150, 0] < 20  # the last cell is empty


def test_pictures_of_other_shapes_are_scaled():
    sheet = contact_sheet([GREY, np.full((30, 30, 3), 200, np.uint8)], columns=2, width=400)
    assert (sheet[50:60, 220:380] == 200).all()
