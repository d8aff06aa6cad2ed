"""Ways to run whole sequences: one interface, one result. The choice among them is made here and nowhere else."""

import logging

from ntm_repro.errors import UsageError
from ntm_repro.kernels.base import Cost, Kernel, Moments
from ntm_repro.kernels.eager import Eager
from ntm_repro.kernels.fused import support
from ntm_repro.models import Model

__all__ = ["Cost", "Eager", "Kernel", "Moments", "check", "choose"]

log = logging.getLogger(__name__)


def choose(name: str, model: Model) -> Kernel:
    """The kernel named `name` for `model`, whose parameters it moves into one buffer; `auto` is the fastest that fits.

    Raises `UsageError` where a kernel asked for by name does not cover the model; `auto` then warns, and is eager.
    """
    if name == "eager":
        return Eager(model)
    obstacle = support.unsupported_here(next(model.parameters()).device.type) or support.unsupported_reason(model)
    if obstacle is None:
        from ntm_repro.kernels.fused.torch_interface import FusedSequences

        return FusedSequences(model)  # type: ignore[arg-type]
    if name != "auto":
        raise _refusal(name, obstacle)
    log.warning("kernel=auto: %s, so this runs step by step (kernel=eager)", obstacle)
    return Eager(model)


def check(name: str, device: str) -> None:
    """Raise `UsageError` where a kernel asked for by name cannot run any model on `device` ("cpu", "cuda")."""
    obstacle = support.unsupported_here(device) if name == "numba" else None
    if obstacle is not None:
        raise _refusal(name, obstacle)


def _refusal(name: str, obstacle: str) -> UsageError:
    return UsageError(f"kernel={name}: {obstacle}; use kernel=eager or kernel=auto")
