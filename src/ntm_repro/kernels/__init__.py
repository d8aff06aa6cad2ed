"""Ways to run a whole sequence. All have one signature and give one result; the choice is made here and nowhere else."""

from collections.abc import Callable
from enum import Enum

from torch import Tensor

from ntm_repro.models import Model, State, Unrolled

Kernel = Enum("Kernel", "auto eager")
Unroll = Callable[..., Unrolled]


def eager(model: Model, x_TBI: Tensor, state: State | None = None, trace: bool = False) -> Unrolled:
    """The readable reference: one step after the other, differentiated by autograd."""
    return model.unroll(x_TBI, state, trace)


def choose(kernel: Kernel, model: Model) -> Unroll:
    """The unroll that `kernel` names; `auto` takes the fastest that covers `model` on its device."""
    return eager
