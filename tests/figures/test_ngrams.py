"""Figures 14 and 15 hold the predictions, and the memory behind them. T: steps, N: locations."""

import numpy as np
import pytest
from support.untrained import images, sources, sticks_out, texts

from ntm_repro.evaluation.locations import used_rows
from ntm_repro.evaluation.ngram_contexts import contexts, most_visited
from ntm_repro.evaluation.traces import trace
from ntm_repro.figures import ngram_memory, ngram_predictions
from ntm_repro.tasks.dynamic_ngrams import optimal_predictions

TASK = "dynamic_ngrams"
BEGIN = 200 - ngram_memory.SHOWN


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return sources(tmp_path_factory.mktemp("evidence"), (TASK, "ntm"), (TASK, "lstm"))


@pytest.fixture(scope="module")
def traced(evidence):
    """The traces of both models, by name."""
    found = {}
    for model in ("ntm", "lstm"):
        trained = evidence.trained(TASK, model)
        found[model] = trace(trained.task, trained.kernel, 200, 1)
    return found


@pytest.fixture(scope="module")
def optimum_T(traced):
    return optimal_predictions(traced["ntm"].batch.target_TBO[..., 0], 5)[:, 0]


@pytest.fixture(scope="module")
def predictions(evidence):
    return ngram_predictions.draw(evidence)


@pytest.fixture(scope="module")
def memory(evidence):
    return ngram_memory.draw(evidence)


def test_every_model_has_a_panel_with_its_predictions_and_the_optimal_ones(predictions, traced, optimum_T):
    by_title = {axes.get_title(loc="left") or axes.get_title(): axes for axes in predictions.axes}
    for label, model in (("NTM, LSTM", "ntm"), ("LSTM:", "lstm")):
        (axes,) = (axes for title, axes in by_title.items() if title.startswith(label))
        drawn = [line.get_ydata() for line in axes.lines]
        for expected_T in (traced[model].output_TO[:, 0], optimum_T):
            assert any(np.array_equal(line, expected_T) for line in drawn)


def test_bits_are_marked_at_the_edges(predictions, traced):
    bit_T = traced["ntm"].batch.target_TBO[:, 0, 0]
    zeros, ones = predictions.axes[0].lines[:2]
    assert zeros.get_xdata().tolist() == np.flatnonzero(bit_T == 0).tolist()
    assert ones.get_xdata().tolist() == np.flatnonzero(bit_T == 1).tolist()


def test_the_optimal_estimator_pays_what_the_task_says(evidence, traced, optimum_T, predictions):
    batch = traced["ntm"].batch
    bits = evidence.trained(TASK, "ntm").task.optimum_bits(batch)[0]
    assert ngram_predictions.cost(optimum_T, batch.target_TBO[:, 0, 0]) == pytest.approx(bits)
    assert f"optimal estimator: {bits:.1f} bits" in texts(predictions)


def test_a_missing_model_is_named_with_its_command(predictions, tmp_path):
    assert "make reproduce TASKS=dynamic_ngrams MODELS=ntm_ff" in texts(predictions)
    nothing = texts(ngram_predictions.draw(sources(tmp_path)))
    assert nothing.count("make reproduce") == 3
    assert "optimal estimator: 144.6 bits" in nothing
    assert "make reproduce TASKS=dynamic_ngrams MODELS=ntm" in texts(ngram_memory.draw(sources(tmp_path)))


def test_the_memory_figure_holds_the_traced_numbers(memory, traced, optimum_T):
    trace, heads = traced["ntm"], traced["ntm"].heads
    write_TN, read_TN = heads.write_weighting_TWN[BEGIN:, 0], heads.read_weighting_TRN[BEGIN:, 0]
    row_N = used_rows(np.maximum(write_TN, read_TN).max(0))
    expected = [
        trace.batch.input_TBI[BEGIN:, 0],
        heads.add_TWM[BEGIN:, 0],
        np.stack([trace.output_TO[BEGIN:, 0], optimum_T[BEGIN:]], 1),
        write_TN[:, row_N],
        read_TN[:, row_N],
    ]
    for found, array in zip(images(memory), expected, strict=True):
        np.testing.assert_array_equal(found, array.T)


def test_visits_of_two_contexts_are_marked_where_they_are_read(memory, traced):
    bit_T = traced["ntm"].batch.target_TBO[:, 0, 0]
    context_T = contexts(bit_T, 5)
    reading = [axes for axes in memory.axes if axes.images][-1]
    shown_NT = np.asarray(reading.images[0].get_array())
    marked = most_visited(context_T[BEGIN:], 2, apart=5)
    assert len(marked) == 2
    for line, code in zip(reading.lines, marked, strict=True):
        steps = [t for t in range(BEGIN, 200) if context_T[t] == code]
        assert line.get_xdata().tolist() == steps
        assert line.get_ydata().tolist() == shown_NT[:, np.array(steps) - BEGIN].argmax(0).tolist()
        assert f"after {code:05b}" in [text.get_text() for text in memory.legends[0].get_texts()]


def test_nothing_is_cut_off(predictions, memory):
    assert max(sticks_out(predictions)) == 0
    assert max(sticks_out(memory)) == 0
