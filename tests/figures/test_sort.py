"""Figures 16 and 17 hold an example of priority sort and the memory behind it. T: steps, W: heads, N: locations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.untrained import images, sources, sticks_out, texts

from ntm_repro.evaluation.linear_fit import fit
from ntm_repro.evaluation.locations import used_rows
from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures import sort_example, sort_memory

TASK = "priority_sort"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return sources(tmp_path_factory.mktemp("evidence"), (TASK, "ntm"), heads=3)


@pytest.fixture(scope="module")
def traced(evidence):
    trained = evidence.trained(TASK, "ntm")
    return trace(trained.task, trained.kernel, (20, 16), 1)


@pytest.fixture(scope="module")
def example(evidence):
    return sort_example.draw(evidence)


@pytest.fixture(scope="module")
def memory(evidence):
    return sort_memory.draw(evidence)


def test_the_example_holds_the_sequence_and_the_answer(example, traced):
    said = answer(traced)
    expected = [traced.batch.input_TBI[:20, 0, :8], said.target_AC, said.output_AC, said.wrong_AC]
    for found, array in zip(images(example), expected, strict=True):
        np.testing.assert_array_equal(found, array.T)
    assert f"{said.wrong_AC.sum()} of 128 bits wrong" in texts(example)


def test_bars_are_as_long_as_priorities(example, traced):
    (bars,) = (axes for axes in example.axes if len(axes.patches) == 20)
    np.testing.assert_allclose([bar.get_height() for bar in bars.patches], traced.batch.input_TBI[:20, 0, 8])


@given(st.lists(st.sampled_from([-0.5, 0.0, 0.25, 0.75]), min_size=1, max_size=9))
def test_ranks(priorities):
    found = sort_example.ranks(np.array(priorities)).tolist()
    for place, rank in enumerate(found):
        higher = sum(other > priorities[place] for other in priorities)
        assert rank == 1 + higher + priorities[:place].count(priorities[place])


def test_without_a_model_the_example_shows_the_task_alone(tmp_path):
    figure = sort_example.draw(sources(tmp_path))
    assert len(images(figure)) == 2
    assert "make reproduce TASKS=priority_sort MODELS=ntm" in texts(figure)
    assert "make reproduce TASKS=priority_sort MODELS=ntm" in texts(sort_memory.draw(sources(tmp_path)))


def test_the_memory_figure_holds_prediction_writing_and_reading(memory, traced):
    priority_T = traced.batch.input_TBI[:20, 0, 8]
    write_TWN, read_TRN = traced.heads.write_weighting_TWN[:20], traced.heads.read_weighting_TRN[21:]
    lines = [fit(priority_T, write_TWN[:, head].argmax(1), 12) for head in range(3)]
    write = max(range(3), key=lambda head: lines[head].r_squared)
    read = max(range(3), key=lambda head: read_TRN[:, head].max(1).mean())
    predicted_TN = np.zeros((20, 12))
    for t, row in enumerate(lines[write].fitted_P):
        predicted_TN[t, round(row) % 12] = 1
    written_TN, read_TN = write_TWN[:, write], read_TRN[:, read]
    row_N = used_rows(np.max([written_TN.max(0), read_TN.max(0), predicted_TN.max(0)], 0))
    for found, array in zip(images(memory), (predicted_TN, written_TN, read_TN), strict=True):
        np.testing.assert_array_equal(found, array[:, row_N].T)
    for said in (
        f"write head {write + 1}",
        f"read head {read + 1}",
        f"R² {lines[write].r_squared:.2f}",
        f"{lines[write].share_within(1):.0%} within a row",
    ):
        assert said in texts(memory)


def test_points_are_where_the_head_writes(memory, traced):
    points = memory.axes[0].lines[1]
    np.testing.assert_array_equal(points.get_xdata(), traced.batch.input_TBI[:20, 0, 8])
    shown_NT = np.asarray(memory.axes[2].images[0].get_array())
    np.testing.assert_array_equal(points.get_ydata(), shown_NT.argmax(0))


def test_the_line_goes_around_the_ring_as_the_prediction_does(memory):
    """At each vector's priority one of the line's turns passes the row that the second panel shows."""
    around, points = memory.axes[0].lines
    turns = around.get_ydata().reshape(-1, 3)[:, :2]  # at −1 and at 1, for each turn
    at_priority = turns[:, :1] + (turns[:, 1:] - turns[:, :1]) * (points.get_xdata() + 1) / 2
    predicted_NT = np.asarray(memory.axes[1].images[0].get_array())
    apart = np.abs(at_priority - predicted_NT.argmax(0)).min(0)
    assert apart.max() <= 0.5 + 1e-6


def test_the_sharpest_head_is_at_a_single_location():
    weighting_TRN = np.full((4, 2, 5), 0.2)
    weighting_TRN[:, 1] = np.eye(5)[:4]
    assert sort_memory.sharpest(weighting_TRN).number == 1


def test_nothing_is_cut_off(example, memory):
    assert max(sticks_out(example)) == 0
    assert max(sticks_out(memory)) == 0
