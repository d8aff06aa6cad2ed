"""What the fused kernel covers. Without numba, so that it can be asked anywhere."""

from typing import Any

import torch
from torch import nn

from ntm_repro.models import Model
from ntm_repro.models.controllers import Feedforward, LSTMLayer, LSTMStack
from ntm_repro.models.initial_state import STARTS, RandomStart, SharedStart
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM, OutputFrom

# Exact types: a subclass may compute something else.
PARTS = {LSTMStack, LSTMLayer, Feedforward, nn.Linear, nn.ModuleList, *STARTS.values()}


def unsupported_here(device: str) -> str | None:
    """Why the kernel cannot run any model here and on `device`; None where it can."""
    if device != "cpu":
        return f"the fused kernel runs on the CPU and the model is on {device}"
    try:
        import numba
    except (ImportError, OSError) as error:  # its own library may not load
        return f"numba cannot be imported ({error})"
    if numba.config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set, so that nothing is compiled"
    return None


def unsupported_reason(model: Model) -> str | None:
    """Why the kernel cannot run `model` here, in a few words; None where it can."""
    if type(model) not in (NTM, LSTMBaseline):
        return f"the fused kernel does not know {type(model).__name__}"
    for module in model.modules():
        if module is not model and type(module) not in PARTS:
            return f"the fused kernel does not know {type(module).__name__}"
    named = list(model.named_parameters(remove_duplicate=False))
    if not named:
        return "the fused kernel needs a model with parameters of its own"
    for device in {parameter.device.type for _, parameter in named}:
        reason = unsupported_here(device)
        if reason is not None:
            return reason
    dtypes = {parameter.dtype for _, parameter in named}
    if len(dtypes) > 1 or not dtypes <= {torch.float32, torch.float64}:
        kinds = " and ".join(sorted(map(str, dtypes)))
        return f"the fused kernel computes in float32 or float64, not in {kinds}"
    if len({id(parameter) for _, parameter in named}) < len(named):
        return "the fused kernel does not share a parameter among layers"
    if any(parameter.is_shared() for _, parameter in named):
        return "the fused kernel would take parameters out of the memory that processes share"
    if is_hooked(model):
        return "the fused kernel does not call the hooks of inner layers"
    return None if _is_regular(model) else "the fused kernel does not know layers of these sizes"


def is_hooked(model: Model) -> bool:
    """Whether a layer inside the model has hooks, which a whole sequence in one call would pass over."""
    return any(module._forward_hooks or module._forward_pre_hooks for module in list(model.modules())[1:])


def _is_regular(model: Any) -> bool:
    """Whether all layers still have the sizes with which the model was made."""
    controller = model.stack if isinstance(model, LSTMBaseline) else model.controller
    reads = 0 if isinstance(model, LSTMBaseline) else model.num_heads * model.width
    recurrent = isinstance(controller, LSTMStack)
    layers: list[Any] = [layer.gates if recurrent else layer for layer in controller.layers]
    if not layers:
        return False
    size = layers[0].out_features // (4 if recurrent else 1)
    inputs = model.input_size + reads
    for index, layer in enumerate(layers):
        if recurrent:
            seen = inputs + size + (size if index else 0)
            start = controller.layers[index]
            regular = start.hidden_H.shape == start.cell_H.shape == (size,)
        else:
            seen, regular = size if index else inputs, True
        if not regular or not _is_affine(layer, seen, size * (4 if recurrent else 1)):
            return False
    hidden = size * len(layers) if recurrent else size
    if isinstance(model, LSTMBaseline):
        return controller.size == hidden and _is_affine(model.output, hidden, model.output_size)
    heads, width, locations = model.num_heads, model.width, model.num_locations
    seen = hidden + (reads if model.output_from is OutputFrom.hidden_and_reads else 0)
    shapes: dict[str, tuple[int, ...]] = {"memory_NM": (locations, width), "logits_KN": (2 * heads, locations)}
    if isinstance(model.start, SharedStart):
        shapes = {"memory_M": (width,), "rate_K": (2 * heads,)}
    elif isinstance(model.start, RandomStart):
        shapes = {"memory_NM": (locations, width)}
    return (
        controller.size == hidden
        and _is_affine(model.interface, hidden, 2 * heads * (model.parameters_per_head + width))
        and _is_affine(model.output, seen, model.output_size)
        and model.read_RM.shape == (heads, width)
        and all(getattr(model.start, name).shape == shape for name, shape in shapes.items())
        and getattr(model.start, "num_locations", locations) == locations
        and getattr(model.start, "num_heads", 2 * heads) == 2 * heads
    )


def _is_affine(layer: nn.Linear, num_inputs: int, num_outputs: int) -> bool:
    return layer.bias is not None and layer.weight.shape == (num_outputs, num_inputs)
