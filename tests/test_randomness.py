"""Random words are addressed, not consumed: nothing drawn earlier or elsewhere changes what a sequence holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro import randomness
from ntm_repro.randomness import Purpose, Stream

SEEDS = st.integers(0, 2**64 - 1)
SEQUENCES = st.integers(0, 2**63 - 1)
PURPOSES = st.sampled_from(Purpose)
COUNTS = st.integers(1, 40)


@given(seed=SEEDS, purpose=PURPOSES, sequence=SEQUENCES, count=COUNTS)
def test_words_are_numpys_philox_with_that_key_and_counter(seed, purpose, sequence, count):
    """A whole generator made for one sequence is the specification; `Stream` only moves one generator about."""
    philox = np.random.Philox(
        key=np.array([seed, purpose], np.uint64), counter=np.array([0, sequence, 0, 0], np.uint64)
    )
    words_W = Stream(seed, purpose).words(sequence, count)
    assert words_W.dtype == np.uint64
    np.testing.assert_array_equal(words_W, philox.random_raw(count))


def test_a_sequence_owns_two_to_the_64_blocks_of_one_stream():
    """No sequence, however long, runs into the next: sequence q lies 2**64 · q blocks down the same Philox stream."""
    philox = np.random.Philox(key=np.array([3, Purpose.TRAIN], np.uint64))
    philox.advance(5 * 2**64)
    np.testing.assert_array_equal(Stream(3, Purpose.TRAIN).words(5, 9), philox.random_raw(9))


@given(seed=SEEDS, draws=st.lists(st.tuples(st.integers(0, 5), COUNTS), min_size=1, max_size=12))
def test_any_sequence_can_be_drawn_alone_and_in_any_order(seed, draws):
    """Also after a draw that stopped in the middle of a block of four words."""
    shared = Stream(seed, Purpose.TRAIN)
    for sequence, count in draws:
        alone_W = Stream(seed, Purpose.TRAIN).words(sequence, count)
        np.testing.assert_array_equal(shared.words(sequence, count), alone_W)


@given(seed=SEEDS, sequence=SEQUENCES, count=COUNTS, more=COUNTS)
def test_drawing_more_words_keeps_the_first_ones(seed, sequence, count, more):
    stream = Stream(seed, Purpose.VALIDATION)
    np.testing.assert_array_equal(stream.words(sequence, count + more)[:count], stream.words(sequence, count))


def test_words_drawn_earlier_are_not_overwritten_by_later_draws():
    stream = Stream(1, Purpose.TRAIN)
    first_W = stream.words(0, 8)
    kept_W = first_W.copy()
    stream.words(1, 8)
    np.testing.assert_array_equal(first_W, kept_W)


@given(seed=SEEDS, first=st.integers(0, 2**62), sequences=st.integers(1, 6), count=COUNTS)
def test_rows_are_the_words_of_consecutive_sequences(seed, first, sequences, count):
    stream = Stream(seed, Purpose.TRAIN)
    words_QW = stream.rows(first, sequences, count)
    assert words_QW.shape == (sequences, count)
    for row in range(sequences):
        np.testing.assert_array_equal(words_QW[row], stream.words(first + row, count))


def test_seed_purpose_and_sequence_each_change_every_word():
    """Equal words at equal places have probability 2**-64 each: any is a broken address."""
    addresses = [
        (seed, purpose, q) for seed in (0, 1, 2, 2**64 - 1) for purpose in Purpose for q in (0, 1, 2, 2**63 - 1)
    ]
    words_AW = np.stack([Stream(seed, purpose).words(q, 6) for seed, purpose, q in addresses])
    assert np.unique(words_AW).size == words_AW.size


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_is_no_word_is_refused(seed):
    with pytest.raises(OverflowError):
        Stream(seed, Purpose.TRAIN)


@given(word=st.integers(0, 2**64 - 1), low=st.integers(-1000, 1000), span=st.integers(1, 2**31))
def test_an_integer_stays_in_range_whether_the_word_is_numpys_or_pythons(word, low, span):
    value = randomness.integer(word, low, low + span - 1)
    assert low <= value <= low + span - 1
    assert type(value) is int
    assert randomness.integer(np.uint64(word), low, low + span - 1) == value


@pytest.mark.parametrize(("low", "high"), [(1, 20), (1, 10), (5, 5), (0, 1), (-3, 4)])
def test_integers_reach_both_ends_of_the_range(low, high):
    """The smallest word gives `low`, the largest `high`, and equal shares of the words lie in between."""
    span = high - low + 1
    # The middle of each value's share of the 2**64 words.
    middles = [(2 * k + 1) * 2**64 // (2 * span) for k in range(span)]
    values = [randomness.integer(word, low, high) for word in (0, *middles, 2**64 - 1)]
    assert values == [low, *range(low, high + 1), high]


@pytest.mark.parametrize(("low", "high"), [(1, 20), (1, 10), (2, 6)])
def test_integers_are_uniform(low, high):
    """Chi-square over the first word of 20,000 sequences; the bound is its 99.9 % quantile, the seed is fixed."""
    stream = Stream(1, Purpose.TRAIN)
    values = [randomness.integer(stream.words(sequence, 1)[0], low, high) for sequence in range(20_000)]
    counts = np.bincount(np.array(values) - low)
    expected = 20_000 / (high - low + 1)
    quantile = {20: 43.82, 10: 27.88, 5: 18.47}[counts.size]
    assert ((counts - expected) ** 2 / expected).sum() < quantile


def test_uniforms_are_the_53_highest_bits_as_a_fraction():
    words_W = np.array([0, 2**11 - 1, 2**11, 2**63, 2**64 - 1], np.uint64)
    uniforms_W = randomness.uniforms(words_W)
    assert uniforms_W.dtype == np.float64
    assert uniforms_W.tolist() == [0, 0, 2**-53, 0.5, 1 - 2**-53]


def test_uniforms_are_uniform():
    """Kolmogorov–Smirnov over 20,000: 1.95 / √n is the 99.9 % bound; the seed is fixed."""
    sorted_W = np.sort(randomness.uniforms(Stream(1, Purpose.TRAIN).words(0, 20_000)))
    assert np.abs(np.arange(1, 20_001) / 20_000 - sorted_W).max() < 1.95 / np.sqrt(20_000)


@given(data=st.data(), rows=st.integers(1, 4), width=st.integers(1, 5))
def test_bits_are_those_of_the_words_from_the_lowest_up(data, rows, width):
    word = st.integers(0, 2**64 - 1)
    words_RW = [[data.draw(word) for _ in range(width)] for _ in range(rows)]
    count = data.draw(st.integers(1, 64 * width))
    naive = [[(row[k // 64] >> (k % 64)) & 1 for k in range(count)] for row in words_RW]
    bits_RC = randomness.bits(np.array(words_RW, np.uint64), count)
    assert bits_RC.dtype == np.float32
    np.testing.assert_array_equal(bits_RC, naive)


def test_bits_of_a_slice_of_words_are_those_of_its_copy():
    """Tasks cut the first word off: the words they pass do not lie one after the other."""
    words_RW = np.random.default_rng(0).integers(0, 2**64, (3, 5), np.uint64)
    np.testing.assert_array_equal(
        randomness.bits(words_RW[:, 1::2], 100), randomness.bits(words_RW[:, 1::2].copy(), 100)
    )
