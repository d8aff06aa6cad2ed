"""The arithmetic that a training step cannot do without, and the rate at which this machine does arithmetic.

One operation is one multiply-add, as in a matrix product; of elementwise work each multiply-add and each elementary
function (a division, an exponential) counts as one, at the price of a multiply-add: a floor, not an estimate.
"""

import time
from typing import NamedTuple

import torch
from torch import nn

from ntm_repro.models.controllers import LSTMStack
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM

# Of one LSTM cell or tanh unit, and of one location or memory entry for each head: (forward, backward).
CELL = (8, 16)  # four gates, tanh c, three multiply-adds; the gradients of the gates' sums (12), of c (3) and c' (1)
UNIT = (1, 2)  # tanh; 1 − tanh², times the gradient
CONTENT = (4, 6)  # β / (|k| |M(i)|) twice, exp, normalisation; the softmax, β, and both factors of the cosine
INTERPOLATION = (2, 4)  # of w^c and w_{t−1}; for g, w^c and w_{t−1}
SHIFT = (1, 2)  # for each allowed shift; for s and for w^g
SHARPENING = (4, 5)  # log, γ, exp, normalisation; the softmax, γ and w̃
LENGTH = (1, 1)  # of an entry: its square; its share of the length's gradient
ERASE = (2, 5)  # 1 − w e, times M; for M (twice), w and e
COST = (4, 2)  # of an output: the logistic's exponential and logarithm, target, mask; their difference, the mean
# Of a parameter: the gradient's square for the norm, the clip, n (2), m (2), n − m² + 10⁻⁴ (2), √, ÷, Δ, θ.
OPTIMISER = 12

PEAK_SIZE = 512
PEAK_SECONDS = 0.5


class Operations(NamedTuple):
    """Of one training step on a batch. products: in matrix products. elementwise: all else, without the optimiser."""

    products: int
    elementwise: int
    optimiser: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.products + self.elementwise + self.optimiser


def training_step(model: NTM | LSTMBaseline, steps: int, batch: int) -> Operations:
    """The operations of forward, backward, clip and optimiser for `batch` sequences of `steps` steps.

    Every product counts three times, forward and for the gradients of both its factors. So autograd does it, the
    input's gradient included, which nothing needs (below 1 % for the paper's models).
    """
    controller = model.stack if isinstance(model, LSTMBaseline) else model.controller
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    products = sum(linear.in_features * linear.out_features for linear in linears)
    units = sum(module.out_features for module in controller.modules() if isinstance(module, nn.Linear))
    # An LSTM cell has four gates, each a column of its layer.
    elementwise = sum(CELL) * units // 4 if isinstance(controller, LSTMStack) else sum(UNIT) * units
    elementwise += sum(COST) * model.output.out_features
    if isinstance(model, NTM):
        heads, locations, width = model.num_heads, model.num_locations, model.width
        # Every head compares its key with the memory; half of them read it (eq. 2), half of them add to it (eq. 4).
        products += (2 + 1 + 1) * heads * locations * width
        address = sum(CONTENT) + sum(INTERPOLATION) + model.shift_range * sum(SHIFT) + sum(SHARPENING)
        elementwise += 2 * heads * locations * address
        elementwise += (sum(LENGTH) + heads * sum(ERASE)) * locations * width
        elementwise += 2 * model.interface.out_features  # an activation for each, and its derivative
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Operations(3 * products * steps * batch, elementwise * steps * batch, OPTIMISER * parameters)


def peak() -> float:
    """Multiply-adds per second of this machine on one thread: the best of many 512 × 512 products in float32."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        a, b = torch.rand(2, PEAK_SIZE, PEAK_SIZE)
        product = torch.empty_like(a)
        best, end = float("inf"), time.perf_counter() + PEAK_SECONDS
        while (begin := time.perf_counter()) < end:
            torch.mm(a, b, out=product)
            best = min(best, time.perf_counter() - begin)
    finally:
        torch.set_num_threads(before)
    return PEAK_SIZE**3 / best
