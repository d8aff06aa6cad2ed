"""Adam with a second, slower mean square that holds its steps back.

For each component g of the clipped gradient at update t, with the rate lr of that update and a full rate lr₀:

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²        w ← β₃ w + (1 − β₃) g²
    θ ← θ − lr · m̂ / (max(√v̂, s √ŵ) + ε)    with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), ŵ = w / (1 − β₃ᵗ)

where the share s is lr/lr₀, 1, or 1 − lr/lr₀. A step is never longer than Adam's with β₂, nor than Adam's with β₃ and
1/s times the rate. The one forgets within 1 / (1 − β₂) updates how large gradients can be: between the rare errors of a
solved task it makes noise into steps of full length, and it was in such stretches that runs fell back. The other
remembers, but its steps for small gradients are small: it is slow to leave a plateau, and slow with the last
hundredths of a bit.

A share that falls with the rate leaves the last hundredths to the first bound. A share that rises leaves the plateaus
to it; later, what is wrong once in thousands of sequences counts by its gradient, however small the others are. Not
from the literature; AMSGrad (Reddi, Kale & Kumar, "On the Convergence of Adam and Beyond", 2018) bounds v̂ from below by
its own maximum (LOG.md).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from torch import Tensor

from ntm_repro.errors import check_setting

SLOTS = ("mean", "square", "slow_square")  # m, v and w
COUNTS_UPDATES = True
SlowShare = Enum("SlowShare", "falls full rises")
# (a, b) of the share a + b · lr/lr₀.
SHARES = {SlowShare.falls: (0.0, 1.0), SlowShare.full: (1.0, 0.0), SlowShare.rises: (1.0, -1.0)}


@dataclass
class Settings:
    """Adam with a second, slower mean square.

    beta1: decay of the mean m, from 0 to below 1.
    beta2, slow_beta2: decay of the mean squares v and w, from 0 to below 1.
    slow_share: how √w counts: as much as is left of the full rate (falls), in full, or as much as is gone (rises).
    full_rate: that rate, above 0.
    epsilon: added to the root, above 0.
    """

    name: str = "steady_adam"
    beta1: float = 0.9
    beta2: float = 0.95
    slow_beta2: float = 0.999
    slow_share: SlowShare = SlowShare.falls
    full_rate: float = 1e-3
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for key in ("beta1", "beta2", "slow_beta2"):
            value = getattr(self, key)
            check_setting(0 <= value < 1, key, value, "must be from 0 to below 1")
        for key in ("full_rate", "epsilon"):
            value = getattr(self, key)
            check_setting(math.isfinite(value) and value > 0, key, value, "must be a finite number above 0")

    def numbers(self) -> np.ndarray:
        """The settings as compiled code takes them."""
        return np.array(
            [self.beta1, self.beta2, self.slow_beta2, self.full_rate, self.epsilon, *SHARES[self.slow_share]]
        )


def step(
    value_P: Tensor,
    gradient_P: Tensor,
    slots: Mapping[str, Tensor],
    learning_rate: float,
    updates: int,
    settings: Settings,
) -> None:
    """One step of all numbers of `value_P` in place; `updates` is t, 1 for the first."""
    mean_P, square_P, slow_square_P = (slots[name] for name in SLOTS)
    mean_P.lerp_(gradient_P, 1 - settings.beta1)
    square_P.lerp_(gradient_P.square(), 1 - settings.beta2)
    slow_square_P.lerp_(gradient_P.square(), 1 - settings.slow_beta2)
    constant, slope = SHARES[settings.slow_share]
    share = max(0.0, constant + slope * (learning_rate / settings.full_rate))
    fast_P = square_P / (1 - settings.beta2**updates)
    slow_P = slow_square_P * (share**2 / (1 - settings.slow_beta2**updates))
    root_P = fast_P.maximum(slow_P).sqrt_().add_(settings.epsilon)
    value_P.addcdiv_(mean_P, root_P, value=-learning_rate / (1 - settings.beta1**updates))


def compiled_step(value, gradient, mean, square, slow_square, rate, factor, bound, updates, numbers):  # type: ignore[no-untyped-def]
    """The same, the clip included, for compiled code."""
    real = value.dtype.type
    mean_share, square_share, slow_share = real(1 - numbers[0]), real(1 - numbers[1]), real(1 - numbers[2])
    epsilon = real(numbers[4])
    step_size = real(rate / (1 - numbers[0] ** updates))
    square_factor = real(1 / (1 - numbers[1] ** updates))
    share = max(0.0, numbers[5] + numbers[6] * (rate / numbers[3]))
    slow_factor = real(share**2 / (1 - numbers[2] ** updates))
    for i in range(value.shape[0]):
        g = gradient[i] * factor
        g = bound if g > bound else g
        g = -bound if g < -bound else g
        m = mean[i] + mean_share * (g - mean[i])
        v = square[i] + square_share * (g * g - square[i])
        w = slow_square[i] + slow_share * (g * g - slow_square[i])
        mean[i] = m
        square[i] = v
        slow_square[i] = w
        value[i] -= step_size * m / (math.sqrt(max(v * square_factor, w * slow_factor)) + epsilon)
