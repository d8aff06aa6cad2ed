"""The picture of the memory at work shows what the trace holds."""

import numpy as np
import pytest
from support.untrained import build, images, sticks_out, texts

from ntm_repro.evaluation.traces import respond
from ntm_repro.figures import memory_at_work


@pytest.mark.parametrize("name", ["copy", "repeat_copy", "dynamic_ngrams"])
def test_panels_hold_inputs_outputs_and_weightings(name):
    task, kernel = build(name, "ntm", heads=2)
    input_TI = np.random.default_rng(1).random((7, task.inputs)).astype(np.float32)
    output_TO, heads = respond(kernel, input_TI, with_heads=True)
    figure = memory_at_work.draw("A title", task.channels, input_TI, output_TO, heads)
    inputs, outputs, writing, reading = images(figure)[:4]
    np.testing.assert_array_equal(inputs, input_TI.T)
    np.testing.assert_array_equal(outputs, output_TO.T)
    for panel, weighting_TKN in ((writing, heads.write_weighting_TWN), (reading, heads.read_weighting_TRN)):
        locations = np.array([weighting_TKN.max(1)[:, n] for n in range(weighting_TKN.shape[2])])
        assert {row.tobytes() for row in np.asarray(panel)} <= {row.tobytes() for row in locations}
    lines = texts(figure).splitlines()
    assert {"A title", *task.channels.inputs, *task.channels.outputs} <= set(lines)
    assert ("unused" in lines) == (name == "copy")
    assert sticks_out(figure) == [0, 0, 0, 0]


def test_inputs_that_are_no_bits_have_both_signs():
    task, kernel = build("copy", "ntm")
    input_TI = np.full((3, task.inputs), -2, np.float32)
    figure = memory_at_work.draw("", task.channels, input_TI, *respond(kernel, input_TI, with_heads=True))
    assert figure.axes[0].images[0].get_clim() == (-2, 2)


def test_the_same_answers_give_the_same_file():
    task, kernel = build("copy", "ntm")
    input_TI = np.ones((3, task.inputs), np.float32)
    answers = respond(kernel, input_TI, with_heads=True)
    first, second = (memory_at_work.png("", task.channels, input_TI, *answers) for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == second
