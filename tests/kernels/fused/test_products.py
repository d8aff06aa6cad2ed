"""Products on the rows of a tape against numpy, for every number of rows that takes another way through them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.kernels.fused import panels, products

INPUTS, COLUMNS, SOURCE, TARGET = 23, 112, 3, 64


def made(rows, columns=COLUMNS, seed=1):
    """weights [INPUTS + 1, columns], and a tape whose every number is random."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(INPUTS + 1, columns)), generator.normal(size=(rows + 2, 240))


NOTHING = np.empty(0)


def packed(weights):
    copy = np.full(INPUTS * weights.shape[1], np.nan)
    panels.pack(weights[:INPUTS], copy)
    return copy


def transposed(weights):
    copy = np.full(-(-len(weights) // 16) * 16 * weights.shape[1], np.nan)
    panels.pack_transposed(weights, copy)
    return copy


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("columns", [16, 48, 64, 112])
@pytest.mark.parametrize("rows", [1, 2, 4, 5, 8, 11])
def test_affine(rows, columns, is_packed):
    weights, tape = made(rows, columns)
    before = tape.copy()
    copy = packed(weights) if is_packed else NOTHING
    products.affine(weights, copy, tape, 1, rows, SOURCE, INPUTS, TARGET)
    expected = before.copy()
    expected[1 : rows + 1, TARGET : TARGET + columns] = before[1 : rows + 1, SOURCE : SOURCE + INPUTS] @ weights[:-1]
    expected[1 : rows + 1, TARGET : TARGET + columns] += weights[-1]
    np.testing.assert_allclose(tape, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 4, 9])
@pytest.mark.parametrize(("skip", "inputs"), [(0, 5), (7, 16), (22, 1)])
def test_a_product_with_some_of_the_weights_is_added(rows, skip, inputs, is_packed):
    weights, tape = made(rows)
    expected = tape.copy()
    given_rows = tape[1 : rows + 1, SOURCE : SOURCE + inputs]
    expected[1 : rows + 1, TARGET : TARGET + COLUMNS] += given_rows @ weights[skip : skip + inputs]
    copy = packed(weights) if is_packed else NOTHING
    products.add_product(weights, copy, tape, 1, rows, SOURCE, inputs, TARGET, skip)
    np.testing.assert_allclose(tape, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 4, 9])
@pytest.mark.parametrize(("low", "high"), [(0, INPUTS), (3, 20), (3, 19), (22, 23), (5, 5)])
def test_transposed_product(rows, low, high, is_packed):
    """With packed weights, fours of rows set whole panels."""
    weights, tape = made(rows)
    expected = tape.copy()
    if is_packed:
        expected[1 : rows // 4 * 4 + 1, 200 : 200 + -(-(high - low) // 16) * 16] = 0
    g = tape[1 : rows + 1, TARGET : TARGET + COLUMNS]
    expected[1 : rows + 1, 200 : 200 + high - low] = g @ weights[low:high].T
    copy = transposed(weights[low:high]) if is_packed else NOTHING
    products.transposed_product(weights, copy, tape, 1, rows, TARGET, 200, low, high)
    np.testing.assert_allclose(tape, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("columns", [16, 80])
@pytest.mark.parametrize(("steps", "batch", "group"), [(9, 7, 4), (3, 8, 4), (70, 1, 4), (300, 2, 8), (40, 13, 8)])
def test_packed_outer_products_of_all_groups_are_those_of_each_to_the_bit(steps, batch, group, columns):
    tapes = np.random.default_rng(1).normal(size=((steps + 1) * batch, 240))
    ours, theirs = (np.full((INPUTS + 1, columns), np.nan) for _ in range(2))
    low, fours = 4, products.whole_fours(4, INPUTS + 1, INPUTS)
    room = np.full((fours - low + 64) * panels.ROWS_AT_ONCE, np.nan)
    panels.set_packed_outer_products(ours, tapes, batch, group, SOURCE, TARGET, low, fours, room)
    for first in range(0, batch, group):
        count = min(group, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        products.add_outer_products(theirs, tape, count, steps * count, SOURCE, TARGET, low, fours, first == 0)
    np.testing.assert_array_equal(ours, theirs)
    assert np.isnan(ours[fours:]).all()


@given(
    rows=st.integers(1, 13),
    columns=st.sampled_from([16, 64, 80]),
    cuts=st.sets(st.integers(1, 5)),
    fresh=st.booleans(),
)
def test_outer_products_in_any_shares_of_whole_fours(rows, columns, cuts, fresh):
    weights, tape = made(rows, columns)
    whole, divided = weights.copy(), weights.copy()
    asked = (tape, 1, rows, SOURCE, TARGET)
    products.add_outer_products(whole, *asked, 0, INPUTS + 1, fresh)
    ends = [0, *(4 * cut for cut in sorted(cuts)), INPUTS + 1]
    for low, high in pairwise(ends):
        products.add_outer_products(divided, *asked, low, high, fresh)
    np.testing.assert_array_equal(divided, whole)

    u = np.concatenate([tape[1 : rows + 1, SOURCE : SOURCE + INPUTS], np.ones((rows, 1))], 1)
    expected = u.T @ tape[1 : rows + 1, TARGET : TARGET + columns] + (0 if fresh else weights)
    np.testing.assert_allclose(whole, expected, rtol=1e-12, atol=1e-12)
