"""Adam (Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1).

For each component g of the clipped gradient at update t:

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
    θ ← θ − lr · m̂ / (√v̂ + ε)   with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ntm_repro.errors import check_setting

SLOTS = ("mean", "square")  # m and v
COUNTS_UPDATES = True


@dataclass
class Settings:
    """Adam.

    beta1: decay of the mean m, from 0 to below 1.
    beta2: decay of the mean square v, from 0 to below 1.
    epsilon: added to the root, above 0.
    """

    name: str = "adam"
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        for key in ("beta1", "beta2"):
            value = getattr(self, key)
            check_setting(0 <= value < 1, key, value, "must be from 0 to below 1")
        valid = math.isfinite(self.epsilon) and self.epsilon > 0
        check_setting(valid, "epsilon", self.epsilon, "must be a finite number above 0")

    def numbers(self) -> np.ndarray:
        """The settings as compiled code takes them."""
        return np.array([self.beta1, self.beta2, self.epsilon])


def step(
    value_P: Tensor,
    gradient_P: Tensor,
    slots: Mapping[str, Tensor],
    learning_rate: float,
    updates: int,
    settings: Settings,
) -> None:
    """One step of all numbers of `value_P` in place; `updates` is t, 1 for the first."""
    mean_P, square_P = (slots[name] for name in SLOTS)
    mean_P.lerp_(gradient_P, 1 - settings.beta1)
    square_P.lerp_(gradient_P.square(), 1 - settings.beta2)
    root_P = (square_P / (1 - settings.beta2**updates)).sqrt_().add_(settings.epsilon)
    value_P.addcdiv_(mean_P, root_P, value=-learning_rate / (1 - settings.beta1**updates))


def compiled_step(value, gradient, mean, square, rate, factor, bound, updates, numbers):  # type: ignore[no-untyped-def]
    """The same, the clip included, for compiled code."""
    real = value.dtype.type
    mean_share, square_share = real(1 - numbers[0]), real(1 - numbers[1])
    epsilon = real(numbers[2])
    step_size = real(rate / (1 - numbers[0] ** updates))
    square_factor = real(1 / (1 - numbers[1] ** updates))
    for i in range(value.shape[0]):
        g = gradient[i] * factor
        g = bound if g > bound else g
        g = -bound if g < -bound else g
        m = mean[i] + mean_share * (g - mean[i])
        v = square[i] + square_share * (g * g - square[i])
        mean[i] = m
        square[i] = v
        value[i] -= step_size * m / (math.sqrt(v * square_factor) + epsilon)
