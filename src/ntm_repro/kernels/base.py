"""What a kernel is: a way to run whole sequences of one model, and to differentiate their cost.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels, U batches, P numbers of
the flat buffer.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntm_repro import loss
from ntm_repro.kernels.checks import check_targets
from ntm_repro.kernels.flat_parameters import FlatParameters
from ntm_repro.models import Model, State, Unrolled


class Cost(NamedTuple):
    """bits_B: each sequence's cost. wrong_B: its scored bits that come out wrong when rounded."""

    bits_B: np.ndarray
    wrong_B: np.ndarray


# input_TBI, target_TBO and mask_TO of a batch.
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


class Costs(NamedTuple):
    """The costs of U batches, to be made one after the other by a caller that is compiled as well.

    function: a `jit.calls.Compiled`. Called with (*arguments, u) it does for batch u what `Kernel.cost` does, and sets
    bits_UB[u] and wrong_UB[u] to the batch's `Cost`.
    """

    function: Any
    arguments: tuple[Any, ...]
    bits_UB: np.ndarray
    wrong_UB: np.ndarray


class Gradients(NamedTuple):
    """The gradients of U batches, to be made one after the other by a caller that is compiled as well.

    function: a `jit.calls.Compiled`. Called with (*arguments, u) it does for batch u what `Kernel.cost_and_gradient`
    does, and sets bits_UB[u] and wrong_UB[u] to the batch's `Cost`. It may be called once for each batch. All that one
    kernel gives is of the same types. costs: those of the same batches with other values of the parameters.
    """

    function: Any
    arguments: tuple[Any, ...]
    bits_UB: np.ndarray
    wrong_UB: np.ndarray
    costs: Costs


class Kernel(ABC):
    """One model's parameters in one buffer, and two ways to run it. It neither clips nor takes a step.

    compiled: whether what runs beside it (the gradient's norm, the optimiser) should be compiled too.
    """

    name: ClassVar[str]
    compiled: ClassVar[bool]

    def __init__(self, model: Model) -> None:
        self.model = model
        self.parameters = FlatParameters(model)

    @abstractmethod
    def unroll(
        self, x_TBI: Tensor, state: State | None = None, trace: bool = False, gradient_bound: float = math.inf
    ) -> Unrolled:
        """All steps of `x_TBI`, differentiable like any function of torch: see `Model.unroll`.

        Raises `ValueError` for a shape or type that does not fit.
        """

    @abstractmethod
    def cost_and_gradient(
        self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, gradient_bound: float = math.inf
    ) -> Cost:
        """The cost of a batch; its mean's gradient becomes every parameter's `.grad`, in place of what was there.

        The `.grad` are views of `parameters.gradients`, so that any optimiser of torch works on the model, and the
        suite's own take them in one pass. gradient_bound: what a number of a single sequence's state gradient may not
        exceed on its way through time, see `Model.unroll`. Raises `ValueError` for a shape or type that does not fit.
        """

    def cost(self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, values_P: Tensor) -> Cost:
        """The cost of a batch if the parameters were `values_P`, laid out like `parameters.values`; no gradient.

        Raises `ValueError` for a shape or type that does not fit.
        """
        with self.parameters.holding(values_P), torch.no_grad():
            y_TBO = self.unroll(x_TBI).y_TBO
        check_targets(self.model, x_TBI, target_TBO, mask_TO, self.parameters.values)
        bits_B, wrong_B = loss.bits(y_TBO, target_TBO, mask_TO), loss.wrong_bits(y_TBO, target_TBO, mask_TO)
        return Cost(bits_B.cpu().numpy(), wrong_B.cpu().numpy())

    def gradients(
        self, batches: Sequence[Arrays], gradient_bound: float = math.inf, values_P: Tensor | None = None
    ) -> Gradients | None:
        """The gradients of as many of the first batches as compiled code makes on one thread and without a fault.

        values_P: with which their `costs` are made, laid out like `parameters.values` and not copied; those by default.
        None where not even the first is such a batch: `cost_and_gradient` runs it on several threads, step by step, or
        refuses it. That is so for every batch unless a kernel says otherwise.
        """
        return None
