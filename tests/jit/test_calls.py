"""A call by address is a call: the same machine code, the same bits, the same errors."""

import gc

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from ntm_repro.jit import cache
from ntm_repro.jit.calls import Compiled, call
from ntm_repro.optimisers import norm


@njit
def by_address(function, arguments, factor):
    call(function, (*arguments, factor))


@njit
def scale(numbers, factor):
    if factor < 0:
        raise ValueError("negative")
    for i in range(numbers.shape[0]):
        numbers[i] *= factor


def test_it_calls_the_function():
    numbers = np.arange(4.0)
    by_address(Compiled(scale, numbers, 1.0), (numbers,), 3.0)
    assert numbers.tolist() == [0, 3, 6, 9]


def test_it_is_the_machine_code_that_python_calls():
    gradient = np.random.default_rng(1).standard_normal(3_000).astype(np.float32)
    ours, theirs = np.empty(1), np.empty(1)
    squares = cache.entry_of(norm.squares)
    squares(gradient, theirs, 0, 1)
    by_address(Compiled(squares, gradient, ours, 0, 1), (gradient, ours, 0), 1)
    assert ours.tobytes() == theirs.tobytes()


def test_a_caller_compiles_before_what_it_calls():
    numbers = np.arange(4.0)
    callee = njit(lambda numbers, factor: None)
    Compiled(by_address, Compiled(callee, numbers, 1.0), (numbers,), 1.0).compile()
    assert callee.signatures == []


def test_an_error_comes_back():
    numbers = np.arange(4.0)
    with pytest.raises(ValueError, match="negative"):
        by_address(Compiled(scale, numbers, 1.0), (numbers,), -1.0)


def test_arguments_of_other_types_are_refused():
    numbers = np.arange(4.0)
    compiled = Compiled(scale, numbers, 1.0)
    for other in (numbers.astype(np.float32), np.arange(8.0)[::2]):
        with pytest.raises(TypingError, match="wanted"):
            by_address(compiled, (other,), 1.0)
    with pytest.raises(TypingError, match="wanted"):
        by_address(compiled, (numbers,), 1)


def test_the_code_lives_as_long_as_what_names_it():
    numbers = np.arange(4.0)

    def made_here(numbers, factor):
        numbers[0] = factor

    compiled = Compiled(njit(made_here), numbers, 1.0)
    del made_here
    gc.collect()
    by_address(compiled, (numbers,), 7.0)
    assert numbers[0] == 7
