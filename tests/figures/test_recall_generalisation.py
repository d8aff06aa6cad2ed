"""Figure 11 shows what evaluations found."""

import pytest
from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.figures import drawer
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled

TASK = "associative_recall"


@pytest.fixture
def figure(tmp_path):
    grids = ({6: 0.0, 10: 1.0, 20: 9.0}, {20: 3.0, 6: 0.5, 10: 2.0}, {6: 0.25, 10: 8.0})
    for seed, grid in enumerate(grids, start=1):
        record(tmp_path, TASK, "ntm", seed, [1.0], grid=grid)
    record(tmp_path, TASK, "ntm", 4, [1.0])
    with styled():
        return drawer("fig11")(RunStore(tmp_path, load=None))


def line(axes, label):
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return [(float(x), float(y)) for x, y in found.get_xydata()]


def test_every_seed_and_the_median_of_what_all_were_tested_on(figure):
    left, _ = figure.axes
    assert line(left, "ntm seed 2") == [(6, 0.5), (10, 2), (20, 3)]
    assert line(left, "ntm median") == [(6, 0.25), (10, 2)]
    assert line(left, "lstm median") == []


def test_the_papers_points_are_beside_them(figure):
    for axes in figure.axes:
        for model in ("ntm", "ntm_ff", "lstm"):
            assert line(axes, f"{model} paper") == paper.curve(11, model)


def test_zero_is_drawn_at_the_bottom_of_the_logarithmic_axis(figure):
    _, right = figure.axes
    assert line(right, "ntm seed 1")[0] == (6, 0.001)
    assert right.get_ylim()[0] == 0.001


def test_what_is_not_evaluated_is_noted(figure):
    assert figure._supxlabel.get_text().splitlines() == [
        "Trained on 2 to 6 items. Each point of a seed is a mean over 50 sequences.",
        "NTM-LSTM, seed 4 not evaluated yet: make reproduce TASKS=associative_recall MODELS=ntm SEEDS=4",
        "NTM-FF, not run yet: make reproduce TASKS=associative_recall MODELS=ntm_ff",
        "LSTM, not run yet: make reproduce TASKS=associative_recall MODELS=lstm",
    ]
