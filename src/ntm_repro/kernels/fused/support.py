"""What the fused kernel covers. Without numba, so that it can be asked anywhere."""

import torch

from ntm_repro.models import Model
from ntm_repro.models.controllers import Feedforward, LSTMStack
from ntm_repro.models.initial_state import PerLocationStart, SharedStart
from ntm_repro.models.lstm import LSTM
from ntm_repro.models.ntm import NTM


def unsupported_here(device: str) -> str | None:
    """Why the kernel cannot run any model here and on `device`; None where it can."""
    if device != "cpu":
        return f"the fused kernel runs on the CPU and the model is on {device}"
    try:
        import numba  # noqa: F401
    except ImportError as error:
        return f"numba cannot be imported ({error})"
    return None


def unsupported_reason(model: Model) -> str | None:
    """Why the kernel cannot run `model`, in a few words; None where it can.

    Exact types: a subclass may compute something else.
    """
    dtype = next(model.parameters()).dtype
    if dtype not in (torch.float32, torch.float64):
        return f"the fused kernel computes in float32 or float64, not in {dtype}"
    if type(model) is LSTM:
        return None
    if type(model) is not NTM:
        return f"the fused kernel does not know {type(model).__name__}"
    for part, known in ((model.controller, (LSTMStack, Feedforward)), (model.start, (SharedStart, PerLocationStart))):
        if type(part) not in known:
            return f"the fused kernel does not know {type(part).__name__}"
    return None
