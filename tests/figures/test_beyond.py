"""The figure of what lies beyond the paper shows what evaluations there found."""

import pytest
from support.recorded_runs import record

from ntm_repro.figures import drawer
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled


def draw(evidence):
    with styled():
        return drawer("beyond")(RunStore(evidence, load=None))


def panel(figure, task):
    (found,) = (axes for axes in figure.axes if axes.get_title(loc="left").startswith(task))
    return found


def dots(axes):
    """What seeds and medians are drawn at, [(x, [y, …]), …] in the order of drawing."""
    return [(line.get_xdata()[0], list(line.get_ydata())) for line in axes.lines]


def test_every_seed_and_the_median(tmp_path):
    for seed, bits in enumerate((16.0, 0.0, 64.0), start=1):
        record(tmp_path, "priority_sort", "ntm", seed, [1.0], beyond={(20, 16): bits, (40, 32): 2 * bits})
    axes = panel(draw(tmp_path), "priority sort")
    # Wrong bits are half of those bits, of 8 · 16 and of 8 · 32.
    each = [6.25, 0.0, 25.0]
    assert dots(axes) == [(-0.2, each), (-0.2, [6.25]), (0.8, each), (0.8, [6.25])]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["20\n× 16", "40\n× 32"]


def test_what_seeds_were_not_tested_on_has_no_dot(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [1.0], beyond={120: 1.0, 1000: 1.0})
    record(tmp_path, "copy", "lstm", 1, [1.0], beyond={120: 1.0})
    record(tmp_path, "copy", "ntm", 2, [1.0], grid={120: 1.0})
    axes = panel(draw(tmp_path), "copy")
    assert dots(axes) == [(-0.2, [75]), (-0.2, [75]), (0.8, [75]), (0.8, [75]), (0.2, [75]), (0.2, [75])]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["120", "1,000"]


def test_ngrams_are_measured_by_the_distance_from_the_optimum(tmp_path):
    record(tmp_path, "dynamic_ngrams", "ntm_ff", 1, [8.0], optimum=[1.0], beyond={500: 8.0})
    axes = panel(draw(tmp_path), "dynamic N-grams")
    assert dots(axes)[0] == (0.0, [pytest.approx(100 * (8.0 - 2.0) / 500)])


def test_without_any_run_it_says_so(tmp_path):
    figure = draw(tmp_path)
    assert all(axes.texts[0].get_text() == "not tested yet" for axes in figure.axes[:5])


def test_what_was_not_trained_to_the_end_is_noted(tmp_path):
    record(tmp_path, "copy", "ntm_ff", 2, [1.0], planned=5_000, beyond={120: 1.0})
    notes = draw(tmp_path)._supxlabel.get_text().splitlines()
    assert notes[0].endswith("At least 50 sequences for each dot.")
    assert notes[1] == "copy, NTM-FF, seed 2: 1,000 of 5,000 sequences so far"
