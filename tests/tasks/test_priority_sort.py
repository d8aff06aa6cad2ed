"""Priority sort: the tensors decode to the question the paper poses, and the answers really are in order."""

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
from ntm_repro.tasks.priority_sort import PrioritySort

TASK = PrioritySort()
CONDITIONS = st.integers(1, 40).flatmap(lambda vectors: st.tuples(st.just(vectors), st.integers(1, vectors)))
FIRSTS = st.integers(0, 2**40)


def decode(batch):
    """(bit vectors [B, V, 8], priorities [B, V]) of a batch; its targets must be their sorted beginning.

    The order is found by repeatedly taking the highest priority that is left, one sequence at a time.
    """
    T, B, _ = batch.input_TBI.shape
    assert batch.input_TBI.shape == (T, B, TASK.inputs) == (T, B, 10)
    assert batch.target_TBO.shape == (T, B, TASK.outputs) == (T, B, 8)
    assert batch.mask_TO.shape == (T, 8)
    for array in (batch.input_TBI, batch.target_TBO, batch.mask_TO):
        assert array.dtype == np.float32
    for array in (batch.input_TBI[..., :8], batch.input_TBI[..., 9], batch.target_TBO, batch.mask_TO):
        assert set(np.unique(array)) <= {0.0, 1.0}
    assert np.abs(batch.input_TBI[..., 8]).max() <= 1

    V = int(np.flatnonzero(batch.input_TBI[:, 0, 9])[0])
    assert (batch.input_TBI[:, :, 9] == (np.arange(T) == V)[:, None]).all(), "one flag, right after the vectors"
    assert not batch.input_TBI[V:, :, :9].any(), "nothing but the flag from there on"
    assert (batch.mask_TO == (np.arange(T) > V)[:, None]).all(), "every step after the flag scores eight bits"
    assert not batch.target_TBO[: V + 1].any()

    bits_BVC = batch.input_TBI[:V, :, :8].swapaxes(0, 1)
    priority_BV = batch.input_TBI[:V, :, 8].T
    for b in range(B):
        left = list(range(V))
        for answer in batch.target_TBO[V + 1 :, b]:
            best = max(left, key=lambda v: (priority_BV[b, v], -v))
            left.remove(best)
            np.testing.assert_array_equal(answer, bits_BVC[b, best])
    return bits_BVC, priority_BV


def assert_equal_sequences(batch, rows, alone):
    np.testing.assert_array_equal(batch.input_TBI[:, rows], alone.input_TBI)
    np.testing.assert_array_equal(batch.target_TBO[:, rows], alone.target_TBO)
    np.testing.assert_array_equal(batch.mask_TO, alone.mask_TO)


@given(seed=st.integers(0, 2**64 - 1), first=FIRSTS, count=st.integers(1, 5), condition=CONDITIONS)
def test_every_layout_decodes_to_its_question(seed, first, count, condition):
    batch = TASK.draw(Stream(seed, Purpose.EVALUATION), first, count, condition)
    vectors, highest = condition
    bits_BVC, priority_BV = decode(batch)
    assert (bits_BVC.shape, priority_BV.shape) == ((count, vectors, 8), (count, vectors))
    assert batch.input_TBI.shape[0] == vectors + 1 + highest
    assert (batch.first, batch.condition, batch.size) == (first, condition, count)


def test_the_papers_sequences_have_37_steps():
    batch = TASK.draw(Stream(1, Purpose.TRAIN), 0, 3)
    assert batch.input_TBI.shape == (37, 3, 10)
    assert batch.mask_TO.any(1).sum() == 16
    assert decode(batch)[0].shape == (3, 20, 8)


@given(first=FIRSTS, condition=CONDITIONS, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_a_batch_may_be_drawn_in_any_pieces_and_any_order(first, condition, sizes, data):
    batch = TASK.draw(Stream(5, Purpose.TRAIN), first, sum(sizes), condition)
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    pieces = data.draw(st.permutations(list(zip(starts, sizes, strict=True))))
    stream = Stream(5, Purpose.TRAIN)
    for start, size in pieces:
        piece = TASK.draw(stream, first + start, size, condition)
        assert_equal_sequences(batch, slice(start, start + size), piece)


@given(first=FIRSTS, count=st.integers(1, 6))
def test_a_training_batch_has_the_tasks_own_setting(first, count):
    stream = Stream(5, Purpose.TRAIN)
    assert TASK.condition_of(stream, first) == (20, 16)
    assert_equal_sequences(TASK.draw(stream, first, count), slice(None), TASK.draw(stream, first, count, (20, 16)))


def test_rows_of_a_batch_differ_in_vectors_and_priorities():
    """160 bits: two equal rows among a thousand have probability 3e-43."""
    bits_BVC, priority_BV = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, (20, 1)))
    assert len(np.unique(bits_BVC.reshape(1000, -1), axis=0)) == 1000
    assert len(np.unique(priority_BV.round(3), axis=0)) == 1000


def test_seed_and_purpose_change_the_sequences():
    drawn = [TASK.draw(Stream(seed, purpose), 0, 1) for seed in range(3) for purpose in Purpose]
    assert len({batch.input_TBI.tobytes() for batch in drawn}) == len(drawn)


def test_priorities_are_uniform_from_minus_1_to_1():
    """Kolmogorov–Smirnov over 20,000 of them: 1.95 / √n is the 99.9 % bound; the seed is fixed."""
    _, priority_BV = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, (20, 1)))
    sorted_P = np.sort(priority_BV.ravel())
    uniform_P = (sorted_P + 1) / 2
    rank_P = np.arange(1, sorted_P.size + 1) / sorted_P.size
    assert np.abs(rank_P - uniform_P).max() < 1.95 / math.sqrt(sorted_P.size)
    assert sorted_P[0] < -0.999
    assert sorted_P[-1] > 0.999


def test_any_place_is_as_likely_to_hold_the_highest_priority():
    """Chi-square with 19 degrees of freedom; 43.82 is its 99.9 % quantile, the seed is fixed."""
    _, priority_BV = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 2000, (20, 1)))
    counts = np.bincount(priority_BV.argmax(1), minlength=20)
    assert ((counts - 100) ** 2 / 100).sum() < 43.82


def test_bits_are_fair_whatever_the_priority():
    """They come from the same word as the priority, but from its other end. Five standard errors, fixed seed."""
    bits_BVC, priority_BV = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 2000, (20, 1)))
    for low, high in ((-1, -0.9), (-0.1, 0.1), (0.9, 1)):
        chosen = bits_BVC[(priority_BV > low) & (priority_BV < high)]
        assert np.abs(chosen.mean(0) - 0.5).max() < 5 * 0.5 / math.sqrt(len(chosen))


def test_all_256_vectors_are_equally_likely():
    """Chi-square with 255 degrees of freedom: 330.5 is its 99.9 % quantile, the seed is fixed."""
    bits_BVC, _ = decode(TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000, (20, 1)))
    counts = np.bincount(np.packbits(bits_BVC.astype(np.uint8).reshape(-1, 8), axis=1)[:, 0], minlength=256)
    expected = 20_000 / 256
    assert ((counts - expected) ** 2 / expected).sum() < 330.5


def test_equal_priorities_keep_the_order_shown():
    class Level(Stream):
        """Words whose priorities are all equal, whatever their bits are."""

        def words(self, sequence, count):
            return super().words(sequence, count) & np.uint64(0xFF)

    batch = TASK.draw(Level(1, Purpose.TRAIN), 0, 4)
    bits_BVC, priority_BV = decode(batch)
    assert (priority_BV == -1).all()
    np.testing.assert_array_equal(batch.target_TBO[21:].swapaxes(0, 1), bits_BVC[:, :16])


def test_chance_is_128_bits_by_counting():
    assert TASK.draw(Stream(1, Purpose.TRAIN), 0, 1).mask_TO.sum() == TASK.chance_bits == 128


def test_chance_is_128_bits_by_flipping_coins():
    """Logit 0 is a fair coin, and every sequence scores the same number of bits: no spread."""
    batch = TASK.draw(Stream(1, Purpose.TRAIN), 0, 20)
    target_TBO = torch.from_numpy(batch.target_TBO)
    bits_B = loss.bits(torch.zeros_like(target_TBO), target_TBO, torch.from_numpy(batch.mask_TO))
    np.testing.assert_allclose(bits_B, TASK.chance_bits, rtol=1e-6)


@pytest.mark.parametrize(("vectors", "highest"), [(1, 1), (5, 5), (40, 3)])
def test_the_sizes_follow_the_settings(vectors, highest):
    task = PrioritySort(vectors=vectors, highest=highest)
    assert task.condition_of(Stream(1, Purpose.TRAIN), 7) == task.longest_condition == (vectors, highest)
    assert task.test_conditions == ((vectors, highest),)
    batch = task.draw(Stream(1, Purpose.TRAIN), 0, 2)
    assert decode(batch)[0].shape == (2, vectors, 8)
    assert batch.mask_TO.sum() == task.chance_bits == 8 * highest


@pytest.mark.parametrize("value", [[20, 16], (20, 16), [1, 1], [100, 100]])
def test_a_setting_is_a_pair_of_integers(value):
    assert TASK.parse_condition(value) == tuple(value)


@pytest.mark.parametrize(
    "value", [0, 20, "x", None, [], [20], [20, 16, 1], [16, 20], [20, 0], [0, 0], [2.0, 1], [True, True], ["2", 1]]
)
def test_any_other_setting_is_refused_by_name(value):
    with pytest.raises(ValueError, match="lengths") as refused:
        TASK.parse_condition(value)
    assert repr(value) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"vectors": 0}, "^vectors=0"),
        ({"highest": 0}, "^highest=0"),
        ({"highest": 21}, "^highest=21"),
        ({"vectors": 8}, "^highest=16"),
    ],
)
def test_impossible_sizes_are_refused_by_key(arguments, key):
    with pytest.raises(InvalidSetting, match=key):
        PrioritySort(**arguments)


def test_a_batch_of_one_and_of_a_thousand():
    thousand = TASK.draw(Stream(1, Purpose.VALIDATION), 0, 1000)
    one = TASK.draw(Stream(1, Purpose.VALIDATION), 999, 1)
    decode(one)
    assert thousand.size == 1000
    assert_equal_sequences(thousand, slice(999, None), one)


def test_more_vectors_begin_with_the_same_ones():
    stream = Stream(1, Purpose.EVALUATION)
    few = decode(TASK.draw(stream, 0, 3, (5, 2)))
    many = decode(TASK.draw(stream, 0, 3, (40, 30)))
    for before, after in zip(few, many, strict=True):
        np.testing.assert_array_equal(after[:, :5], before)


def test_the_paper_has_one_condition():
    assert TASK.test_conditions == ((20, 16),)
    # What eval.json says of a condition can be asked for again.
    assert (
        tuple(TASK.parse_condition(condition) for condition in json.loads(json.dumps(TASK.test_conditions)))
        == TASK.test_conditions
    )


def test_perfection_costs_nothing():
    assert TASK.optimum_bits(TASK.draw(Stream(1, Purpose.TRAIN), 0, 2)) is None


def test_the_task_is_found_by_its_name_and_cannot_be_changed():
    assert tasks.find("priority_sort") is PrioritySort
    assert TASK.name == "priority_sort"
    with pytest.raises(dataclasses.FrozenInstanceError):
        TASK.vectors = 30
