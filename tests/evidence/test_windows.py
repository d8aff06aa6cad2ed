"""Means over windows, against all sequences written out one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_runs import rows

from ntm_repro.evidence.windows import Window, gap, median, optimum, windows


def test_ten_rows_are_a_window_and_a_rest_is_none():
    found = windows(rows(range(25)))
    assert found == [Window(0, 10_000, 10_000, 4.5), Window(10_000, 20_000, 20_000, 14.5)]
    assert [window.middle for window in found] == [5_000, 15_000]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(0, 100)), max_size=40),
    st.integers(1, 30),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_every_mean_is_that_of_exactly_its_sequences(pieces, width, growth):
    lengths = [length for length, _ in pieces]
    ends = np.cumsum(lengths)
    one_by_one = np.repeat([value for _, value in pieces], lengths)
    given_rows = [
        {"sequences": int(end), "bits_per_sequence": value} for end, (_, value) in zip(ends, pieces, strict=True)
    ]
    found = windows(given_rows, width=width, growth=growth)
    assert [window.begin for window in found] == [0, *(window.end for window in found)][: len(found)]
    for window in found:
        assert window.mean == pytest.approx(one_by_one[window.begin : window.end].mean(), abs=1e-9)
        assert window.end in ends
        assert window.edge <= window.end
        # It is closed by the first row that may: no row ends between the edge and the window's end.
        assert not any(window.edge <= end < window.end for end in ends if end > window.begin)


def test_rows_that_do_not_divide_the_width_are_never_split():
    found = windows(rows(range(7), log_every=3_000))
    assert [(window.end, window.edge, window.mean) for window in found] == [(12_000, 10_000, 1.5), (21_000, 20_000, 5)]


def test_rows_longer_than_the_width_are_windows():
    found = windows(rows([3, 4], log_every=25_000))
    assert [(window.end, window.edge, window.mean) for window in found] == [(25_000, 20_000, 3), (50_000, 50_000, 4)]


def test_windows_grow_with_the_sequences_before():
    ends = [window.end for window in windows(rows([0] * 10), width=1_000, growth=0.5)]
    assert ends == [1_000, 2_000, 3_000, 4_000, 6_000, 9_000]


def test_cost_may_be_the_gap_to_the_optimum_or_the_optimum():
    given_rows = rows([5, 7], optimum=[1, 2], log_every=5_000)
    assert [window.mean for window in windows(given_rows, gap)] == [4.5]
    assert [window.mean for window in windows(given_rows, optimum)] == [1.5]


def test_the_median_goes_as_far_as_more_than_half_of_the_curves():
    curves = [windows(rows([value] * length)) for value, length in ((1, 40), (2, 30), (6, 20), (8, 10))]
    assert median(curves) == [(5_000, 4), (15_000, 2)]
    assert median(curves[:1])[-1] == (35_000, 1)
    assert median([]) == []


def test_the_median_is_over_windows_of_the_same_edge_however_often_runs_logged():
    curves = [windows(rows([1] * 20)), windows(rows([3] * 7, log_every=3_000))]
    assert median(curves) == [(5_500, 2), (15_750, 2)]
