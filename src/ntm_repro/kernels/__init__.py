"""Ways to run a whole sequence: one signature, one result. The choice among them is made here and nowhere else."""

from collections.abc import Callable

from torch import Tensor

from ntm_repro.models import Model, State, Unrolled

Unroll = Callable[..., Unrolled]


def eager(model: Model, x_TBI: Tensor, state: State | None = None, trace: bool = False) -> Unrolled:
    """The readable reference: one step after the other, differentiated by autograd."""
    return model.unroll(x_TBI, state, trace)


def choose(kernel: str, model: Model) -> Unroll:
    """The unroll named `kernel`; `auto` takes the fastest that covers `model` where its parameters are."""
    return {"auto": eager, "eager": eager}[kernel]
