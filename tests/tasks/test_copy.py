"""Copy: the tensors decode to the question the paper poses, and batches are nothing but sequences side by side."""

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
from ntm_repro.tasks.copy import Copy

TASK = Copy()
LENGTHS = st.integers(1, 130)
FIRSTS = st.integers(0, 2**40)


def decode(batch):
    """The bit vectors [B, L, 8] that a batch asks to copy; every other entry is checked to be as the paper says."""
    T, B, _ = batch.input_TBI.shape
    L = T // 2 - 1
    assert T == 2 * L + 2
    assert batch.input_TBI.shape == (T, B, TASK.inputs) == (T, B, 10)
    assert batch.target_TBO.shape == (T, B, TASK.outputs) == (T, B, 9)
    assert batch.mask_TO.shape == (T, 9)
    for array in (batch.input_TBI, batch.target_TBO, batch.mask_TO):
        assert array.dtype == np.float32
        assert set(np.unique(array)) <= {0.0, 1.0}

    for t in range(T):
        assert (batch.input_TBI[t, :, 8] == (t == 0)).all(), "start flag at the first step only"
        assert (batch.input_TBI[t, :, 9] == (t == L + 1)).all(), "end flag right after the data only"
        if not 1 <= t <= L:
            assert not batch.input_TBI[t, :, :8].any(), "data channels are blank at flags and during recall"
        recalling = t > L + 1
        assert (batch.mask_TO[t, :8] == recalling).all(), "the last L steps score eight bits"
        if not recalling:
            assert not batch.target_TBO[t].any()
    assert not batch.mask_TO[:, 8].any(), "the ninth output is never scored"
    assert not batch.target_TBO[:, :, 8].any()

    data_LBC = batch.input_TBI[1 : L + 1, :, :8]
    np.testing.assert_array_equal(batch.target_TBO[T - L :, :, :8], data_LBC)
    return data_LBC.swapaxes(0, 1)


def assert_equal_sequences(batch, rows, alone):
    np.testing.assert_array_equal(batch.input_TBI[:, rows], alone.input_TBI)
    np.testing.assert_array_equal(batch.target_TBO[:, rows], alone.target_TBO)
    np.testing.assert_array_equal(batch.mask_TO, alone.mask_TO)


@given(seed=st.integers(0, 2**64 - 1), first=FIRSTS, count=st.integers(1, 6), length=LENGTHS)
def test_every_layout_decodes_to_its_question(seed, first, count, length):
    batch = TASK.draw(Stream(seed, Purpose.EVALUATION), first, count, length)
    assert decode(batch).shape == (count, length, 8)
    assert (batch.first, batch.condition, batch.size) == (first, length, count)


@given(first=FIRSTS, count=st.integers(1, 6))
def test_a_training_batch_has_the_length_of_its_first_sequence(first, count):
    stream = Stream(5, Purpose.TRAIN)
    length = TASK.condition_of(stream, first)
    batch = TASK.draw(stream, first, count)
    assert 1 <= length <= 20
    assert batch.condition == length
    assert decode(batch).shape == (count, length, 8)
    assert_equal_sequences(batch, slice(None), TASK.draw(stream, first, count, length))


@given(first=FIRSTS, length=LENGTHS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_a_batch_may_be_drawn_in_any_pieces_and_any_order(first, length, sizes, data):
    batch = TASK.draw(Stream(5, Purpose.TRAIN), first, sum(sizes), length)
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    pieces = data.draw(st.permutations(list(zip(starts, sizes, strict=True))))
    stream = Stream(5, Purpose.TRAIN)
    for start, size in pieces:
        piece = TASK.draw(stream, first + start, size, length)
        assert_equal_sequences(batch, slice(start, start + size), piece)


@given(first=FIRSTS, length=LENGTHS, row=st.integers(0, 4))
def test_a_row_of_a_batch_is_the_sequence_drawn_alone(first, length, row):
    batch = TASK.draw(Stream(5, Purpose.TRAIN), first, 5, length)
    alone = TASK.draw(Stream(5, Purpose.TRAIN), first + row, 1, length)
    assert_equal_sequences(batch, slice(row, row + 1), alone)


def test_rows_of_a_batch_differ():
    """Twenty vectors of eight bits: two equal rows among a thousand have probability 1e-43."""
    bits_BLC = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, 20))
    assert len(np.unique(bits_BLC.reshape(1000, -1), axis=0)) == 1000


def test_seed_and_purpose_change_the_sequences():
    bits = [decode(TASK.draw(Stream(seed, purpose), 0, 1, 20)).tobytes() for seed in range(3) for purpose in Purpose]
    assert len(set(bits)) == len(bits)


def test_lengths_are_uniform_from_1_to_20():
    """Chi-square of 20,000 training batches; 43.82 is the 99.9 % quantile for 19 degrees of freedom; fixed seed."""
    stream = Stream(1, Purpose.TRAIN)
    counts = np.bincount([TASK.condition_of(stream, first) for first in range(20_000)], minlength=21)
    assert counts[0] == 0
    assert counts.size == 21
    assert ((counts[1:] - 1000) ** 2 / 1000).sum() < 43.82


def test_bits_are_fair_whatever_the_length_drawn():
    """Among batches whose length came out long, each of the 128 bits of the first 16 vectors is a fair coin.

    Bits taken from the word that chose the length would be skewed. Five standard errors, at a fixed seed.
    """
    stream = Stream(1, Purpose.TRAIN)
    long = [first for first in range(10_000) if TASK.condition_of(stream, first) > 15]
    mean_LC = np.mean([decode(TASK.draw(stream, first, 1))[0, :16] for first in long], axis=0)
    assert np.abs(mean_LC - 0.5).max() < 5 * 0.5 / math.sqrt(len(long))


def test_all_256_vectors_are_equally_likely():
    """Chi-square with 255 degrees of freedom: 330.5 is its 99.9 % quantile, the seed is fixed."""
    bits_VC = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, 20)).reshape(-1, 8)
    counts = np.bincount(np.packbits(bits_VC.astype(np.uint8), axis=1)[:, 0], minlength=256)
    expected = len(bits_VC) / 256
    assert ((counts - expected) ** 2 / expected).sum() < 330.5


def test_chance_is_84_bits_by_counting():
    """The mean over every equally likely length of the bits scored."""
    scored = [TASK.draw(Stream(1, Purpose.TRAIN), 0, 1, length).mask_TO.sum() for length in range(1, 21)]
    assert sum(scored) / 20 == TASK.chance_bits == 84


def test_chance_is_84_bits_by_flipping_coins():
    """Logit 0 is a fair coin. One length's deviation is 8 √((20² − 1) / 12) = 46.1 bits; four standard errors."""
    stream = Stream(1, Purpose.TRAIN)
    costs = []
    for first in range(4000):
        batch = TASK.draw(stream, first, 1)
        target_TBO = torch.from_numpy(batch.target_TBO)
        costs.append(loss.bits(torch.zeros_like(target_TBO), target_TBO, torch.from_numpy(batch.mask_TO)).item())
    assert np.mean(costs) == pytest.approx(TASK.chance_bits, abs=4 * 46.1 / math.sqrt(4000))


@pytest.mark.parametrize(("low", "high"), [(1, 1), (3, 7), (20, 20), (1, 120)])
def test_lengths_and_chance_follow_the_settings(low, high):
    task = Copy(min_length=low, max_length=high)
    stream = Stream(2, Purpose.TRAIN)
    lengths = {task.condition_of(stream, first) for first in range(2000)}
    assert (min(lengths), max(lengths)) == (low, high)
    assert task.chance_bits == np.mean([8 * length for length in range(low, high + 1)])
    assert task.longest_condition == high


@pytest.mark.parametrize("value", [1, 20, 120, 1000])
def test_a_setting_is_a_positive_integer(value):
    assert TASK.parse_condition(value) == value


@pytest.mark.parametrize("value", [0, -1, "x", "20", 2.5, 20.0, True, None, [20]])
def test_any_other_setting_is_refused_by_name(value):
    with pytest.raises(ValueError, match="lengths") as refused:
        TASK.parse_condition(value)
    assert repr(value) in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"min_length": 0}, "^min_length=0"),
        ({"min_length": -3}, "^min_length=-3"),
        ({"max_length": 0}, "^max_length=0"),
        ({"min_length": 5, "max_length": 4}, "^max_length=4"),
    ],
)
def test_impossible_lengths_are_refused_by_key(arguments, key):
    with pytest.raises(InvalidSetting, match=key):
        Copy(**arguments)


def test_a_batch_of_one_and_of_a_thousand():
    thousand = TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, 7)
    one = TASK.draw(Stream(1, Purpose.VALIDATION), 999, 1, 7)
    assert decode(thousand).shape == (1000, 7, 8)
    assert decode(one).shape == (1, 7, 8)
    assert_equal_sequences(thousand, slice(999, None), one)


def test_length_120_takes_242_steps_and_starts_like_a_shorter_one():
    """Far beyond training lengths, and as fair: 960 bits of a fixed seed within five standard errors of one half."""
    long = TASK.draw(Stream(1, Purpose.EVALUATION), 0, 3, 120)
    bits_BLC = decode(long)
    assert long.input_TBI.shape[0] == 242
    assert np.abs(bits_BLC.mean((1, 2)) - 0.5).max() < 5 * 0.5 / math.sqrt(960)
    np.testing.assert_array_equal(bits_BLC[:, :20], decode(TASK.draw(Stream(1, Purpose.EVALUATION), 0, 3, 20)))


def test_the_paper_tests_five_lengths():
    assert TASK.test_conditions == (10, 20, 30, 50, 120)
    assert [TASK.parse_condition(condition) for condition in TASK.test_conditions] == list(TASK.test_conditions)


def test_perfection_costs_nothing():
    """There is no optimum above 0 bits to subtract: the bits to recall are all in the input."""
    assert TASK.optimum_bits(TASK.draw(Stream(1, Purpose.TRAIN), 0, 2)) is None


def test_the_task_is_found_by_its_name_and_cannot_be_changed():
    assert tasks.find("copy") is Copy
    assert TASK.name == "copy"
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASK.max_length = 30
