"""Waiting for each other: nobody goes on before all have come, however many threads there are and however often."""

import numpy as np
import pytest

from ntm_repro.jit import barrier, threads
from ntm_repro.jit.cache import inner


@inner
def in_step(shared_barrier, place_P, late_P, rounds, part, parts):
    """Each part counts its rounds, and those in which another's count was not its own."""
    for _ in range(rounds):
        place_P[part] += 1
        barrier.wait(shared_barrier, parts)
        for other in range(parts):
            late_P[part] += place_P[other] != place_P[part]
        barrier.wait(shared_barrier, parts)


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_all_are_in_step_though_there_are_more_than_cores(parts):
    shared_barrier, place_P, late_P = barrier.new(), np.zeros(parts, np.int64), np.zeros(parts, np.int64)
    for _ in range(3):  # a barrier serves again
        threads.share_together(in_step, parts, shared_barrier, place_P, late_P, 500)
    assert place_P.tolist() == [1500] * parts
    assert late_P.tolist() == [0] * parts


def test_one_thread_needs_no_barrier():
    place_P = np.zeros(1, np.int64)
    in_step(barrier.none(), place_P, np.zeros(1, np.int64), 7, 0, 1)
    assert place_P.tolist() == [7]
