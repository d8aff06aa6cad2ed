"""Where threads that share one piece of compiled work wait for each other: many times a millisecond, so they spin.

A barrier is an array of `WORDS` integers: how many threads have arrived, and, on another cache line, how often all had.
"""

import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ntm_repro.jit.cache import inner

WORDS = 16
GENERATION = 8 * 8  # bytes from the first word to that of the second cache line
# Turns of waiting, some tens of nanoseconds each, after which the core is offered to other threads: where there are
# more of them than cores, the one that is waited for may be among them.
PATIENCE = 1 << 12

_WORD = ir.IntType(64)
_sched_yield = types.ExternalFunction("sched_yield", types.int32())


def new() -> np.ndarray:
    """A barrier that no thread has come to."""
    return np.zeros(WORDS, np.int64)


def none() -> np.ndarray:
    """What stands for a barrier where a thread works alone."""
    return np.zeros(0, np.int64)


@intrinsic
def _add_one(context: Any, address: Any) -> Any:
    """Add one to the word at an address, as a single operation; the word before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], _WORD.as_pointer())
        return builder.atomic_rmw("add", pointer, _WORD(1), "seq_cst")

    return types.int64(types.uintp), generate


@intrinsic
def _read(context: Any, address: Any) -> Any:
    """The word at an address, read anew, and before all that is read or written after it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(arguments[0], _WORD.as_pointer()), "seq_cst", 8)

    return types.int64(types.uintp), generate


@intrinsic
def _write(context: Any, address: Any, word: Any) -> Any:
    """Set the word at an address, after all that was read or written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], builder.inttoptr(arguments[0], _WORD.as_pointer()), "seq_cst", 8)
        return context.get_dummy_value()

    return types.none(types.uintp, types.int64), generate


@intrinsic
def _pause(context: Any) -> Any:
    """Tell an x86 processor that this is a loop that waits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if platform.machine() in ("x86_64", "AMD64"):
            pause = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, pause, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.none(), generate


@inner
def wait(barrier, parts):
    """Return when `parts` threads have called this; what each did before is seen by all after it."""
    if parts == 1:
        return
    arrived = barrier.ctypes.data
    generation = _read(arrived + GENERATION)
    if _add_one(arrived) + 1 == parts:
        _write(arrived, 0)
        _write(arrived + GENERATION, generation + 1)
        return
    turns = 0
    while _read(arrived + GENERATION) == generation:
        _pause()
        turns += 1
        if turns == PATIENCE:
            turns = 0
            _sched_yield()
