"""The figure of every seed's learning curve: points, medians, one panel a pair."""

from support.recorded_runs import record

from ntm_repro.evidence.runs import find
from ntm_repro.figures import drawer, seed_curves
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled


def draw(evidence):
    with styled():
        return drawer("seeds")(RunStore(evidence, load=None))


def test_a_curve_is_its_rows_and_no_lower_than_the_panel(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [9.0, 0.5, 0.0])
    record(tmp_path, "dynamic_ngrams", "ntm", 1, [140.0, 133.5], optimum=[133.0, 133.0])
    assert seed_curves.curve(*find(tmp_path, "copy", "ntm")) == [(1_000, 9.0), (2_000, 0.5), (3_000, 1e-3)]
    assert seed_curves.curve(*find(tmp_path, "dynamic_ngrams", "ntm")) == [(1_000, 7.0), (2_000, 0.5)]


def test_the_median_ends_where_fewer_than_half_go_on():
    curves = [[(1, 5.0), (2, 3.0), (3, 1.0)], [(1, 4.0), (2, 2.0)], [(1, 9.0)]]
    assert seed_curves.median(curves) == [(1, 5.0), (2, 2.5)]
    assert seed_curves.median(curves[:2]) == [(1, 4.5), (2, 2.5), (3, 1.0)]


def test_a_line_each_seed_and_one_for_their_median(tmp_path):
    record(tmp_path / "paper", "copy", "ntm", 1, [9.0, 0.5])
    record(tmp_path / "stable", "copy", "ntm", 1, [8.0, 0.25])
    record(tmp_path / "stable", "copy", "ntm", 2, [6.0, 0.75])
    figure = draw(tmp_path / "paper")
    assert len(figure.axes) == 10
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "copy, NTM-LSTM"
    lines = [
        list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"
    ]
    assert lines == [[9.0, 0.5], [9.0, 0.5], [8.0, 0.25], [6.0, 0.75], [7.0, 0.5]]


def test_without_any_run_the_panels_are_empty(tmp_path):
    for axes in draw(tmp_path / "paper").axes:
        assert [line.get_linestyle() for line in axes.lines] == [":"]
