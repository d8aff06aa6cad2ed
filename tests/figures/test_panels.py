"""What the figures of sequences and memory share."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from support.untrained import record, sources

from ntm_repro.figures import panels


def test_places_are_inches_from_the_upper_left_corner():
    sheet = panels.sheet(8, 4)
    box = sheet.axes(1, 0.5, 2, 3).get_position()
    np.testing.assert_allclose([box.x0, box.y0, box.x1, box.y1], [1 / 8, 0.5 / 4, 3 / 8, 3.5 / 4])


def test_a_step_is_at_its_number_and_a_channel_at_its_row():
    image = panels.matrix(Figure().subplots(), np.zeros((4, 3)), first=10)
    assert image.get_extent() == [9.5, 13.5, 2.5, -0.5]
    assert image.get_clim() == (0, 1)
    assert panels.matrix(Figure().subplots(), np.zeros((4, 3)), limit=2.5).get_clim() == (-2.5, 2.5)


def test_the_limit_holds_all_but_a_hundredth():
    values = np.linspace(-1, 1, 999).reshape(-1, 1)
    values[0] = 50
    assert panels.limit_of(values) == 1
    assert panels.limit_of(np.zeros((3, 2))) == 0.1


@pytest.mark.parametrize("shown", [1, 9, 10, 22, 100, 128, 1024])
def test_locations_are_labelled_by_their_numbers(shown):
    axes = Figure().subplots()
    row_N = (1020 + np.arange(shown)) % 1024
    panels.name_locations(axes, row_N)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert 1 <= len(labels) <= 9
    assert labels == [str(row_N[int(place)]) for place in axes.get_yticks()]


def test_channels_are_named_group_by_group():
    axes = Figure().subplots()
    panels.name_channels(axes, {"bits": 8, "start": 1, "end": 1})
    assert axes.get_yticks().tolist() == [3.5, 8, 9]


def test_what_is_missing_is_said_with_the_command(tmp_path):
    nothing = sources(tmp_path)
    assert "not run yet:\nmake reproduce TASKS=copy MODELS=lstm" in panels.absence(nothing, "copy", "lstm")
    record(tmp_path, "copy", "ntm", seed=3, weights=False, planned=9_000)
    assert "2,000 of 9,000 sequences so far:\nmake" in panels.absence(nothing, "copy", "ntm")
    record(tmp_path, "copy", "ntm_ff", weights=False)
    said = panels.absence(nothing, "copy", "ntm_ff")
    assert "no trained weights" in said
    assert "make reproduce TASKS=copy MODELS=ntm_ff" in said


def test_provenance_says_whose_answers_these_are(tmp_path):
    evidence = sources(tmp_path, ("copy", "ntm"))
    said = panels.provenance(evidence.trained("copy", "ntm"))
    assert said == "NTM, LSTM controller, seed 1, after 2,000 training sequences"
    record(tmp_path, "copy", "ntm_ff", planned=9_000)
    assert "after 2,000 of 9,000 training sequences" in panels.provenance(evidence.trained("copy", "ntm_ff"))
