"""Noise on inputs: on bits alone, of the width asked for, the same for a sequence however it is batched."""

import numpy as np
import pytest

from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.copy import Copy
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams
from ntm_repro.tasks.repeat_copy import RepeatCopy
from ntm_repro.training.drawing import Drawer
from ntm_repro.training.input_noise import InputNoise, uniform

COUNT = 7  # repeat copy's channel that is no bit


def drawn(task, first, count, condition, seed=1):
    return task.draw(Stream(seed, Purpose.TRAIN), first, count, condition)


def test_a_word_is_four_numbers_as_plain_python_reads_it():
    words_BW = np.array([[0, 2**64 - 1], [0x0001_8000_FFFF_7FFF, 1 << 16]], np.uint64)
    naive = [
        [(2 * (int(word) >> 16 * k & 0xFFFF) + 1) / 2**16 - 1 for word in row for k in range(4)] for row in words_BW
    ]
    assert uniform(words_BW).tolist() == naive
    assert uniform(words_BW).dtype == np.float32
    assert np.abs(uniform(words_BW)).max() == 1 - 2**-16


def test_bits_alone_are_noisy_and_nothing_else_of_the_batch_changes():
    batch = drawn(RepeatCopy(), 5, 3, (4, 2))
    before = [array.copy() for array in batch[2:]]
    noisy = InputNoise(RepeatCopy(), 1).added_to(batch, 0.2)
    difference_TBI = noisy.input_TBI - batch.input_TBI
    assert (difference_TBI[..., COUNT] == 0).all()
    rest = np.delete(difference_TBI, COUNT, -1)
    assert (rest != 0).all()
    assert np.abs(rest).max() < 0.2 + 1e-6
    assert (noisy.first, noisy.condition) == (5, (4, 2))
    for ours, theirs in zip([batch.input_TBI, *noisy[3:]], before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert noisy.input_TBI.dtype == np.float32


def test_it_is_uniform_and_independent_from_step_to_step():
    """80,000 numbers: five standard deviations of each statistic."""
    task = DynamicNGrams(length=200)
    noise = InputNoise(task, 1)
    x_TB = np.concatenate(
        [(noise.added_to(b, 0.5).input_TBI - b.input_TBI)[..., 0] for b in [drawn(task, 0, 400, 200)]]
    )
    count = x_TB.size
    assert abs(x_TB.mean()) < 5 * 0.5 / np.sqrt(3 * count)
    assert x_TB.var() == pytest.approx(0.25 / 3, rel=5 * np.sqrt(0.8 / count))
    assert abs(np.mean(x_TB[1:] * x_TB[:-1])) < 5 * 0.25 / 3 / np.sqrt(count)
    assert abs(np.mean(x_TB[:, 1:] * x_TB[:, :-1])) < 5 * 0.25 / 3 / np.sqrt(count)


def test_a_sequence_has_its_own_noise_however_it_is_batched():
    noise = InputNoise(Copy(), 3)
    whole = noise.added_to(drawn(Copy(), 7, 4, 6), 0.1).input_TBI
    for b in range(4):
        np.testing.assert_array_equal(noise.added_to(drawn(Copy(), 7 + b, 1, 6), 0.1).input_TBI[:, 0], whole[:, b])


def test_another_seed_has_other_noise():
    batch = drawn(Copy(), 0, 1, 6)
    one, other = (InputNoise(Copy(), seed).added_to(batch, 0.1).input_TBI for seed in (1, 2))
    assert (one != other).any()


def test_a_drawer_adds_it_and_the_optimum_is_that_of_the_targets():
    task, stream = DynamicNGrams(length=9, context=3), Stream(1, Purpose.TRAIN)
    noise = InputNoise(task, 1)

    def noisy(batch):
        return noise.added_to(batch, batch.first / 10)

    plain, changed = (Drawer(task, stream, given).batches(4, 2, 8) for given in (None, noisy))
    for one, other in zip(plain, changed, strict=False):
        assert one.optimum == other.optimum
        np.testing.assert_array_equal(other.batch.input_TBI, noisy(one.batch).input_TBI)
