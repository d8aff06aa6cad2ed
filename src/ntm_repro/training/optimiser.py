"""Graves' RMSProp with clipped gradients (paper section 4.6): the state and the clip; `kernels` has the arithmetic."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ntm_repro.kernels import Kernel, Moments
from ntm_repro.training.settings import Clip


class GravesRMSProp:
    """Updates all parameters of a kernel's model at once; `kernels/rmsprop.py` has the equations."""

    def __init__(
        self, kernel: Kernel, learning_rate: float, clip: Clip, clip_at: float, loss_scale: float = 1.0
    ) -> None:
        self.kernel = kernel
        self.learning_rate, self.clip, self.clip_at, self.loss_scale = learning_rate, clip, clip_at, loss_scale
        self.moments = Moments(*(torch.zeros_like(kernel.parameters.values) for _ in Moments._fields))

    def step(self, gradient_norm: float) -> None:
        """Bound each component of the gradient (the paper), or its norm, or nothing; scale; update every parameter."""
        factor, bound = 1.0, math.inf
        if self.clip is Clip.value:
            bound = self.clip_at
        elif self.clip is Clip.norm and gradient_norm > self.clip_at:
            factor = self.clip_at / gradient_norm
        self.kernel.descend(self.moments, self.learning_rate, factor * self.loss_scale, bound * self.loss_scale)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Each moment of each parameter by name. Shares its tensors with the optimiser."""
        named = self.kernel.parameters.named
        return {name: named(moment) for name, moment in self.moments._asdict().items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Go on from a `state_dict` of the same model; raises `KeyError` for another's."""
        for name, views in self.state_dict().items():
            for parameter, view in views.items():
                view.copy_(state[name][parameter])
