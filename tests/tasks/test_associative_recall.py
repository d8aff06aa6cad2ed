"""Associative recall: the tensors decode to the question the paper poses, and every sequence asks its own."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro import loss, tasks
from ntm_repro.errors import InvalidSetting
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.associative_recall import AssociativeRecall

TASK = AssociativeRecall()
ITEMS = st.integers(2, 24)
FIRSTS = st.integers(0, 2**40)


def decode(batch):
    """(items [B, K, 3, 6], query numbers [B]) read off the flags; the rest must be as the paper says.

    Two equal items among 24 have probability 1e-3: the first that equals the query and has the answer behind it counts.
    """
    T, B, _ = batch.input_TBI.shape
    assert batch.input_TBI.shape == (T, B, TASK.inputs) == (T, B, 8)
    assert batch.target_TBO.shape == (T, B, TASK.outputs) == (T, B, 6)
    assert batch.mask_TO.shape == (T, 6)
    for array in (batch.input_TBI, batch.target_TBO, batch.mask_TO):
        assert array.dtype == np.float32
        assert set(np.unique(array)) <= {0.0, 1.0}
    assert (batch.mask_TO == (np.arange(T) >= T - 3)[:, None]).all(), "the last three steps score all six bits"
    assert not batch.target_TBO[: T - 3].any()

    item_flags = np.flatnonzero(batch.input_TBI[:, 0, 6])
    query_flags = np.flatnonzero(batch.input_TBI[:, 0, 7])
    for channel, flags in ((6, item_flags), (7, query_flags)):
        expected = np.isin(np.arange(T), flags)[:, None].repeat(B, 1)
        np.testing.assert_array_equal(batch.input_TBI[:, :, channel], expected, "all sequences share their flags")
    blank = [*item_flags, *query_flags, T - 3, T - 2, T - 1]
    assert not batch.input_TBI[blank, :, :6].any(), "data channels are blank at flags and during recall"
    # Each item right after its flag and right before the next one, then the query between its two.
    assert item_flags.tolist() == list(range(0, query_flags[0], 4))
    assert query_flags.tolist() == [item_flags[-1] + 4, item_flags[-1] + 8]
    assert query_flags[1] + 3 == T - 1

    items_BKVC = np.stack([batch.input_TBI[t + 1 : t + 4, :, :6].swapaxes(0, 1) for t in item_flags], axis=1)
    query_BVC = batch.input_TBI[query_flags[0] + 1 : query_flags[0] + 4, :, :6].swapaxes(0, 1)
    answer_BVC = batch.target_TBO[T - 3 :].swapaxes(0, 1)
    asked = []
    for items, query, answer in zip(items_BKVC, query_BVC, answer_BVC, strict=True):
        fits = [
            k for k in range(len(items) - 1) if np.array_equal(items[k], query) and np.array_equal(items[k + 1], answer)
        ]
        assert fits, "the answer is what followed the query, and the query was an item"
        asked.append(fits[0])
    return items_BKVC, np.array(asked)


def assert_equal_sequences(batch, rows, alone):
    np.testing.assert_array_equal(batch.input_TBI[:, rows], alone.input_TBI)
    np.testing.assert_array_equal(batch.target_TBO[:, rows], alone.target_TBO)
    np.testing.assert_array_equal(batch.mask_TO, alone.mask_TO)


@given(seed=st.integers(0, 2**64 - 1), first=FIRSTS, count=st.integers(1, 6), items=ITEMS)
def test_every_layout_decodes_to_its_question(seed, first, count, items):
    batch = TASK.draw(Stream(seed, Purpose.EVALUATION), first, count, items)
    items_BKVC, asked_B = decode(batch)
    assert (items_BKVC.shape, asked_B.shape) == ((count, items, 3, 6), (count,))
    assert batch.input_TBI.shape[0] == 4 * items + 8
    assert (batch.first, batch.condition, batch.size) == (first, items, count)


@given(first=FIRSTS, count=st.integers(1, 6))
def test_a_training_batch_has_as_many_items_as_its_first_sequence(first, count):
    stream = Stream(5, Purpose.TRAIN)
    items = TASK.condition_of(stream, first)
    batch = TASK.draw(stream, first, count)
    assert 2 <= items <= 6
    assert batch.condition == items
    assert decode(batch)[0].shape[1] == items
    assert_equal_sequences(batch, slice(None), TASK.draw(stream, first, count, items))


@given(first=FIRSTS, items=ITEMS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_a_batch_may_be_drawn_in_any_pieces_and_any_order(first, items, sizes, data):
    batch = TASK.draw(Stream(5, Purpose.TRAIN), first, sum(sizes), items)
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    pieces = data.draw(st.permutations(list(zip(starts, sizes, strict=True))))
    stream = Stream(5, Purpose.TRAIN)
    for start, size in pieces:
        piece = TASK.draw(stream, first + start, size, items)
        assert_equal_sequences(batch, slice(start, start + size), piece)


def test_rows_of_a_batch_differ():
    """Six items of eighteen bits: two equal rows among a thousand have probability 2e-27."""
    items_BKVC, _ = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, 6))
    assert len(np.unique(items_BKVC.reshape(1000, -1), axis=0)) == 1000


def test_seed_and_purpose_change_the_sequences():
    drawn = [TASK.draw(Stream(seed, purpose), 0, 1, 6) for seed in range(3) for purpose in Purpose]
    assert len({decode(batch)[0].tobytes() for batch in drawn}) == len(drawn)


def test_numbers_of_items_are_uniform_from_2_to_6():
    """Chi-square of 20,000 training batches; 18.47 is the 99.9 % quantile for 4 degrees of freedom; fixed seed."""
    stream = Stream(1, Purpose.TRAIN)
    counts = np.bincount([TASK.condition_of(stream, first) for first in range(20_000)], minlength=7)
    assert counts[:2].tolist() == [0, 0]
    assert counts.size == 7
    assert ((counts[2:] - 4000) ** 2 / 4000).sum() < 18.47


@pytest.mark.parametrize(("items", "quantile"), [(2, 0), (3, 10.83), (6, 18.47), (20, 42.31)])
def test_each_sequence_asks_for_any_item_but_the_last_equally_often(items, quantile):
    """Chi-square within one batch; the bounds are the 99.9 % quantiles for items − 2 degrees of freedom; fixed seed."""
    _, asked_B = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 2000, items))
    counts = np.bincount(asked_B, minlength=items - 1)
    assert counts.size == items - 1, "never the last item: nothing follows it"
    expected = 2000 / (items - 1)
    assert ((counts - expected) ** 2 / expected).sum() <= quantile


def test_the_query_does_not_follow_from_the_number_of_items():
    """Drawn as in training, six items have uniform queries; 18.47 as above. One word for both would skew them."""
    stream = Stream(1, Purpose.TRAIN)
    six = [first for first in range(5_000) if TASK.condition_of(stream, first) == 6]
    counts = np.bincount([decode(TASK.draw(stream, first, 1))[1][0] for first in six], minlength=5)
    expected = len(six) / 5
    assert ((counts - expected) ** 2 / expected).sum() < 18.47


@pytest.mark.parametrize("asked", range(5))
def test_bits_are_fair_whatever_is_asked(asked):
    """Five standard errors, at a fixed seed, for each of the 108 bits of six items."""
    items_BKVC, asked_B = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 2000, 6))
    chosen = items_BKVC[asked_B == asked]
    assert np.abs(chosen.mean(0) - 0.5).max() < 5 * 0.5 / math.sqrt(len(chosen))


def test_bits_are_fair_whatever_the_number_of_items_drawn():
    stream = Stream(1, Purpose.TRAIN)
    six = [first for first in range(5_000) if TASK.condition_of(stream, first) == 6]
    mean_VC = np.mean([TASK.draw(stream, first, 1).input_TBI[1:4, 0, :6] for first in six], axis=0)
    assert np.abs(mean_VC - 0.5).max() < 5 * 0.5 / math.sqrt(len(six))


def test_chance_is_18_bits_by_counting():
    scored = [TASK.draw(Stream(1, Purpose.TRAIN), 0, 1, items).mask_TO.sum() for items in range(2, 21)]
    assert set(scored) == {TASK.chance_bits} == {18}


def test_chance_is_18_bits_by_flipping_coins():
    """Logit 0 is a fair coin, and every sequence scores the same number of bits: no spread."""
    for first in range(20):
        batch = TASK.draw(Stream(1, Purpose.TRAIN), first, 5)
        target_TBO = torch.from_numpy(batch.target_TBO)
        bits_B = loss.bits(torch.zeros_like(target_TBO), target_TBO, torch.from_numpy(batch.mask_TO))
        np.testing.assert_allclose(bits_B, TASK.chance_bits, rtol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(2, 2), (3, 5), (2, 20)])
def test_numbers_of_items_follow_the_settings(low, high):
    task = AssociativeRecall(min_items=low, max_items=high)
    drawn = {task.condition_of(Stream(2, Purpose.TRAIN), first) for first in range(1000)}
    assert drawn == set(range(low, high + 1))
    assert task.longest_condition == high


@pytest.mark.parametrize("value", [2, 6, 20, 300])
def test_a_setting_is_an_integer_from_2(value):
    assert TASK.parse_condition(value) == value


@pytest.mark.parametrize("value", [1, 0, -1, "x", "6", 2.5, 6.0, True, None, [6], (6, 2)])
def test_any_other_setting_is_refused_by_name(value):
    with pytest.raises(ValueError, match="lengths") as refused:
        TASK.parse_condition(value)
    assert repr(value) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"min_items": 1}, "^min_items=1"),
        ({"min_items": -3}, "^min_items=-3"),
        ({"max_items": 1}, "^max_items=1"),
        ({"min_items": 8}, "^max_items=6"),
    ],
)
def test_impossible_numbers_of_items_are_refused_by_key(arguments, key):
    with pytest.raises(InvalidSetting, match=key):
        AssociativeRecall(**arguments)


def test_a_batch_of_one_and_of_a_thousand():
    thousand = TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, 4)
    one = TASK.draw(Stream(1, Purpose.VALIDATION), 999, 1, 4)
    assert decode(thousand)[0].shape == (1000, 4, 3, 6)
    assert_equal_sequences(thousand, slice(999, None), one)


def test_more_items_begin_with_the_same_ones():
    stream = Stream(1, Purpose.EVALUATION)
    six, _ = decode(TASK.draw(stream, 0, 3, 6))
    np.testing.assert_array_equal(decode(TASK.draw(stream, 0, 3, 20))[0][:, :6], six)


def test_the_paper_tests_four_numbers_of_items():
    assert TASK.test_conditions == (6, 10, 15, 20)
    assert [TASK.parse_condition(condition) for condition in TASK.test_conditions] == list(TASK.test_conditions)


def test_perfection_costs_nothing():
    assert TASK.optimum_bits(TASK.draw(Stream(1, Purpose.TRAIN), 0, 2)) is None


def test_the_task_is_found_by_its_name_and_cannot_be_changed():
    assert tasks.find("associative_recall") is AssociativeRecall
    assert TASK.name == "associative_recall"
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASK.max_items = 30
