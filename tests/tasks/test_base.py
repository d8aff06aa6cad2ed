"""What holds for every task, and what a task that says nothing of itself is shown as."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plugged_in import Parity

from ntm_repro import paper, tasks
from ntm_repro.errors import InvalidSetting
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import base

TASKS = {name: tasks.find(name)() for name in tasks.names()} | {"parity": Parity()}
EXAMPLES = [(name, condition) for name, task in TASKS.items() for condition in task.example_conditions]


def draw(task, condition, count=1):
    return task.draw(Stream(1, Purpose.EVALUATION), 0, count, condition)


@pytest.mark.parametrize("name", TASKS)
def test_every_condition_that_a_task_names_is_one_of_its_own(name):
    task = TASKS[name]
    named = (*task.test_conditions, *(probe.condition for probe in task.probes), *task.example_conditions)
    for condition in (*named, task.longest_condition, task.bench_condition):
        plain = list(condition) if isinstance(condition, tuple) else condition
        assert task.parse_condition(plain) == condition
        batch = draw(task, condition, 2)
        assert batch.condition == condition
        assert batch.mask_TO.any()


@pytest.mark.parametrize("name", TASKS)
def test_what_is_no_condition_is_a_value_error_that_repeats_it(name):
    with pytest.raises(ValueError, match="many"):
        TASKS[name].parse_condition("many")


@pytest.mark.parametrize("name", paper.TASKS)
def test_what_is_tested_beyond_the_paper_goes_further_than_the_grid(name):
    task = TASKS[name]
    furthest = max(len(draw(task, condition).input_TBI) for condition in task.test_conditions)
    assert max(len(draw(task, probe.condition).input_TBI) for probe in task.probes) > furthest
    assert len(set(task.probes)) == len(task.probes)


@pytest.mark.parametrize("name", paper.TASKS)
def test_the_benchs_condition_has_as_many_steps_as_training_on_average(name):
    task, stream = TASKS[name], Stream(1, Purpose.TRAIN)
    steps = [len(task.draw(stream, first, 1).input_TBI) for first in range(2000)]
    # Within a step, and three standard errors of the drawn mean.
    error = abs(len(draw(task, task.bench_condition).input_TBI) - np.mean(steps))
    assert error < 1 + 3 * np.std(steps) / math.sqrt(len(steps))


@pytest.mark.parametrize("name", TASKS)
def test_all_channels_have_names(name):
    task = TASKS[name]
    scored_O = draw(task, task.longest_condition).mask_TO.any(0)
    assert sum(task.channels.inputs.values()) == task.inputs
    assert np.flatnonzero(scored_O).tolist() == list(range(sum(task.channels.outputs.values())))


@pytest.mark.parametrize(("name", "condition"), EXAMPLES)
def test_steps_say_answer_where_the_task_scores(name, condition):
    said = TASKS[name].describe_steps(condition)
    scored_T = draw(TASKS[name], condition).mask_TO.any(1)
    assert [phrase.startswith("answer") for phrase in said] == scored_T.tolist()


@pytest.mark.parametrize(("name", "condition"), EXAMPLES)
def test_steps_say_flag_where_a_flag_channel_is_set(name, condition):
    input_TI = draw(TASKS[name], condition).input_TBI[:, 0]
    first, flags = 0, set()
    for channel, count in TASKS[name].channels.inputs.items():
        if channel in ("start", "end", "item", "query"):
            flags |= set(input_TI[:, first].nonzero()[0].tolist())
        first += count
    said = TASKS[name].describe_steps(condition)
    assert {step for step, phrase in enumerate(said) if "flag" in phrase} == flags


def test_examples_are_described_differently():
    assert len({(name, TASKS[name].describe(condition)) for name, condition in EXAMPLES}) == len(EXAMPLES)
    assert all(TASKS[name].example_conditions for name in TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_an_optimum_is_given_where_the_task_says_so(name):
    task = TASKS[name]
    batch = draw(task, task.longest_condition, 3)
    bits_B, p_TBO = task.optimum_bits(batch), task.optimal_output(batch)
    if not task.has_optimum:
        assert bits_B is None
        assert p_TBO is None
        return
    right_TBO = np.where(batch.target_TBO > 0, p_TBO, 1 - p_TBO)
    np.testing.assert_allclose(-(np.log2(right_TBO) * batch.mask_TO[:, None]).sum((0, 2)), bits_B, rtol=1e-12)


def test_what_a_condition_is_called_has_a_word_for_each_of_its_numbers():
    names = {name: task.condition_name for name, task in TASKS.items()}
    assert names.pop("parity") == "condition"
    for name, words in names.items():
        condition = TASKS[name].longest_condition
        assert len(words.split(" × ")) == (len(condition) if isinstance(condition, tuple) else 1)


def test_a_task_that_says_nothing_of_itself():
    task = Parity(length=3)
    assert (task.label, task.longest_condition, task.bench_condition, task.example_conditions) == ("parity", 3, 3, (3,))
    assert task.describe(3) == "3"
    assert task.describe_steps(3) == ["step 0", "step 1", "step 2", "answer: step 3"]
    assert task.channels == ({"input": 1}, {"output": 1})
    assert (task.probes, task.chance_bits, task.evaluation_sequences) == ((), None, 100)


@pytest.mark.parametrize("module", [tasks, base])
def test_the_examples_in_the_documentation_are_true(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


# The width of vectors

WIDE = [name for name, task in TASKS.items() if hasattr(task, "bits")]


@pytest.mark.parametrize("name", WIDE)
@given(bits=st.integers(1, 150), seed=st.integers(0, 2**64 - 1), first=st.integers(0, 2**40), count=st.integers(2, 5))
def test_vectors_of_any_width_come_back(name, bits, seed, first, count):
    """In pieces as in one; what is asked for was shown, and the channels are as many as are named."""
    task, stream = tasks.find(name)(bits=bits), Stream(seed, Purpose.TRAIN)
    batch = task.draw(stream, first, count, task.longest_condition)
    assert batch.input_TBI.shape[1:] == (count, task.inputs)
    assert batch.target_TBO.shape[1:] == (count, task.outputs)
    assert batch.mask_TO.shape == batch.target_TBO[:, 0].shape
    assert (task.channels.inputs["bits"], task.channels.outputs["bits"]) == (bits, bits)
    assert sum(task.channels.inputs.values()) == task.inputs
    last = task.draw(stream, first + count - 1, 1, task.longest_condition)
    for whole, piece in zip(batch[2:4], last[2:4], strict=True):
        np.testing.assert_array_equal(whole[:, -1:], piece)
    for sequence in range(count):
        shown = {tuple(bits_C) for bits_C in batch.input_TBI[:, sequence, :bits].tolist()}
        asked = batch.target_TBO[batch.mask_TO[:, 0] > 0, sequence, :bits]
        assert {tuple(bits_C) for bits_C in asked.tolist()} <= shown
    if task.chance_bits is not None and not hasattr(task, "min_length"):
        assert task.chance_bits == batch.mask_TO.sum()


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("bits", [6, 8, 11, 12, 16, 64, 65])
def test_every_bit_of_a_wide_vector_is_a_fair_coin_of_its_own(name, bits):
    """Over some thousand vectors, within five standard errors; and no two channels agree more often than by chance."""
    task = tasks.find(name)(bits=bits)
    batch = task.draw(Stream(1, Purpose.TRAIN), 0, 600, task.longest_condition)
    scored_VC = batch.target_TBO[batch.mask_TO[:, 0] > 0][..., :bits].reshape(-1, bits)
    if name == "repeat_copy":  # ten times the same, and the marker's step
        scored_VC = batch.input_TBI[1 : task.max_length + 1, :, :bits].reshape(-1, bits)
    signs_VC = 2 * scored_VC - 1
    bound = 5 / math.sqrt(len(signs_VC))
    assert np.abs(signs_VC.mean(0)).max() < bound
    correlation_CC = signs_VC.T @ signs_VC / len(signs_VC) - np.eye(bits)
    assert np.abs(correlation_CC).max() < bound


@pytest.mark.parametrize("bits", [1, 8, 11, 12, 40])
def test_priorities_do_not_depend_on_the_width(bits):
    usual, other = (tasks.find("priority_sort")(bits=width) for width in (8, bits))
    stream = Stream(3, Purpose.TRAIN)
    np.testing.assert_array_equal(*(task.draw(stream, 5, 4).input_TBI[:, :, -2] for task in (usual, other)))


@pytest.mark.parametrize("name", WIDE)
def test_a_vector_without_bits_is_refused(name):
    with pytest.raises(InvalidSetting, match="bits=0: must be 1 or more"):
        tasks.find(name)(bits=0)
