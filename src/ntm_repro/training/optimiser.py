"""RMSProp "in the form described in (Graves, 2013)" with momentum 0.9 (paper section 4.6)."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

SQUARE_DECAY = 0.95
MOMENTUM = 0.9
DAMPING = 1e-4


class GravesRMSProp(Optimizer):
    """Graves, "Generating Sequences with Recurrent Neural Networks" (2013), equations 38–41, for each component g:

        n ← 0.95 n + 0.05 g²        m ← 0.95 m + 0.05 g
        Δ ← 0.9 Δ − lr · g / √(n − m² + 10⁻⁴)        θ ← θ + Δ

    This is not `torch.optim.RMSprop(centered=True)`: the damping sits inside the root, and the learning rate inside Δ.
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float) -> None:
        super().__init__(parameters, {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        if closure is not None:
            raise TypeError("GravesRMSProp takes no closure: compute the gradients before the step")
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                state = self.state[parameter]
                if not state:
                    for name in ("square", "mean", "change"):
                        state[name] = torch.zeros_like(parameter)
                square, mean, change = state["square"], state["mean"], state["change"]
                # The clamp: when gradients settle to a constant, n − m² can round below −10⁻⁴ in float32.
                square.lerp_(gradient.square(), 1 - SQUARE_DECAY)
                mean.lerp_(gradient, 1 - SQUARE_DECAY)
                spread = torch.addcmul(square, mean, mean, value=-1).clamp_(min=0).add_(DAMPING).sqrt_()
                change.mul_(MOMENTUM).addcdiv_(gradient, spread, value=-group["lr"])
                parameter.add_(change)
