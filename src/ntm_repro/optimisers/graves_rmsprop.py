"""RMSProp "in the form described in (Graves, 2013)" with momentum 0.9 (paper section 4.6).

For each component g of the clipped gradient (Graves, "Generating Sequences with Recurrent Neural Networks", 2013,
equations 38–41):

    n ← 0.95 n + 0.05 g²        m ← 0.95 m + 0.05 g
    Δ ← 0.9 Δ − lr · g / √(n − m² + 10⁻⁴)        θ ← θ + Δ

This is not `torch.optim.RMSprop(centered=True)`: the damping sits inside the root, and the learning rate inside Δ.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ntm_repro.errors import check_setting

SLOTS = ("square", "mean", "change")  # n, m and Δ
COUNTS_UPDATES = False


@dataclass
class Settings:
    """RMSProp as in Graves (2013).

    decay: of the averages n and m, from 0 to below 1.
    momentum: of the change Δ, from 0 to below 1.
    damping: added to n − m² inside the root, above 0.
    """

    name: str = "graves_rmsprop"
    decay: float = 0.95
    momentum: float = 0.9
    damping: float = 1e-4

    def __post_init__(self) -> None:
        for key in ("decay", "momentum"):
            value = getattr(self, key)
            check_setting(0 <= value < 1, key, value, "must be from 0 to below 1")
        valid = math.isfinite(self.damping) and self.damping > 0
        check_setting(valid, "damping", self.damping, "must be a finite number above 0")

    def numbers(self) -> np.ndarray:
        """The settings as compiled code takes them."""
        return np.array([self.decay, self.momentum, self.damping])


def step(
    value_P: Tensor,
    gradient_P: Tensor,
    slots: Mapping[str, Tensor],
    learning_rate: float,
    updates: int,
    settings: Settings,
) -> None:
    """One step of all numbers of `value_P` in place."""
    square_P, mean_P, change_P = (slots[name] for name in SLOTS)
    square_P.lerp_(gradient_P.square(), 1 - settings.decay)
    mean_P.lerp_(gradient_P, 1 - settings.decay)
    # The clamp: when gradients settle to a constant, n − m² can round below −10⁻⁴ in float32.
    spread_P = torch.addcmul(square_P, mean_P, mean_P, value=-1).clamp_(min=0).add_(settings.damping).sqrt_()
    change_P.mul_(settings.momentum).addcdiv_(gradient_P, spread_P, value=-learning_rate)
    value_P.add_(change_P)


def compiled_step(value, gradient, square, mean, change, rate, factor, bound, updates, numbers):  # type: ignore[no-untyped-def]
    """The same, the clip included, for compiled code."""
    real = value.dtype.type
    share, momentum, damping, zero = real(1 - numbers[0]), real(numbers[1]), real(numbers[2]), real(0)
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
