"""The Euclidean norm of a gradient, in torch and as compiled code.

Shape suffixes: P numbers of the flat buffer.
"""

import math

import numpy as np
import torch
from torch import Tensor

# Numbers whose squares are summed apart, so that the sum does not depend on how parts are shared out.
BLOCK = 1 << 16
# Few enough to be summed in float32.
SHORT = 1 << 10
# Numbers that numpy sums in one piece, and those it sums side by side.
WHOLE, SIDE_BY_SIDE = 128, 8


def norm(gradient_P: Tensor) -> float:
    """√Σ g²; not finite only if a number of `gradient_P` is not."""
    value: float = torch.linalg.vector_norm(gradient_P).item()
    if not math.isfinite(value):  # squares of large float32 numbers overflow
        value = torch.linalg.vector_norm(gradient_P, dtype=torch.float64).item()
    return value


def compiled_norm(gradient_P: Tensor) -> float:
    """The same by compiled code."""
    from ntm_repro.jit import cache, threads

    gradient = gradient_P.numpy()
    sums = np.empty(num_sums(gradient.size))
    parts = threads.parts_for(gradient.size // 4)  # it only reads: a quarter of the time of other passes
    threads.share(cache.entry_of(squares), parts, gradient, sums)
    total = float(sums[0]) if sums.size == 1 else float(sums.sum())
    if not math.isfinite(total):  # squares of large float32 numbers overflow
        total = float(np.square(gradient, dtype=np.float64).sum())
    return math.sqrt(total)


def num_sums(numbers: int) -> int:
    """How many sums `squares` makes of so many numbers."""
    return -(-numbers // BLOCK)


def squares(gradient, sums, part, parts):  # type: ignore[no-untyped-def]
    """Σ g² of every `BLOCK` numbers, for this part's blocks; for compiled code."""
    for block in range(part, sums.shape[0], parts):
        total = 0.0
        end = min((block + 1) * BLOCK, gradient.shape[0])
        for begin in range(block * BLOCK, end, SHORT):
            short = gradient[begin : min(begin + SHORT, end)]
            short_total = gradient.dtype.type(0)
            for i in range(short.shape[0]):
                short_total += short[i] * short[i]
            total += short_total
        sums[block] = total


def total(sums):  # type: ignore[no-untyped-def]
    """Σ of at most `WHOLE` numbers in numpy's order, hence with the same bits as `sums.sum()`; for compiled code."""
    count = sums.shape[0]
    whole = count // SIDE_BY_SIDE * SIDE_BY_SIDE
    result = 0.0
    if whole > 0:
        side = sums[:SIDE_BY_SIDE].copy()
        for begin in range(SIDE_BY_SIDE, whole, SIDE_BY_SIDE):
            for i in range(SIDE_BY_SIDE):
                side[i] += sums[begin + i]
        result = ((side[0] + side[1]) + (side[2] + side[3])) + ((side[4] + side[5]) + (side[6] + side[7]))
    for i in range(whole, count):
        result += sums[i]
    return result
