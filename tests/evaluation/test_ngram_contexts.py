"""Contexts of an N-gram sequence and heads that follow them, against naive counting. T: steps, N: locations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.evaluation.ngram_contexts import contexts, most_visited, overlap


@given(st.lists(st.integers(0, 1), min_size=6, max_size=40), st.integers(1, 5))
def test_a_context_is_the_bits_before(bits, length):
    found = contexts(np.array(bits, np.float32), length).tolist()
    for t, code in enumerate(found):
        assert code == (int("".join(map(str, bits[t - length : t])), 2) if t >= length else -1)
    assert len(found) == len(bits)


def test_the_most_visited_come_first_and_periodic_ones_last():
    #        1 and 2 alternate, then 5 comes three times, 4 and 7 twice each, 4 over the longer time
    steps = [-1, -1, 1, 2, 1, 2, 1, 2, 5, 4, 7, 0, 5, 0, 0, 7, 5, 4]
    assert most_visited(np.array(steps), 3, apart=4) == [5, 4, 7]
    assert most_visited(np.array(steps), 6, apart=4) == [5, 4, 7, 1, 2, 0]
    assert most_visited(np.array([-1, -1]), 2, apart=1) == []


@given(st.integers(0, 10**6))
def test_overlap_is_the_mean_over_pairs(seed):
    random = np.random.default_rng(seed)
    weighting_TN = random.dirichlet(np.ones(4), size=9)
    context_T = random.integers(-1, 3, size=9)
    pairs = {True: [], False: []}
    for t in range(9):
        for s in range(t):
            if context_T[t] >= 0 and context_T[s] >= 0:
                common = sum(min(a, b) for a, b in zip(weighting_TN[t], weighting_TN[s], strict=True))
                pairs[bool(context_T[t] == context_T[s])].append(common)
    found = overlap(weighting_TN, context_T)
    for value, naive in ((found.same, pairs[True]), (found.different, pairs[False])):
        assert value == pytest.approx(np.mean(naive)) if naive else math.isnan(value)


def test_a_head_that_follows_the_context_and_one_that_does_not():
    context_T = np.array([0, 1, 2, 0, 1, 2])
    assert overlap(np.eye(3)[context_T], context_T) == (1, 0)
    assert overlap(np.eye(6), context_T) == (0, 0)
