"""The reference: one step after the other in plain torch, differentiated by autograd. On any device."""

import math

import torch
from torch import Tensor

from ntm_repro import loss
from ntm_repro.kernels.base import Cost, Kernel, Moments
from ntm_repro.kernels.rmsprop import rmsprop
from ntm_repro.models import State, Unrolled


class Eager(Kernel):
    """Any model, as its file says it."""

    name = "eager"

    def unroll(self, x_TBI: Tensor, state: State | None = None, trace: bool = False) -> Unrolled:
        return self.model.unroll(x_TBI, state, trace)

    def cost_and_gradient(
        self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, gradient_bound: float = math.inf
    ) -> Cost:
        # Of the mean's gradient each sequence has its share.
        y_TBO = self._logits(x_TBI, gradient_bound / x_TBI.shape[1])
        bits_B = loss.bits(y_TBO, target_TBO, mask_TO)
        # Not .backward(): it would add to each parameter's .grad, which belongs to whoever calls unroll.
        parameters = self.parameters.parameters
        found = torch.autograd.grad(bits_B.mean(), parameters, allow_unused=True, materialize_grads=True)
        for view, gradient in zip(self.parameters.split(self.parameters.gradients), found, strict=True):
            view.copy_(gradient)
        wrong_B = loss.wrong_bits(y_TBO.detach(), target_TBO, mask_TO)
        return Cost(bits_B.detach().cpu().numpy(), wrong_B.cpu().numpy())

    def _logits(self, x_TBI: Tensor, gradient_bound: float) -> Tensor:
        """y_TBO, for training."""
        return self.model.unroll(x_TBI, gradient_bound=gradient_bound).y_TBO

    def gradient_norm(self) -> float:
        norm = torch.linalg.vector_norm(self.parameters.gradients).item()
        if not math.isfinite(norm):  # squares of large float32 numbers overflow
            norm = torch.linalg.vector_norm(self.parameters.gradients, dtype=torch.float64).item()
        return norm

    @torch.no_grad()
    def descend(self, moments: Moments, learning_rate: float, factor: float, bound: float) -> None:
        rmsprop(self.parameters.values, self.parameters.gradients, *moments, learning_rate, factor, bound)
