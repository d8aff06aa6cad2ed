"""RMSProp "in the form described in (Graves, 2013)" with momentum 0.9 (paper section 4.6), in plain torch.

For each component g of the clipped gradient (Graves, "Generating Sequences with Recurrent Neural Networks", 2013,
equations 38–41):

    n ← 0.95 n + 0.05 g²        m ← 0.95 m + 0.05 g
    Δ ← 0.9 Δ − lr · g / √(n − m² + 10⁻⁴)        θ ← θ + Δ

This is not `torch.optim.RMSprop(centered=True)`: the damping sits inside the root, and the learning rate inside Δ.
"""

import torch
from torch import Tensor

SQUARE_DECAY = 0.95
MOMENTUM = 0.9
DAMPING = 1e-4


def rmsprop(
    value: Tensor,
    gradient: Tensor,
    square: Tensor,
    mean: Tensor,
    change: Tensor,
    learning_rate: float,
    factor: float,
    bound: float,
) -> None:
    """One step of all numbers of `value` in place, with g = factor · gradient clipped to ±bound."""
    g = (gradient * factor).clamp_(-bound, bound)
    square.lerp_(g.square(), 1 - SQUARE_DECAY)
    mean.lerp_(g, 1 - SQUARE_DECAY)
    # The clamp: when gradients settle to a constant, n − m² can round below −10⁻⁴ in float32.
    spread = torch.addcmul(square, mean, mean, value=-1).clamp_(min=0).add_(DAMPING).sqrt_()
    change.mul_(MOMENTUM).addcdiv_(g, spread, value=-learning_rate)
    value.add_(change)
