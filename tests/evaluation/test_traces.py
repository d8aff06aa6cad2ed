"""Traces are what the model did with the example of the run's seed, and answers their scored part."""

import numpy as np
import pytest
import torch
from support.untrained import CONDITIONS, build

from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.randomness import Purpose, Stream


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_trace_is_what_the_model_does(name):
    task, kernel = build(name, "ntm", heads=2)
    traced = trace(task, kernel, CONDITIONS[name], seed=5, number=2)
    batch = task.draw(Stream(5, Purpose.EXAMPLE), 2, 1, CONDITIONS[name])
    np.testing.assert_array_equal(traced.batch.input_TBI, batch.input_TBI)
    with torch.no_grad():
        y_TBO, _, steps = kernel.model.unroll(torch.from_numpy(batch.input_TBI), trace=True)
    np.testing.assert_array_equal(traced.output_TO, y_TBO[:, 0].sigmoid().numpy())
    for found, expected in zip(traced.heads, steps, strict=True):
        np.testing.assert_array_equal(found, expected[:, 0].numpy())


def test_a_model_without_memory_has_no_heads():
    assert trace(*build("copy", "lstm"), 3, seed=1).heads is None


@pytest.mark.parametrize("name", CONDITIONS)
def test_an_answer_is_the_scored_part(name):
    traced = trace(*build(name, "ntm"), CONDITIONS[name], seed=1)
    said = answer(traced)
    scored_TO = traced.batch.mask_TO > 0
    assert said.first == scored_TO.any(1).argmax()
    np.testing.assert_array_equal(said.target_AC.ravel(), traced.batch.target_TBO[:, 0][scored_TO])
    np.testing.assert_array_equal(said.output_AC.ravel(), traced.output_TO[scored_TO])
    right_AC = (said.output_AC > 0.5) == said.target_AC
    np.testing.assert_array_equal(said.wrong_AC, ~right_AC)
