"""Figures 4 and 5 hold what was asked, what was answered and what differs. A: scored steps, C: channels."""

import numpy as np
import pytest
from support.untrained import images, sources, sticks_out, texts

from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures import copy_examples

LENGTHS = (*copy_examples.ABOVE, copy_examples.BELOW)


@pytest.fixture(scope="module", params=["ntm", "lstm"])
def drawn(request, tmp_path_factory):
    evidence = sources(tmp_path_factory.mktemp("evidence"), ("copy", request.param))
    trained = evidence.trained("copy", request.param)
    said = [answer(trace(trained.task, trained.kernel, length, 1)) for length in LENGTHS]
    return copy_examples.draw(evidence, request.param), said


def test_targets_above_outputs_above_wrong_bits(drawn):
    figure, said = drawn
    expected = [array.T for one in said for array in (one.target_AC, one.output_AC, one.wrong_AC)]
    for found, array in zip(images(figure), expected, strict=True):
        np.testing.assert_array_equal(found, array)


def test_wrong_bits_are_counted(drawn):
    figure, said = drawn
    for length, one in zip(LENGTHS, said, strict=True):
        wrong = int(one.wrong_AC.sum())
        assert 0 < wrong < 8 * length
        title = f"{wrong:,} of {8 * length:,} wrong"
        assert title in texts(figure)


def test_a_step_is_equally_wide_in_all_panels(drawn):
    figure, _ = drawn
    panels = [axes for axes in figure.axes if axes.images]
    widths = [axes.get_position().width for axes in panels]
    assert np.allclose(widths, np.repeat(LENGTHS, 3) / LENGTHS[0] * widths[0])


def test_nothing_is_cut_off(drawn):
    assert max(sticks_out(drawn[0])) == 0


def test_without_weights_it_says_how_to_get_them(tmp_path):
    assert "make reproduce TASKS=copy MODELS=lstm" in texts(copy_examples.draw(sources(tmp_path), "lstm"))
