"""The optimiser's step, and the length of the gradient, each as one pass over the flat buffer."""

import math
from typing import Any

from ntm_repro.kernels.fused.compiling import entry
from ntm_repro.kernels.rmsprop import DAMPING, MOMENTUM, SQUARE_DECAY

# Numbers whose squares are summed apart, so that the sum does not depend on how parts are shared out.
BLOCK = 1 << 16


@entry
def squares(gradient: Any, sums: Any, part: int, parts: int) -> None:
    """Σ g² of every `BLOCK` numbers, for this part's blocks."""
    for block in range(part, sums.shape[0], parts):
        total = 0.0
        for begin in range(block * BLOCK, min((block + 1) * BLOCK, gradient.shape[0]), 256):
            short = gradient.dtype.type(0)
            for i in range(begin, min(begin + 256, gradient.shape[0])):
                short += gradient[i] * gradient[i]
            total += short
        sums[block] = total


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
    rate, times, high, low = real(learning_rate), real(factor), real(bound), real(-bound)
    share, momentum, damping, zero = real(1 - SQUARE_DECAY), real(MOMENTUM), real(DAMPING), real(0)
    lines = value.shape[0] // 16
    for i in range(lines * part // parts * 16, lines * (part + 1) // parts * 16):
        g = gradient[i] * times
        g = min(max(g, low), high)
        n = square[i] + share * (g * g - square[i])
        m = mean[i] + share * (g - mean[i])
        delta = momentum * change[i] - rate * g / math.sqrt(max(n - m * m, zero) + damping)
        square[i], mean[i], change[i] = n, m, delta
        value[i] += delta
