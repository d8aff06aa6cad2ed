"""Ways to run whole sequences: one interface, one result. The choice among them is made here and nowhere else."""

import logging
import threading
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ntm_repro.errors import UsageError
from ntm_repro.kernels.base import Cost, Kernel
from ntm_repro.kernels.checks import check_input, check_lengths
from ntm_repro.kernels.eager import Eager
from ntm_repro.kernels.fused import support
from ntm_repro.kernels.padding import unroll_padded
from ntm_repro.models import Model, State, Unrolled
from ntm_repro.models.base import leaves

__all__ = ["Cost", "Eager", "Kernel", "check", "choose", "run", "run_outside_graph"]

log = logging.getLogger(__name__)

_PLAIN = Tensor.__torch_dispatch__

# Making a kernel moves a model's parameters: one thread at a time.
_making = threading.RLock()


def choose(name: str, model: Model) -> Kernel:
    """The kernel named `name` for `model`, whose parameters it moves into one buffer; `auto` is the fastest that fits.

    Raises `UsageError` where a kernel asked for by name does not cover the model; `auto` then warns, and is eager.
    """
    if name == "eager":
        return Eager(model)
    reason = support.unsupported_reason(model)
    if reason is None:
        return _fused(model)
    if name != "auto":
        raise _refusal(name, reason)
    log.warning("kernel=auto: %s, so this runs step by step (kernel=eager)", reason)
    return Eager(model)


def check(name: str, device: str) -> None:
    """Raise `UsageError` where a kernel asked for by name cannot run any model on `device` ("cpu", "cuda")."""
    reason = support.unsupported_here(device) if name == "numba" else None
    if reason is not None:
        raise _refusal(name, reason)


def _refusal(name: str, reason: str) -> UsageError:
    return UsageError(f"kernel={name}: {reason}; use kernel=eager or kernel=auto")


def run(
    model: Model, x_TBI: Tensor, state: State | None, trace: bool, lengths_B: Tensor | None, gradient_bound: float
) -> Unrolled:
    """What calling a model does: see `Model.forward`."""
    device = x_TBI.device.type if isinstance(x_TBI, Tensor) else "cpu"
    if not (torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)):
        return _run(model, x_TBI, state, trace, lengths_B, gradient_bound)
    # Half precision is too coarse for a memory that is written step by step.
    if x_TBI.dtype in (torch.float16, torch.bfloat16):
        x_TBI = x_TBI.to(next(model.parameters(), x_TBI).dtype)
    with torch.autocast(device, enabled=False):
        return _run(model, x_TBI, state, trace, lengths_B, gradient_bound)


def _run(
    model: Model, x_TBI: Tensor, state: State | None, trace: bool, lengths_B: Tensor | None, gradient_bound: float
) -> Unrolled:
    kernel = None if _is_transformed(x_TBI) else _kernel_of(model)
    unroll = model.unroll if kernel is None else kernel.unroll
    if kernel is None:
        with torch.no_grad():
            initial = dict(leaves(model.initial_state(1)))
        shapes = {name: tensor.shape for name, tensor in initial.items()}
        check_input(model, x_TBI, state, shapes, next(iter(initial.values()), x_TBI))
    if lengths_B is None:
        return unroll(x_TBI, state, trace, gradient_bound)
    lengths = check_lengths(lengths_B, x_TBI)
    if state is None:
        state = model.initial_state(x_TBI.shape[1])
    return unroll_padded(unroll, x_TBI, state, trace, lengths, gradient_bound)


def run_outside_graph(*arguments: Any) -> Unrolled:
    """`run` as torch.compile calls it: as it is, between two graphs."""
    # Wrapped here and not as the module is imported: what this imports takes longer than a short run.
    return torch.compiler.disable(run)(*arguments)


def _is_transformed(x_TBI: Tensor) -> bool:
    """Whether torch has to see each operation: to transform or record them, or for tensors that redefine them."""
    return (
        torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or torch.jit.is_tracing()
        or getattr(type(x_TBI), "__torch_dispatch__", _PLAIN) is not _PLAIN
    )


def _kernel_of(model: Model) -> Kernel | None:
    """The fused kernel of a model, made anew where the model changed; None where none covers it."""
    kernel: Kernel | None = model._kernel_slot.kernel
    if kernel is not None and kernel.model is model and kernel.parameters.is_current() and not support.is_hooked(model):
        return kernel
    if support.unsupported_reason(model) is not None:
        return None
    return _fused(model)


def _fused(model: Model) -> Kernel:
    from ntm_repro.kernels.fused.torch_interface import FusedSequences

    with _making:
        kernel: Kernel | None = model._kernel_slot.kernel
        if kernel is None or kernel.model is not model or not kernel.parameters.is_current():
            if kernel is not None and kernel.model is not model:  # a shallow copy, which took the other's slot along
                model._kernel_slot = type(model._kernel_slot)()
            kernel = FusedSequences(model)  # type: ignore[arg-type]
            model._kernel_slot.kernel = kernel
        return kernel
