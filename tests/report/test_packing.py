"""What is packed comes back within half a code's step, and exactly where it must."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from support.packed import bound

from ntm_repro.report.packing import pack, pack_exactly, unpack

FLOATS = st.floats(-50, 50, width=32)


@given(arrays(np.float32, array_shapes(min_dims=1, max_dims=3), elements=FLOATS))
def test_numbers_of_either_sign_come_back(values):
    packed = json.loads(json.dumps(pack(values)))
    assert (np.abs(unpack(packed) - values) <= bound(values, packed)).all()
    assert packed["limit"] == max(1, np.abs(values).max())


@given(arrays(np.float32, (5, 3), elements=st.floats(0, 1, width=32)))
def test_weights_come_back(values):
    packed = pack(values)
    assert not packed["signed"]
    assert packed["limit"] == 1
    assert (np.abs(unpack(packed) - values) <= bound(values, packed)).all()
    assert np.abs(unpack(packed) - values).max() < 0.004


def test_bits_and_bounds_are_exact():
    for values in ([[0, 1, 1], [1, 0, 0]], [[0, -2.5, 2.5], [2.5, 0, 0]], [[0, 7.25]]):
        np.testing.assert_array_equal(unpack(pack(np.array(values, np.float32))), values)


def test_what_does_not_change_costs_next_to_nothing():
    still = np.random.default_rng(1).random((1, 128, 20), np.float32).repeat(200, 0)
    assert len(pack(still)["data"]) < 0.02 * still.size


@given(arrays(np.float32, (4, 2), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_exactly_is_exactly(values):
    np.testing.assert_array_equal(unpack(json.loads(json.dumps(pack_exactly(values)))), values)
