"""Repeat copy: the tensors decode to the question the paper poses, and batches are sequences side by side."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro import loss, tasks
from ntm_repro.errors import InvalidSetting
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.repeat_copy import RepeatCopy

TASK = RepeatCopy()
CONDITIONS = st.tuples(st.integers(1, 24), st.integers(1, 24))
FIRSTS = st.integers(0, 2**40)


def decode(batch, task=TASK):
    """(bit vectors [B, L, 6], repeats) that a batch asks for, read step by step; the rest must be as the paper says.

    The number of repeats is counted in the target, the one told is checked against it.
    """
    T, B, _ = batch.input_TBI.shape
    assert batch.input_TBI.shape == (T, B, task.inputs) == (T, B, 8)
    assert batch.target_TBO.shape == (T, B, task.outputs) == (T, B, 7)
    assert batch.mask_TO.shape == (T, 7)
    for array in (batch.input_TBI, batch.target_TBO, batch.mask_TO):
        assert array.dtype == np.float32
    for array in (batch.input_TBI[..., :7], batch.target_TBO, batch.mask_TO):
        assert set(np.unique(array)) <= {0.0, 1.0}

    scored = [t for t in range(T) if batch.mask_TO[t].any()]
    assert batch.mask_TO[scored].all(), "all seven outputs are scored"
    assert scored == list(range(scored[0], T)), "from the first answer to the end"
    L = scored[0] - 2
    told = L + 1
    for t in range(T):
        assert (batch.input_TBI[t, :, 6] == (t == 0)).all(), "start flag at the first step only"
        if not 1 <= t <= L:
            assert not batch.input_TBI[t, :, :6].any(), "data channels are blank at flags and during recall"
        if t != told:
            assert not batch.input_TBI[t, :, 7].any(), "the count is told once, right after the data"
        if t <= told:
            assert not batch.target_TBO[t].any()
        assert (batch.target_TBO[t, :, 6] == (t == T - 1)).all(), "the marker is the last step's alone"
    assert not batch.target_TBO[-1, :, :6].any()

    data_LBC = batch.input_TBI[1 : L + 1, :, :6]
    answered = T - 1 - scored[0]
    n = answered // L
    assert answered == n * L
    for k in range(answered):
        np.testing.assert_array_equal(batch.target_TBO[scored[0] + k, :, :6], data_LBC[k % L])
    range_of_n = np.arange(task.min_repeats, task.max_repeats + 1)
    expected = (n - range_of_n.mean()) / (range_of_n.std() or 1)
    np.testing.assert_allclose(batch.input_TBI[told, :, 7], expected, rtol=1e-6, atol=1e-7)
    return data_LBC.swapaxes(0, 1), n


def assert_equal_sequences(batch, rows, alone):
    np.testing.assert_array_equal(batch.input_TBI[:, rows], alone.input_TBI)
    np.testing.assert_array_equal(batch.target_TBO[:, rows], alone.target_TBO)
    np.testing.assert_array_equal(batch.mask_TO, alone.mask_TO)


@given(seed=st.integers(0, 2**64 - 1), first=FIRSTS, count=st.integers(1, 6), condition=CONDITIONS)
def test_every_layout_decodes_to_its_question(seed, first, count, condition):
    batch = TASK.draw(Stream(seed, Purpose.EVALUATION), first, count, condition)
    bits_BLC, repeats = decode(batch)
    assert (bits_BLC.shape, repeats) == ((count, condition[0], 6), condition[1])
    assert (batch.first, batch.condition, batch.size) == (first, condition, count)


@given(first=FIRSTS, count=st.integers(1, 6))
def test_a_training_batch_has_the_condition_of_its_first_sequence(first, count):
    stream = Stream(5, Purpose.TRAIN)
    condition = TASK.condition_of(stream, first)
    batch = TASK.draw(stream, first, count)
    assert all(1 <= value <= 10 for value in condition)
    assert batch.condition == condition
    bits_BLC, repeats = decode(batch)
    assert (bits_BLC.shape[1], repeats) == condition
    assert_equal_sequences(batch, slice(None), TASK.draw(stream, first, count, condition))


@given(first=FIRSTS, condition=CONDITIONS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_a_batch_may_be_drawn_in_any_pieces_and_any_order(first, condition, sizes, data):
    batch = TASK.draw(Stream(5, Purpose.TRAIN), first, sum(sizes), condition)
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    pieces = data.draw(st.permutations(list(zip(starts, sizes, strict=True))))
    stream = Stream(5, Purpose.TRAIN)
    for start, size in pieces:
        piece = TASK.draw(stream, first + start, size, condition)
        assert_equal_sequences(batch, slice(start, start + size), piece)


def test_rows_of_a_batch_differ():
    """Ten vectors of six bits: two equal rows among a thousand have probability 4e-13."""
    bits_BLC, _ = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, (10, 1)))
    assert len(np.unique(bits_BLC.reshape(1000, -1), axis=0)) == 1000


def test_seed_and_purpose_change_the_sequences():
    drawn = [TASK.draw(Stream(seed, purpose), 0, 1, (10, 1)) for seed in range(3) for purpose in Purpose]
    assert len({decode(batch)[0].tobytes() for batch in drawn}) == len(drawn)


def test_lengths_and_repeats_are_uniform_and_independent():
    """Chi-square of all 100 pairs in 20,000 batches; 148.2 is the 99.9 % quantile for 99 degrees; fixed seed."""
    stream = Stream(1, Purpose.TRAIN)
    counts = np.zeros((11, 11))
    for first in range(20_000):
        counts[TASK.condition_of(stream, first)] += 1
    assert not counts[0].any()
    assert not counts[:, 0].any()
    assert ((counts[1:, 1:] - 200) ** 2 / 200).sum() < 148.2


def test_bits_are_fair_whatever_the_setting_drawn():
    """Bits taken from a word that chose the condition would be skewed. Five standard errors, at a fixed seed."""
    stream = Stream(1, Purpose.TRAIN)
    for which in (0, 1):
        high = [first for first in range(6_000) if TASK.condition_of(stream, first)[which] > 7]
        mean_C = np.mean([TASK.draw(stream, first, 1).input_TBI[1, 0, :6] for first in high], axis=0)
        assert np.abs(mean_C - 0.5).max() < 5 * 0.5 / math.sqrt(len(high))


def test_all_64_vectors_are_equally_likely():
    """Chi-square with 63 degrees of freedom: 103.4 is its 99.9 % quantile, the seed is fixed."""
    bits_BLC, _ = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, (10, 1)))
    counts = np.bincount((bits_BLC.reshape(-1, 6) @ (1 << np.arange(6))).astype(int), minlength=64)
    expected = 10_000 / 64
    assert ((counts - expected) ** 2 / expected).sum() < 103.4


@pytest.mark.parametrize("repeats", [1, 5, 6, 10, 20])
def test_the_count_is_normalised_as_in_the_paper(repeats):
    """By the mean and deviation of 1 … 10, √(99 / 12) = 2.8723, also for counts that training never shows."""
    batch = TASK.draw(Stream(1, Purpose.EVALUATION), 0, 3, (4, repeats))
    np.testing.assert_allclose(batch.input_TBI[5, :, 7], (repeats - 5.5) / 2.8723, rtol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(1, 10), (3, 7), (1, 20), (4, 4)])
def test_the_told_count_has_mean_0_and_deviation_1_in_training(low, high):
    task = RepeatCopy(min_repeats=low, max_repeats=high)
    batches = [task.draw(Stream(1, Purpose.TRAIN), 0, 1, (1, n)) for n in range(low, high + 1)]
    assert [decode(batch, task)[1] for batch in batches] == list(range(low, high + 1))
    told = [batch.input_TBI[2, 0, 7] for batch in batches]
    assert np.mean(told) == pytest.approx(0, abs=1e-6)
    assert np.std(told) == pytest.approx(1.0 if high > low else 0.0, rel=1e-6)


def test_chance_by_counting():
    """The mean over every equally likely condition of the bits scored: 181.5 data bits and as many markers as steps."""
    stream = Stream(1, Purpose.TRAIN)
    pairs = [(length, repeats) for length in range(1, 11) for repeats in range(1, 11)]
    scored = [TASK.draw(stream, 0, 1, pair).mask_TO.sum() for pair in pairs]
    assert np.mean(scored) == TASK.chance_bits == 218.75
    data = [length * repeats * 6 for length, repeats in pairs]
    assert np.mean(data) == 181.5


def test_chance_by_flipping_coins():
    """Logit 0 is a fair coin. The deviation of 7 L n is 7 √(38.5² − 30.25²) = 166.7 bits; four standard errors."""
    stream = Stream(1, Purpose.TRAIN)
    costs = []
    for first in range(4000):
        batch = TASK.draw(stream, first, 1)
        target_TBO = torch.from_numpy(batch.target_TBO)
        costs.append(loss.bits(torch.zeros_like(target_TBO), target_TBO, torch.from_numpy(batch.mask_TO)).item())
    assert np.mean(costs) == pytest.approx(TASK.chance_bits, abs=4 * 166.7 / math.sqrt(4000))


@pytest.mark.parametrize("bounds", [(1, 1, 1, 1), (2, 4, 3, 8), (10, 10, 1, 2)])
def test_settings_and_chance_follow_the_ranges(bounds):
    min_length, max_length, min_repeats, max_repeats = bounds
    task = RepeatCopy(min_length=min_length, max_length=max_length, min_repeats=min_repeats, max_repeats=max_repeats)
    stream = Stream(2, Purpose.TRAIN)
    drawn = {task.condition_of(stream, first) for first in range(2000)}
    lengths, repeats = range(min_length, max_length + 1), range(min_repeats, max_repeats + 1)
    assert drawn == {(length, n) for length in lengths for n in repeats}
    assert task.chance_bits == np.mean([7 * (length * n + 1) for length in lengths for n in repeats])
    assert task.longest_condition == (max_length, max_repeats)


@pytest.mark.parametrize("value", [[10, 20], (10, 20), [1, 1], [200, 3]])
def test_a_setting_is_a_pair_of_positive_integers(value):
    assert TASK.parse_condition(value) == tuple(value)


@pytest.mark.parametrize(
    "value", [0, 10, "x", "10", None, [], [10], [10, 20, 30], [0, 5], [5, 0], [-1, 5], [1.0, 5], [True, 5], ["1", 5]]
)
def test_any_other_setting_is_refused_by_name(value):
    with pytest.raises(ValueError, match="lengths") as refused:
        TASK.parse_condition(value)
    assert repr(value) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"min_length": 0}, "^min_length=0"),
        ({"max_length": 0}, "^max_length=0"),
        ({"min_length": 5, "max_length": 4}, "^max_length=4"),
        ({"min_repeats": -1}, "^min_repeats=-1"),
        ({"min_repeats": 11}, "^max_repeats=10"),
    ],
)
def test_impossible_ranges_are_refused_by_key(arguments, key):
    with pytest.raises(InvalidSetting, match=key):
        RepeatCopy(**arguments)


def test_a_batch_of_one_and_of_a_thousand():
    thousand = TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, (3, 4))
    one = TASK.draw(Stream(1, Purpose.VALIDATION), 999, 1, (3, 4))
    assert decode(thousand)[0].shape == (1000, 3, 6)
    assert_equal_sequences(thousand, slice(999, None), one)


def test_more_repeats_and_greater_lengths_begin_with_the_same_vectors():
    stream = Stream(1, Purpose.EVALUATION)
    short, _ = decode(TASK.draw(stream, 0, 3, (10, 10)))
    np.testing.assert_array_equal(decode(TASK.draw(stream, 0, 3, (10, 20)))[0], short)
    np.testing.assert_array_equal(decode(TASK.draw(stream, 0, 3, (20, 10)))[0][:, :10], short)


def test_the_paper_tests_longer_sequences_and_more_repeats():
    assert TASK.test_conditions == ((10, 10), (10, 20), (20, 10))
    # What eval.json says of a condition can be asked for again.
    assert (
        tuple(TASK.parse_condition(condition) for condition in json.loads(json.dumps(TASK.test_conditions)))
        == TASK.test_conditions
    )


def test_perfection_costs_nothing():
    assert TASK.optimum_bits(TASK.draw(Stream(1, Purpose.TRAIN), 0, 2)) is None


def test_the_task_is_found_by_its_name_and_cannot_be_changed():
    assert tasks.find("repeat_copy") is RepeatCopy
    assert TASK.name == "repeat_copy"
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASK.max_length = 30
