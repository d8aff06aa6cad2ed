"""What a kernel is: a way to run whole sequences of one model, and to learn from them.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from torch import Tensor

from ntm_repro.kernels.flat_parameters import FlatParameters
from ntm_repro.models import Model, State, Unrolled


class Cost(NamedTuple):
    """bits_B: each sequence's cost. wrong_B: its scored bits that come out wrong when rounded."""

    bits_B: np.ndarray
    wrong_B: np.ndarray


class Moments(NamedTuple):
    """What the optimiser remembers of each parameter's gradients: n, m and Δ of `rmsprop.py`, all [P]."""

    square: Tensor
    mean: Tensor
    change: Tensor


class Kernel(ABC):
    """One model's parameters in one buffer, and two ways to run it."""

    name: ClassVar[str]

    def __init__(self, model: Model) -> None:
        self.model = model
        self.parameters = FlatParameters(model)

    @abstractmethod
    def unroll(self, x_TBI: Tensor, state: State | None = None, trace: bool = False) -> Unrolled:
        """All steps of `x_TBI`, differentiable like any function of torch: see `Model.unroll`."""

    @abstractmethod
    def cost_and_gradient(
        self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, gradient_bound: float = math.inf
    ) -> Cost:
        """The cost of a batch; its mean's gradient goes into `parameters.gradients`, in place of what was there.

        gradient_bound: what a number of a single sequence's state gradient may not exceed on its way through time, see
        `Model.unroll`.
        """

    @abstractmethod
    def gradient_norm(self) -> float:
        """The Euclidean length of `parameters.gradients`; not finite only if one of its numbers is not."""

    @abstractmethod
    def descend(self, moments: Moments, learning_rate: float, factor: float, bound: float) -> None:
        """One step of Graves' RMSProp on factor · gradient, each component of it clipped to ±bound."""
