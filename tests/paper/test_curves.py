"""The paper's curves as digitised."""

import pytest

from ntm_repro import paper, tasks


def test_every_task_of_the_paper_has_a_learning_curve_and_thresholds():
    assert list(paper.LEARNING_FIGURES) == list(paper.THRESHOLDS) == list(paper.TASKS)
    assert list(paper.LEARNING_FIGURES.values()) == list(paper.AXES)
    for levels in paper.THRESHOLDS.values():
        assert list(levels) == sorted(levels, reverse=True)


@pytest.mark.parametrize("task", paper.TASKS)
def test_an_optimum_is_plotted_where_the_task_has_one(task):
    assert (paper.optimum(task) > 0) == tasks.find(task).has_optimum


@pytest.mark.parametrize("figure", paper.AXES)
@pytest.mark.parametrize("model", paper.MODELS)
def test_values_of_a_curve_lie_within_the_axes_and_are_one_for_each_window(figure, model):
    right, (bottom, top) = paper.AXES[figure]
    values = paper.curve(figure, model)
    assert all(0 < x < right and bottom <= bits < top for x, bits in values)
    ends = [paper.window_end(x) for x, _ in values]
    assert ends == list(range(ends[0], int(1000 * right) + 1, 10_000))
    # Their middles, but for how exactly a point can be read off a figure.
    assert all(abs(1000 * x - (end - 5_000)) < 1_000 for (x, _), end in zip(values, ends, strict=True))
    assert set(values) <= set(paper.plotted(figure, model))


def test_figure_11_has_no_axes_that_cut_it():
    assert paper.curve(11, "lstm") == [(6, 2.27), (10, 36.563), (15, 39.847), (20, 38.085)]


def test_a_curve_that_leaves_the_axes_keeps_the_line_but_not_the_value():
    assert paper.plotted(3, "lstm")[0] == (67.73, 10.0)
    assert paper.curve(3, "lstm")[0] == (75.5, 8.32)
    assert "-" not in str(min(bits for _, bits in paper.plotted(7, "ntm")))
