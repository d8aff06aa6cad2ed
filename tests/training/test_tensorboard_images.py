"""Pictures of sequences: where what is, and in which colour."""

import numpy as np
import pytest

from ntm_repro.training.tensorboard_images import BACKGROUND, GAP, PIXELS, TALLEST, coloured, stacked

DARK, MIDDLE, BRIGHT = (68, 1, 84), (33, 145, 140), (253, 231, 37)


def colour_at(picture, row, column):
    """The colour of a square, which must be of one colour."""
    square = picture[row * PIXELS : (row + 1) * PIXELS, column * PIXELS : (column + 1) * PIXELS]
    assert square.shape == (PIXELS, PIXELS, 3)
    assert (square == square[0, 0]).all()
    return tuple(square[0, 0].tolist())


def test_a_square_for_each_entry_time_to_the_right_and_channel_0_at_the_top():
    values_TC = np.zeros((5, 3), np.float32)
    values_TC[4, 1] = 1
    picture = coloured(values_TC)
    assert picture.shape == (3 * PIXELS, 5 * PIXELS, 3)
    assert picture.dtype == np.uint8
    for t in range(5):
        for c in range(3):
            assert colour_at(picture, c, t) == (BRIGHT if (t, c) == (4, 1) else DARK)


@pytest.mark.parametrize(
    ("value", "colour"),
    [(0, DARK), (1, BRIGHT), (0.5, MIDDLE), (-3, DARK), (7, BRIGHT), (-np.inf, DARK), (np.inf, BRIGHT), (np.nan, DARK)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_colour_of_a_value(value, colour, dtype):
    assert colour_at(coloured(np.array([[value]], dtype)), 0, 0) == colour


def test_between_two_colours_of_the_ramp_it_is_a_straight_line():
    # A quarter of the way from (68, 1, 84) to (59, 82, 139), at 1/16 of the whole ramp.
    assert colour_at(coloured(np.array([[1 / 16]])), 0, 0) == (66, 21, 98)


def test_brighter_means_more():
    picture = coloured(np.linspace(0, 1, 50)[:, None])
    brightness = picture[0, ::PIXELS].astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) > 0).all()


@pytest.mark.parametrize(("channels", "height"), [(66, 6), (67, 5), (128, 3), (400, 1), (1_024, 1)])
def test_a_panel_of_many_channels_is_no_taller_than_a_screen(channels, height):
    """Unless even one pixel each is too much: then none is left out."""
    values_TC = np.zeros((2, channels))
    values_TC[1, -1] = 1
    picture = coloured(values_TC)
    assert picture.shape == (channels * height, 2 * PIXELS, 3)
    assert height == 1 or len(picture) <= TALLEST == 400
    bright_YX = (picture == BRIGHT).all(-1)
    assert bright_YX[-height:, PIXELS:].all()
    assert bright_YX.sum() == height * PIXELS


def test_the_values_are_left_alone():
    values_TC = np.array([[np.nan, -1.0, 2.0]])
    coloured(values_TC)
    assert np.array_equal(values_TC, [[np.nan, -1.0, 2.0]], equal_nan=True)


def test_panels_lie_under_one_another_with_a_gap_between():
    panels_TC = [np.zeros((4, 2)), np.ones((4, 3)), np.full((4, 1), 0.5)]
    picture = stacked(panels_TC)
    assert picture.dtype == np.uint8
    assert picture.shape == (6 * PIXELS + 2 * GAP, 4 * PIXELS, 3)
    top = 0
    for i, panel_TC in enumerate(panels_TC):
        height = panel_TC.shape[1] * PIXELS
        assert np.array_equal(picture[top : top + height], coloured(panel_TC))
        gap = picture[top + height : top + height + GAP]
        assert len(gap) == (GAP if i < 2 else 0)
        assert (gap == BACKGROUND).all()
        top += height + GAP


def test_one_panel_alone_has_no_gap():
    panel_TC = np.eye(3)
    assert np.array_equal(stacked([panel_TC]), coloured(panel_TC))
