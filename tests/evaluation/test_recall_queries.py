"""What is asked is read off the inputs. T: steps, I: inputs, V: vectors, W: width."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.evaluation.recall_queries import items_and_query
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.associative_recall import ITEM, VECTORS, AssociativeRecall


@given(st.integers(0, 10**6), st.integers(2, 8))
def test_items_and_query(seed, items):
    batch = AssociativeRecall().draw(Stream(seed, Purpose.EXAMPLE), 0, 1, items)
    input_TI = batch.input_TBI[:, 0]
    flags, query, asked = items_and_query(input_TI)
    assert flags == [4 * item for item in range(items)]
    assert query == 4 * items
    following_VW = input_TI[flags[asked + 1] + 1 :][:VECTORS, :ITEM]
    np.testing.assert_array_equal(following_VW, batch.target_TBO[-VECTORS:, 0])
