"""What is called without detours is the machine code that numba would call."""

import gc

import numpy as np
import pytest
from numba import njit

from ntm_repro.jit import cache
from ntm_repro.jit.calls import Compiled
from ntm_repro.optimisers import norm


@njit
def scale(numbers, factor):
    if factor < 0:
        raise ValueError("negative")
    for i in range(numbers.shape[0]):
        numbers[i] *= factor
    return numbers.shape[0]


def test_it_calls_the_function():
    numbers = np.arange(4.0)
    assert Compiled(scale, numbers, 1.0).run(numbers, 3.0) == 4
    assert numbers.tolist() == [0, 3, 6, 9]


def test_it_is_the_machine_code_that_numba_calls():
    gradient = np.random.default_rng(1).standard_normal(3_000).astype(np.float32)
    ours, theirs = np.empty(1), np.empty(1)
    squares = cache.entry_of(norm.squares)
    squares(gradient, theirs, 0, 1)
    Compiled(squares, gradient, ours, 0, 1).run(gradient, ours, 0, 1)
    assert ours.tobytes() == theirs.tobytes()


def test_an_error_comes_back():
    numbers = np.arange(4.0)
    with pytest.raises(ValueError, match="negative"):
        Compiled(scale, numbers, 1.0).run(numbers, -1.0)


def test_the_code_lives_as_long_as_what_names_it():
    def made_here(numbers, factor):
        numbers[0] = factor

    numbers = np.arange(4.0)
    compiled = Compiled(njit(made_here), numbers, 1.0)
    del made_here
    gc.collect()
    compiled.run(numbers, 7.0)
    assert numbers[0] == 7
