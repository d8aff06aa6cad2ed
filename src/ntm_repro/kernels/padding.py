"""Batches whose sequences have different lengths: each sequence is run to its own end and no further.

Shape suffixes: T time steps, B sequences of the batch, G sequences still going on, I input channels, O output channels.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from ntm_repro.models.base import State, Unrolled, leaves, mapped, rebuilt


def unroll_padded(
    unroll: Callable[..., Unrolled],
    x_TBI: Tensor,
    state: State,
    trace: bool,
    lengths: list[int],
    gradient_bound: float,
) -> Unrolled:
    """`unroll`, stretch by stretch between the ends of sequences, each stretch with those that are still going on.

    Past a sequence's end outputs and trace are 0; its part of the last state is the one after its last step.
    """
    steps, batch, _ = x_TBI.shape
    lengths_B = torch.tensor(lengths, device=x_TBI.device)
    going_G = torch.arange(batch, device=x_TBI.device)
    outputs: list[Tensor] = []
    traces: list[tuple[Tensor, ...]] = []
    ended: list[Tensor] = []
    last_states: list[list[Tensor]] = []
    trace_type: type | None = None
    for begin, end in pairwise([0, *lengths_B.unique().tolist()]):
        part = unroll(x_TBI[begin:end].index_select(1, going_G), state, trace, gradient_bound)
        outputs.append(_of_all(part.y_TBO, going_G, batch))
        if part.trace is not None:
            trace_type = type(part.trace)
            traces.append(tuple(_of_all(tensor, going_G, batch) for tensor in part.trace))
        state = part.state
        over_G = lengths_B[going_G] == end
        ended.append(going_G[over_G])
        last_states.append([tensor[over_G] for _, tensor in leaves(state)])
        going_G = going_G[~over_G]
        state = _where(state, ~over_G)
    order_B = torch.cat(ended).argsort()
    last = (torch.cat(tensors)[order_B] for tensors in zip(*last_states, strict=True))
    padding = steps - max(lengths)
    y_TBO = _lengthened(torch.cat(outputs), padding)
    traced = trace_type and trace_type(
        *(_lengthened(torch.cat(tensors), padding) for tensors in zip(*traces, strict=True))
    )
    return Unrolled(y_TBO, rebuilt(state, last), traced)


def _where(state: State, chosen_G: Tensor) -> State:
    return mapped(state, lambda tensor: tensor[chosen_G])


def _of_all(tensor_TG: Tensor, going_G: Tensor, batch: int) -> Tensor:
    """[T, G, …] of the sequences still going on as [T, B, …], 0 for the others."""
    steps, _, *rest = tensor_TG.shape
    return tensor_TG.new_zeros(steps, batch, *rest).index_copy(1, going_G, tensor_TG)


def _lengthened(tensor_T: Tensor, steps: int) -> Tensor:
    return torch.cat([tensor_T, tensor_T.new_zeros(steps, *tensor_T.shape[1:])]) if steps else tensor_T
