"""The stages recomputed from a trace are those of the paper's equations, and end in the traced weightings."""

import numpy as np
import pytest
from support.untrained import build, settings

from ntm_repro import kernels, models, tasks
from ntm_repro.evaluation.stages import stages
from ntm_repro.evaluation.traces import trace
from ntm_repro.models.initial_state import Start
from ntm_repro.models.ntm import ReadOrder

HEADS = 2


# Rows of 1e-6 are as small as what the cosine similarity adds to its denominator, which the formula below leaves out.
STARTS = [start for start in Start if start is not Start.constant]


@pytest.fixture(scope="module", params=[(order, start) for order in ReadOrder for start in STARTS], ids=str)
def traced(request):
    """A model with two heads of a kind, what it did with a sequence, and the stages of that."""
    chosen = tasks.find("copy")()
    found = settings("ntm", HEADS)
    found.read_order, found.memory.start = request.param
    kernel = kernels.choose("eager", models.build(found, chosen.inputs, chosen.outputs, seed=1))
    for parameter in kernel.model.parameters():
        parameter.data *= 4
    heads = trace(chosen, kernel, 4, seed=1).heads
    return kernel.model, heads, stages(kernel.model, heads)


def test_they_end_in_the_traced_weightings(traced):
    _, heads, found = traced
    weighting_TKN = np.concatenate([heads.read_weighting_TRN, heads.write_weighting_TWN], 1)
    np.testing.assert_array_equal(found.weighting_UKN[1:], weighting_TKN)
    # Another order of summation, raised to powers of about ten.
    np.testing.assert_allclose(found.sharpened_TKN, weighting_TKN, atol=1e-5)
    np.testing.assert_array_equal(found.memory_UNM[1:], heads.memory_TNM)


def test_they_begin_at_the_models_start(traced):
    model, _, found = traced
    start = model.initial_state(1)
    expected = np.concatenate([start.read_weighting_BRN[0].detach(), start.write_weighting_BWN[0].detach()])
    np.testing.assert_array_equal(found.weighting_UKN[0], expected)
    np.testing.assert_array_equal(found.memory_UNM[0], start.memory_BNM[0].detach())


def test_each_is_what_the_paper_says_of_the_one_before(traced):
    """Location by location, in float64."""
    model, heads, found = traced
    locations = found.memory_UNM.shape[1]
    for t, k in np.ndindex(found.content_TKN.shape[:2]):
        sees_new = k < HEADS and model.read_order is ReadOrder.after
        memory_NM = found.memory_UNM[t + 1 if sees_new else t].astype(float)
        key_M = heads.key_TKM[t, k].astype(float)
        beta, g, gamma = (
            float(values[t, k, 0]) for values in (heads.strength_TK1, heads.gate_TK1, heads.sharpness_TK1)
        )
        likeness = [row @ key_M / (np.linalg.norm(row) * np.linalg.norm(key_M)) for row in memory_NM]
        content = np.exp(beta * np.array(likeness))
        content /= content.sum()
        gated = g * content + (1 - g) * found.weighting_UKN[t, k]
        back, stay, on = heads.shift_TKS[t, k]
        shifted = [back * gated[(i + 1) % locations] + stay * gated[i] + on * gated[i - 1] for i in range(locations)]
        sharpened = np.array(shifted) ** gamma
        expected = (content, gated, shifted, sharpened / sharpened.sum())
        stage_N = (stage[t, k] for stage in found[:4])
        for one, other in zip(stage_N, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=3e-5)


def test_a_feedforward_controller_too():
    task, kernel = build("priority_sort", "ntm_ff", heads=3)
    heads = trace(task, kernel, (4, 3), seed=1).heads
    found = stages(kernel.model, heads)
    np.testing.assert_allclose(found.sharpened_TKN, found.weighting_UKN[1:], atol=1e-5)
