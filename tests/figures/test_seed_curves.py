"""The figure of every seed's learning curve: points, medians, one panel a pair."""

from support.recorded_runs import record

from ntm_repro.figures import drawer
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled


def draw(evidence):
    with styled():
        return drawer("seeds")(RunStore(evidence, load=None))


def lines(axes):
    """(sequences, bits) of each drawn line but the one of the limit."""
    return [[*zip(*line.get_data(), strict=True)] for line in axes.lines if line.get_linestyle() == "-"]


def test_points_are_rows_no_lower_than_the_panel(tmp_path):
    record(tmp_path / "paper", "copy", "ntm", 1, [9.0, 0.5, 0.0])
    record(tmp_path / "paper", "dynamic_ngrams", "ntm", 1, [140.0, 133.5], optimum=[133.0, 133.0])
    axes = draw(tmp_path / "paper").axes
    assert lines(axes[0]) == 2 * [[(500, 9.0), (1_500, 0.5), (2_500, 1e-3)]]
    assert lines(axes[3]) == 2 * [[(500, 7.0), (1_500, 0.5)]]


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
