"""The optimiser's step, and the length of the gradient, each as one pass over the flat buffer."""

import math
from typing import Any

from ntm_repro.kernels.flat_parameters import ALIGNMENT
from ntm_repro.kernels.fused.jit_cache import entry, inner
from ntm_repro.kernels.rmsprop import DAMPING, MOMENTUM, SQUARE_DECAY

# Numbers whose squares are summed apart, so that the sum does not depend on how parts are shared out.
BLOCK = 1 << 16
# Few enough to be summed in float32.
SHORT = 1 << 10


@entry
def squares(gradient: Any, sums: Any, part: int, parts: int) -> None:
    """Σ g² of every `BLOCK` numbers, for this part's blocks."""
    for block in range(part, sums.shape[0], parts):
        total = 0.0
        end = min((block + 1) * BLOCK, gradient.shape[0])
        for begin in range(block * BLOCK, end, SHORT):
            total += _sum_of_squares(gradient[begin : min(begin + SHORT, end)])
        sums[block] = total


@inner
def _sum_of_squares(x: Any) -> Any:
    total = x.dtype.type(0)
    for i in range(x.shape[0]):
        total += x[i] * x[i]
    return total


@entry
def descend(
    value: Any,
    gradient: Any,
    square: Any,
    mean: Any,
    change: Any,
    learning_rate: float,
    factor: float,
    bound: float,
    part: int,
    parts: int,
) -> None:
    """`rmsprop.rmsprop` on this part's stretch of the buffer."""
    real = value.dtype.type
    lines = value.shape[0] // ALIGNMENT
    low, high = lines * part // parts * ALIGNMENT, lines * (part + 1) // parts * ALIGNMENT
    _descend(
        value[low:high],
        gradient[low:high],
        square[low:high],
        mean[low:high],
        change[low:high],
        real(learning_rate),
        real(factor),
        real(bound),
    )


@inner
def _descend(
    value: Any, gradient: Any, square: Any, mean: Any, change: Any, rate: Any, factor: Any, bound: Any
) -> None:
    real = value.dtype.type
    share, momentum, damping, zero = real(1 - SQUARE_DECAY), real(MOMENTUM), real(DAMPING), real(0)
    for i in range(value.shape[0]):
        g = gradient[i] * factor
        g = bound if g > bound else g
        g = -bound if g < -bound else g
        n = square[i] + share * (g * g - square[i])
        m = mean[i] + share * (g - mean[i])
        spread = n - m * m
        spread = zero if spread < zero else spread
        delta = momentum * change[i] - rate * g / math.sqrt(spread + damping)
        square[i] = n
        mean[i] = m
        change[i] = delta
        value[i] += delta
