"""Which locations a head uses, on a ring, against naive searches.

Shape suffixes: T steps, N locations.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.evaluation.locations import mean_maximum, used_rows, written_last


def shortest_run(used, locations):
    """The length of the shortest run on the ring that holds all of `used`, by trying all of them."""
    return next(
        length
        for length in range(1, locations + 1)
        for begin in range(locations)
        if used <= {(begin + offset) % locations for offset in range(length)}
    )


@given(st.lists(st.sampled_from([0.0, 0.05, 0.3, 1.0]), min_size=1, max_size=14), st.integers(0, 3))
def test_the_run_is_the_shortest_that_holds_all_used_locations_with_its_margin(use, margin):
    use_N, locations = np.array(use), len(use)
    row_N = used_rows(use_N, margin=margin)
    used = set(np.flatnonzero(use_N >= 0.1).tolist())
    assert len(set(row_N.tolist())) == len(row_N)
    assert ((np.diff(row_N) % locations == 1) | (locations == 1)).all()
    if not used:
        assert row_N.tolist() == list(range(locations))
        return
    length = shortest_run(used, locations)
    assert len(row_N) == min(locations, length + 2 * margin)
    if length + 2 * margin < locations:
        assert used <= set(row_N[margin : len(row_N) - margin].tolist())
        assert {row_N[margin], row_N[-1 - margin]} <= used
    else:
        assert row_N[0] in used


def test_a_run_across_the_end_of_the_memory():
    use_N = np.zeros(128)
    use_N[[126, 127, 0, 1, 2]] = 1
    assert used_rows(use_N).tolist() == [125, 126, 127, 0, 1, 2, 3]


def test_mean_maximum():
    assert mean_maximum(np.array([[0.5, 0.5], [1.0, 0.0]])) == 0.75


@pytest.mark.parametrize(("before", "written"), [(5, 3), (3, 1), (1, None), (0, None)])
def test_the_last_write_ahead_of_a_step(before, written):
    weighting_TN = np.zeros((5, 3))
    weighting_TN[[1, 3], 2] = 0.5, 0.9
    weighting_TN[4, 2] = 0.49
    assert written_last(weighting_TN, 2, before) == written
