"""Learning curves show what the runs recorded: their data read back from the lines of the axes."""

import statistics

import pytest
from numpy.testing import assert_allclose
from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.figures import drawer
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled

FIGURES = {"copy": "fig03", "repeat_copy": "fig07", "associative_recall": "fig10", "priority_sort": "fig18"}
FALLING = [90.0, 60.0, 30.0, 9.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.001] * 2


@pytest.fixture
def draw(tmp_path):
    """Draws a figure from what was recorded in `tmp_path`."""

    def run(name):
        with styled():
            return drawer(name)(RunStore(tmp_path, load=None))

    return run


def line(axes, label):
    """The (x, y) of the line of that label."""
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return [(float(x), float(y)) for x, y in found.get_xydata()]


def text_of(figure):
    return figure._supxlabel.get_text().splitlines() if figure._supxlabel else []


def test_seeds_are_means_over_ten_thousand_and_their_median_is_between(draw, tmp_path):
    for seed, factor in ((1, 1), (2, 2), (3, 6)):
        record(tmp_path, "copy", "ntm", seed, [factor * bits for bits in FALLING])
    left, _ = draw("fig03").axes
    mean = statistics.fmean(FALLING[:10])
    assert_allclose(line(left, "ntm seed 3"), [(5, 6 * mean), (15, 6 * mean)], rtol=1e-12)
    assert_allclose(line(left, "ntm median"), [(5, 2 * mean), (15, 2 * mean)], rtol=1e-12)


@pytest.mark.parametrize(("task", "name"), FIGURES.items())
def test_the_papers_curves_and_axes(task, name, draw):
    left, right = draw(name).axes
    number = int(name.removeprefix("fig"))
    end, (bottom, top) = paper.AXES[number]
    assert left.get_xlim() == (0, end)
    assert left.get_ylim() == pytest.approx((bottom, top), abs=0.02 * top)
    assert right.get_xlim() == (1, end)
    for model in ("ntm", "ntm_ff", "lstm"):
        assert_allclose(line(left, f"{model} paper"), paper.plotted(number, model), rtol=1e-12)


def test_the_second_panel_begins_at_a_thousand_and_ends_at_a_hundredth_of_a_bit(draw, tmp_path):
    record(tmp_path, "copy", "ntm", 1, FALLING)
    _, right = draw("fig03").axes
    points = line(right, "ntm seed 1")
    assert [x for x, _ in points] == [number + 0.5 for number in range(20)]
    assert [y for _, y in points] == pytest.approx([max(bits, 0.01) for bits in FALLING])
    assert (right.get_xscale(), right.get_yscale()) == ("log", "log")


def test_n_grams_show_the_gap_on_the_same_sequences_and_both_optima(draw, tmp_path):
    optimum = [133.0 + number % 3 for number in range(20)]
    record(tmp_path, "dynamic_ngrams", "ntm", 1, [value + 1.5 for value in optimum], optimum=optimum)
    figure = draw("fig13")
    left, right = figure.axes
    assert_allclose(line(right, "ntm seed 1"), [(5, 1.5), (15, 1.5)], rtol=1e-12)
    assert_allclose(line(right, "ntm paper"), [(x, y - 131.61) for x, y in paper.plotted(13, "ntm")], rtol=1e-12)
    assert {round(y, 2) for label in labels(left, "optimal") for _, y in line(left, label)} == {
        round(statistics.fmean(optimum), 2),
        131.61,
    }
    assert "± 1.1" in text_of(figure)[0]


def labels(axes, word):
    return [line.get_label() for line in axes.lines if word in line.get_label()]


def test_partial_and_missing_runs_are_noted_and_drawn_as_far_as_they_go(draw, tmp_path):
    record(tmp_path, "copy", "ntm", 1, FALLING)
    record(tmp_path, "copy", "ntm", 2, FALLING[:10], planned=1_000_000)
    record(tmp_path, "copy", "ntm_ff", 1, FALLING, status="diverged")
    figure = draw("fig03")
    assert len(line(figure.axes[0], "ntm seed 2")) == 1
    assert text_of(figure) == [
        "NTM-LSTM, seed 2: 10,000 of 1,000,000 sequences so far: make reproduce TASKS=copy MODELS=ntm SEEDS=2",
        "NTM-FF, seed 1 diverged after 20,000 sequences",
        "LSTM, not run yet: make reproduce TASKS=copy MODELS=lstm",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()][::2] == [
        "NTM, LSTM controller (2 seeds)",
        "NTM, feedforward controller (1 seed)",
        "LSTM (no run yet)",
    ]


def test_a_run_that_has_recorded_nothing_yet(draw, tmp_path):
    record(tmp_path, "dynamic_ngrams", "ntm", 1, [], optimum=[], planned=1_000_000)
    left, right = draw("fig13").axes
    assert line(left, "ntm seed 1") == line(right, "ntm median") == []


@pytest.mark.parametrize("name", ["fig03", "fig13"])
def test_nothing_is_cut_off_or_laid_over_another(name, draw, tmp_path):
    for seed in range(1, 6):
        record(tmp_path, "copy", "ntm", seed, FALLING, planned=1_000_000)
        record(tmp_path, "dynamic_ngrams", "ntm", seed, FALLING, optimum=FALLING, planned=1_000_000)
    with styled():
        figure = draw(name)
        figure.draw_without_rendering()
    left, right = (axes.get_tightbbox() for axes in figure.axes)
    parts = [figure.legends[0].get_window_extent(), figure._supxlabel.get_window_extent(), left, right]
    for number, part in enumerate(parts):
        assert figure.bbox.x0 <= part.x0
        assert figure.bbox.y0 <= part.y0
        assert part.x1 <= figure.bbox.x1
        assert part.y1 <= figure.bbox.y1
        assert not any(part.overlaps(other) for other in parts[number + 1 :])
