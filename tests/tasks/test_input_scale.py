"""Factors of input channels: what the rule says of the paper's tasks, and of channels made up for the purpose."""

import numpy as np
import pytest

from ntm_repro import paper, tasks
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import input_channels, input_scale
from ntm_repro.tasks.base import Batch

# The smallest count of repeats that is not zero is 5 or 6: (6 − 5.5) / √(8.25) = 0.174.
COUNT = 1 / (0.5 / np.sqrt(8.25))
EXPECTED = {
    "copy": [1.0] * 10,
    "associative_recall": [1.0] * 8,
    "dynamic_ngrams": [1.0],
    "repeat_copy": [1.0] * 7 + [COUNT],
    # The priority is uniform in ±1: its 5 % quantile is 0.05, and 20 is more than the cap.
    "priority_sort": [1.0] * 8 + [10.0, 1.0],
}


@pytest.mark.parametrize("name", paper.TASKS)
def test_of_the_papers_tasks_only_faint_channels_have_a_factor(name):
    assert input_scale.faintest(tasks.find(name)()) == pytest.approx(EXPECTED[name], rel=1e-6)


QUIETEST = {
    "copy": [1.0] * 8 + [5.0, 5.0],
    "associative_recall": [1.0] * 6 + [2.0, 4.0],
    "dynamic_ngrams": [1.0],
    "repeat_copy": [1.0] * 6 + [3.0, 3 * COUNT],
    # The priority speaks at each of 20 vectors, a bit at half of them, the flag once.
    "priority_sort": [2.0] * 8 + [10.0, 20.0],
}


@pytest.mark.parametrize("name", paper.TASKS)
def test_channels_that_speak_seldom_have_a_larger_factor(name):
    task = tasks.find(name)()
    quietest = input_scale.quietest(task)
    assert quietest == pytest.approx(QUIETEST[name], rel=1e-6)
    rarity = [factor / faintness for factor, faintness in zip(QUIETEST[name], EXPECTED[name], strict=True)]
    expected = [faintness / factor for factor, faintness in zip(rarity, EXPECTED[name], strict=True)]
    assert input_scale.frequent(task) == pytest.approx(expected, rel=1e-6)


class Made:
    """A task of three channels: uniform numbers up to 0.5, nothing at all, and numbers of ±4."""

    inputs = 3

    def draw(self, stream, first, count, condition=None):
        assert count == 1
        u_T = np.random.default_rng(first).uniform(-0.5, 0.5, 50)
        input_TBI = np.stack([u_T, np.zeros(50), 8.0 * (u_T > 0) - 4], -1)[:, None]
        return Batch(first, None, input_TBI, input_TBI, input_TBI[:, 0])


def test_the_rule_is_one_over_the_five_percent_quantile_of_sizes_within_one_and_ten():
    sizes = sorted(
        abs(value)
        for number in range(input_channels.SEQUENCES)
        for value in np.random.default_rng(number).uniform(-0.5, 0.5, 50)
    )
    quantile = sizes[len(sizes) // 20]
    faint, silent, loud = input_scale.faintest(Made())
    assert faint == pytest.approx(min(10, 1 / quantile), rel=1e-3)
    assert (silent, loud) == (1.0, 1.0)
    assert input_scale.quietest(Made()) == [faint, silent, loud]  # those that speak do so at every step


class Rare(Made):
    """The same, but its first channel speaks at every tenth step, its third at every fourth."""

    def draw(self, stream, first, count, condition=None):
        batch = super().draw(stream, first, count)
        steps = np.arange(50)
        batch.input_TBI[steps % 10 != 0, :, 0] = 0
        batch.input_TBI[steps % 4 != 0, :, 2] = 0
        return batch


def test_rarity_is_counted_from_the_most_frequent_channel_and_the_product_is_at_most_thirty():
    faint, _, _ = input_scale.faintest(Rare())
    assert faint == 10.0  # no less than the cap
    # 13 of 50 steps against 5 of 50 is 2.6 times as often.
    assert input_scale.quietest(Rare()) == [30.0, 1.0, 1.0]
    assert input_scale.frequent(Rare()) == [10.0 / 3, 1.0, 1.0]


def test_it_has_sequences_of_its_own_and_the_same_every_time():
    task = tasks.find("priority_sort")()
    assert input_scale.faintest(task) == input_scale.faintest(task)
    theirs = [Stream(0, purpose).words(0, 2).tolist() for purpose in Purpose]
    assert len({tuple(words) for words in theirs}) == len(Purpose)
