"""The gradient's norm is its norm, however it is summed."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from ntm_repro.optimisers import norm

total = njit(norm.total)
both = pytest.mark.parametrize("function", [norm.norm, norm.compiled_norm])


@both
@pytest.mark.parametrize("size", [16, 1040, norm.BLOCK, 3 * norm.BLOCK + 16])
def test_it_is_the_root_of_the_sum_of_squares(function, size):
    gradient = torch.randn(size, generator=torch.Generator().manual_seed(1))
    # torch sums up to 200,000 squares in float32.
    precision = 1e-5 if function is norm.norm else 1e-6
    assert function(gradient) == pytest.approx(gradient.double().square().sum().sqrt().item(), rel=precision)


@both
def test_squares_that_overflow_float32_do_not_matter(function):
    assert function(torch.tensor([3e25, -4e25] + 14 * [0.0])) == pytest.approx(5e25, rel=1e-6)


@both
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_shows(function, bad):
    assert not torch.tensor(function(torch.tensor([1.0] * 15 + [bad]))).isfinite()


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(threads, monkeypatch):
    gradient = torch.randn(5 * norm.BLOCK, generator=torch.Generator().manual_seed(1))
    whole = norm.compiled_norm(gradient)
    monkeypatch.setattr("ntm_repro.jit.threads.parts_for", lambda count: threads)
    assert norm.compiled_norm(gradient) == whole


@given(st.lists(st.floats(0, 1e30), max_size=norm.WHOLE))
def test_the_total_is_numpys_to_the_bit(numbers):
    sums = np.array(numbers, float)
    assert total(sums) == sums.sum()


@given(st.integers(0, norm.WHOLE), st.integers(0, 1_000))
def test_the_total_of_numbers_of_every_size_is_numpys_to_the_bit(count, seed):
    generator = np.random.default_rng(seed)
    sums = generator.random(count) * 10.0 ** generator.integers(-9, 9, count)
    assert total(sums) == sums.sum()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("count", [1, 3, 9, 20])
def test_a_total_that_is_not_finite_shows(count, bad):
    sums = np.ones(count)
    sums[-1] = bad
    assert not np.isfinite(total(sums))
