"""Figure 8 holds the answers of whatever models there are, and says what is missing."""

import numpy as np
import pytest
from support.untrained import images, sources, sticks_out, texts

from ntm_repro.evaluation.traces import Answer, answer, trace
from ntm_repro.figures import repeat_copy_examples


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    evidence = sources(tmp_path_factory.mktemp("evidence"), ("repeat_copy", "lstm"))
    trained = evidence.trained("repeat_copy", "lstm")
    said = [answer(trace(trained.task, trained.kernel, condition, 1)) for condition in repeat_copy_examples.CONDITIONS]
    return repeat_copy_examples.draw(evidence), said


def test_targets_above_outputs_above_wrong_bits(drawn):
    figure, said = drawn
    expected = [array.T for one in said for array in (one.target_AC, one.output_AC, one.wrong_AC)]
    for found, array in zip(images(figure), expected, strict=True):
        np.testing.assert_array_equal(found, array)
        assert array.shape == (7, 201)


def test_titles_say_how_it_went_and_what_is_missing(drawn):
    figure, said = drawn
    for one in said:
        assert repeat_copy_examples.outcome(one) in texts(figure)
    assert texts(figure).count("MODELS=ntm") == 2
    assert "MODELS=lstm" not in texts(figure)


def test_nothing_is_cut_off(drawn):
    assert max(sticks_out(drawn[0])) == 0


def said_by_hand(wrong_bits, early, end_marked):
    target_AC, output_AC = np.zeros((9, 7)), np.zeros((9, 7))
    target_AC[-1, 6] = 1
    output_AC[-1, 6] = end_marked
    output_AC[:early, 6] = 1
    output_AC[:wrong_bits, 0] = 0.9
    return Answer(4, target_AC, output_AC)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (said_by_hand(0, 0, 1), "0 of 54 data bits wrong; end marked"),
        (said_by_hand(3, 1, 1), "3 of 54 data bits wrong; end marked, 1 time too early"),
        (said_by_hand(1, 2, 0), "1 of 54 data bits wrong; end not marked, 2 times too early"),
    ],
)
def test_outcome(said, outcome):
    assert repeat_copy_examples.outcome(said) == outcome
