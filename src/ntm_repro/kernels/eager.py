"""The reference: one step after the other in plain torch, differentiated by autograd. On any device."""

import math

import torch
from torch import Tensor

from ntm_repro import loss
from ntm_repro.kernels.base import Cost, Kernel
from ntm_repro.kernels.checks import check_targets
from ntm_repro.models import State, Unrolled


class Eager(Kernel):
    """Any model, as its file says it."""

    name = "eager"
    compiled = False

    def unroll(
        self, x_TBI: Tensor, state: State | None = None, trace: bool = False, gradient_bound: float = math.inf
    ) -> Unrolled:
        """`Model.unroll` itself."""
        return self.model.unroll(x_TBI, state, trace, gradient_bound)

    def cost_and_gradient(
        self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, gradient_bound: float = math.inf
    ) -> Cost:
        """See `Kernel`."""
        # Of the mean's gradient each sequence has its share.
        y_TBO = self._logits(x_TBI, gradient_bound / x_TBI.shape[1])
        check_targets(self.model, x_TBI, target_TBO, mask_TO, self.parameters.values)
        bits_B = loss.bits(y_TBO, target_TBO, mask_TO)
        # Not .backward(), which would add to each parameter's .grad.
        views = zip(self.parameters.parameters, self.parameters.gradient_views, strict=True)
        learned = [(parameter, view) for parameter, view in views if parameter.requires_grad]
        parameters = [parameter for parameter, _ in learned]
        gradients = torch.autograd.grad(bits_B.mean(), parameters, allow_unused=True, materialize_grads=True)
        for (_, view), gradient in zip(learned, gradients, strict=True):
            view.copy_(gradient)
        self.parameters.bind_gradients()
        wrong_B = loss.wrong_bits(y_TBO.detach(), target_TBO, mask_TO)
        return Cost(bits_B.detach().cpu().numpy(), wrong_B.cpu().numpy())

    def _logits(self, x_TBI: Tensor, gradient_bound: float) -> Tensor:
        """y_TBO, for training."""
        return self.model.unroll(x_TBI, gradient_bound=gradient_bound).y_TBO
