"""RMSProp (Tieleman & Hinton, Coursera lecture 6.5, 2012) with momentum, as the two widely used libraries compute it.

For each component g of the clipped gradient at update t, from b₀ = 0; `torch.optim.RMSprop` with v₀ = 0, and
`tf.compat.v1.train.RMSPropOptimizer` with v₀ = 1:

    torch         v ← α v + (1 − α) g²        b ← μ b + g / (√v + ε)          θ ← θ − lr · b
    TensorFlow    v ← α v + (1 − α) g²        b ← μ b + lr · g / √(v + ε)     θ ← θ − b

They differ in three things, each a setting here: where ε is added, whether a rate that changes also rescales the change
under way, and what v begins with. Torch's first step is its longest, 1 / √(1 − α) times the rate; TensorFlow's steps
are short until v₀ is forgotten. The paper's own form, which subtracts the mean, is `graves_rmsprop`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ntm_repro.errors import check_setting

SLOTS = ("square", "change")  # v without the share of its beginning, and b
COUNTS_UPDATES = True  # for that share


@dataclass
class Settings:
    """RMSProp with momentum. The defaults are torch's, TensorFlow's are in brackets.

    decay: α of the mean square v, from 0 to below 1 (0.9).
    momentum: μ of the change b, from 0 to below 1.
    epsilon: added to the root of v, or to v, above 0 (1e-10).
    epsilon_in_root: whether it is added to v inside the root (true).
    rate_in_momentum: whether each gradient enters b with the rate of its own update, rather than b the weights with
    the present one (true).
    first_square: what v begins with, 0 or more (1).
    """

    name: str = "rmsprop"
    decay: float = 0.99
    momentum: float = 0.0
    epsilon: float = 1e-8
    epsilon_in_root: bool = False
    rate_in_momentum: bool = False
    first_square: float = 0.0

    def __post_init__(self) -> None:
        for key in ("decay", "momentum"):
            value = getattr(self, key)
            check_setting(0 <= value < 1, key, value, "must be from 0 to below 1")
        valid = math.isfinite(self.epsilon) and self.epsilon > 0
        check_setting(valid, "epsilon", self.epsilon, "must be a finite number above 0")
        valid = math.isfinite(self.first_square) and self.first_square >= 0
        check_setting(valid, "first_square", self.first_square, "must be a finite number, 0 or more")

    def numbers(self) -> np.ndarray:
        """The settings as compiled code takes them; ε inside and outside the root, one of the two 0."""
        inside, outside = (self.epsilon, 0.0) if self.epsilon_in_root else (0.0, self.epsilon)
        return np.array([self.decay, self.momentum, inside, outside, self.rate_in_momentum, self.first_square], float)


def step(
    value_P: Tensor,
    gradient_P: Tensor,
    slots: Mapping[str, Tensor],
    learning_rate: float,
    updates: int,
    settings: Settings,
) -> None:
    """One step of all numbers of `value_P` in place; `updates` is t, 1 for the first."""
    square_P, change_P = (slots[name] for name in SLOTS)
    square_P.lerp_(gradient_P.square(), 1 - settings.decay)
    whole_P = square_P + settings.first_square * settings.decay**updates
    root_P = (
        whole_P.add_(settings.epsilon).sqrt_() if settings.epsilon_in_root else whole_P.sqrt_().add_(settings.epsilon)
    )
    entering = learning_rate if settings.rate_in_momentum else 1.0
    change_P.mul_(settings.momentum).addcdiv_(gradient_P, root_P, value=entering)
    value_P.sub_(change_P, alpha=1.0 if settings.rate_in_momentum else learning_rate)


def compiled_step(value, gradient, square, change, rate, factor, bound, updates, numbers):  # type: ignore[no-untyped-def]
    """The same, the clip included, for compiled code."""
    real = value.dtype.type
    share, momentum, inside, outside = real(1 - numbers[0]), real(numbers[1]), real(numbers[2]), real(numbers[3])
    entering = rate if numbers[4] > 0 else real(1)
    leaving = real(1) if numbers[4] > 0 else rate
    begun = real(numbers[5] * numbers[0] ** updates) + inside
    for i in range(value.shape[0]):
        g = gradient[i] * factor
        g = bound if g > bound else g
        g = -bound if g < -bound else g
        v = square[i] + share * (g * g - square[i])
        b = momentum * change[i] + entering * g / (math.sqrt(v + begun) + outside)
        square[i] = v
        change[i] = b
        value[i] -= leaving * b
