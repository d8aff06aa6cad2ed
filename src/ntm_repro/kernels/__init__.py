"""Ways to run whole sequences: one interface, one result. The choice among them is made here and nowhere else."""

import logging

from ntm_repro.errors import UsageError
from ntm_repro.kernels.base import Cost, Kernel, Moments
from ntm_repro.kernels.eager import Eager
from ntm_repro.models import Model

__all__ = ["Cost", "Eager", "Kernel", "Moments", "choose"]

log = logging.getLogger(__name__)


def choose(name: str, model: Model) -> Kernel:
    """The kernel named `name` for `model`, whose parameters it moves into one buffer; `auto` is the fastest that fits.

    Raises `UsageError` where a kernel asked for by name does not cover the model; `auto` then warns, and is eager.
    """
    if name == "eager":
        return Eager(model)
    obstacle = _no_numba() or _not_covered(model)
    if obstacle is None:
        from ntm_repro.kernels.fused.bridge import FusedSequences

        return FusedSequences(model)  # type: ignore[arg-type]
    if name != "auto":
        raise UsageError(f"kernel={name}: {obstacle}; use kernel=eager or kernel=auto")
    log.warning("kernel=auto: %s, so this runs step by step (kernel=eager)", obstacle)
    return Eager(model)


def _no_numba() -> str | None:
    try:
        import numba  # noqa: F401
    except ImportError as error:
        return f"numba cannot be imported ({error})"
    return None


def _not_covered(model: Model) -> str | None:
    """What keeps the fused kernel from running `model`; None where nothing does."""
    from ntm_repro.kernels.fused.cover import obstacle

    return obstacle(model)
