"""What a model is: a recurrent core, its state passed in and returned, and a time-major unroll over sequences.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

# A NamedTuple of tensors [B, …]; each model has its own.
State = Any


class Unrolled(NamedTuple):
    """y_TBO: logits of the output bits. state: after the last step. trace: the memory's life, step by step, or None."""

    y_TBO: Tensor
    state: State
    trace: Any | None


class Model(nn.Module, ABC):
    """A core that maps (input, state) to (output logits, next state); nothing of a sequence is kept on the module."""

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The learned state before the first step, for `batch_size` sequences; gradients flow into it."""

    @abstractmethod
    def advance(self, x_BI: Tensor, state: State) -> tuple[Tensor, State, Any | None]:
        """One step: output logits y_BO, the next state, and what happened in the memory (None without one)."""

    def step(self, x_BI: Tensor, state: State, gradient_bound: float = math.inf) -> tuple[Tensor, State]:
        """One step without its trace; `gradient_bound` as in `unroll`."""
        y_BO, state, _ = self.advance(x_BI, bounded(state, gradient_bound))
        return y_BO, state

    def unroll(
        self, x_TBI: Tensor, state: State | None = None, trace: bool = False, gradient_bound: float = math.inf
    ) -> Unrolled:
        """All steps of `x_TBI` from `state` (by default the learned initial one).

        This is the readable reference; `ntm_repro.kernels` chooses a faster equivalent where there is one.
        With `trace`, the memory's trace has a leading time axis T on every tensor. With a finite `gradient_bound`, the
        gradient of the state is clipped to ±gradient_bound, number by number, wherever it passes from a step back to
        the one before.
        """
        if state is None:
            state = self.initial_state(x_TBI.shape[1])
        outputs, traces = [], []
        for x_BI in x_TBI:
            y_BO, state, step_trace = self.advance(x_BI, bounded(state, gradient_bound))
            outputs.append(y_BO)
            if trace and step_trace is not None:
                traces.append(step_trace)
        stacked = type(traces[0])(*(torch.stack(tensors) for tensors in zip(*traces, strict=True))) if traces else None
        return Unrolled(torch.stack(outputs), state, stacked)

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())


class _Bounded(torch.autograd.Function):
    """The identity, whose gradient is clipped to ±bound."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.bound = bound
        return x.view_as(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_x: Tensor) -> tuple[Tensor, None]:
        return d_x.clamp(-ctx.bound, ctx.bound), None


def bounded(state: State, bound: float) -> State:
    """The same state, through which only gradients within ±bound flow back."""
    if bound == math.inf:
        return state
    if isinstance(state, Tensor):
        return _Bounded.apply(state, bound)
    parts = [bounded(part, bound) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
