"""A line on a ring: against the usual fit where nothing wraps, and found again where it does. P: points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.evaluation.linear_fit import circular_difference, fit, straightest

N = 128
SLOPES = st.floats(-N / 2, N / 2)


def scattered(seed):
    """20 places in [−1, 1] in random order, one in each twentieth, with one at either end."""
    random = np.random.default_rng(seed)
    x_P = (np.arange(20) + random.uniform(size=20)) / 10 - 1
    x_P[[0, -1]] = -1, 1
    return random.permutation(x_P)


@given(st.integers(0, 10**6), st.floats(-20, 20))
def test_where_nothing_wraps_it_is_the_usual_fit(seed, slope):
    x_P = scattered(seed)
    row_P = np.rint(64 + slope * x_P + np.random.default_rng(seed).normal(size=20))
    line = fit(x_P, row_P, N)
    naive_slope, naive_intercept = np.polyfit(x_P, row_P, 1)
    assert line.slope == pytest.approx(naive_slope, abs=1e-9)
    assert line.intercept % N == pytest.approx(naive_intercept, abs=1e-9)
    left_P = row_P - naive_slope * x_P - naive_intercept
    np.testing.assert_allclose(line.residual_P, left_P, atol=1e-9)
    explained = 1 - (left_P**2).sum() / ((row_P - row_P.mean()) ** 2).sum()
    assert line.r_squared == pytest.approx(explained, abs=1e-9)


@given(st.integers(0, 10**6), SLOPES, st.floats(0, N))
def test_a_line_around_the_ring_is_found(seed, slope, intercept):
    x_P = scattered(seed)
    line = fit(x_P, (slope * x_P + intercept) % N, N)
    assert line.slope == pytest.approx(slope, abs=1e-6)
    assert circular_difference(line.intercept, intercept, N) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(line.residual_P, 0, atol=1e-6)
    assert line.share_within(1) == 1


@given(st.integers(0, 10**6), SLOPES, st.integers(0, N - 1))
def test_rows_counted_from_elsewhere_give_the_same_line(seed, slope, shift):
    x_P = scattered(seed)
    row_P = np.rint(slope * x_P + 5 + np.random.default_rng(seed).normal(size=20)) % N
    line, shifted = fit(x_P, row_P, N), fit(x_P, (row_P + shift) % N, N)
    assert shifted.slope == pytest.approx(line.slope, abs=1e-6)
    np.testing.assert_allclose(shifted.residual_P, line.residual_P, atol=1e-6)
    assert shifted.r_squared == pytest.approx(line.r_squared, abs=1e-6)


@given(st.integers(0, 10**6), st.lists(st.integers(0, N - 1), min_size=20, max_size=20))
def test_whatever_the_rows_line_and_residual_add_up_to_them(seed, rows):
    line = fit(scattered(seed), np.array(rows), N)
    assert (line.fitted_P >= 0).all()
    assert (line.fitted_P < N).all()
    np.testing.assert_allclose(circular_difference(line.fitted_P + line.residual_P, rows, N), 0, atol=1e-6)
    assert line.r_squared <= 1


def test_rows_that_do_not_vary_explain_nothing():
    line = fit(np.linspace(-1, 1, 5), np.full(5, 127), N)
    assert line.slope == pytest.approx(0, abs=1e-9)
    assert line.r_squared == 0


def test_one_place_makes_no_line():
    with pytest.raises(ValueError, match="two places"):
        fit(np.ones(3), np.arange(3), N)


def test_share_within():
    line = fit(np.array([0.0, 1.0]), np.array([0, 1]), N)._replace(residual_P=np.array([0.0, -1.0, 1.5, -2.0]))
    assert line.share_within(1) == 0.5


def test_the_shorter_way_around():
    assert circular_difference(np.array([1, 127, 64, 0]), np.array([127, 1, 0, 0]), N).tolist() == [2, -2, -64, 0]


def test_the_straightest_head_writes_along_a_line():
    priority_T = np.linspace(-1, 1, 10)
    weighting_TWN = np.zeros((10, 3, 64))
    weighting_TWN[:, 0, 5] = 1
    weighting_TWN[range(10), 1, [3, 60, 12, 40, 1, 22, 57, 9, 33, 48]] = 1
    weighting_TWN[range(10), 2, np.rint(62 + 9 * priority_T).astype(int) % 64] = 1
    head, line = straightest(weighting_TWN, priority_T)
    assert head == 2
    assert line.slope == pytest.approx(9, abs=0.3)
