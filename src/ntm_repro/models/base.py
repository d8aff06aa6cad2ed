"""What a model is: a recurrent core, its state passed in and returned, and a time-major pass over sequences.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

# A NamedTuple of tensors [B, …] and of NamedTuples of them; each model has its own.
State = Any
S = TypeVar("S")


class Unrolled(NamedTuple):
    """y_TBO: logits of the output bits. state: after the last step. trace: the memory's life, step by step, or None."""

    y_TBO: Tensor
    state: State
    trace: Any | None


class Model(nn.Module, ABC):
    """A core that maps (input, state) to (output logits, next state); nothing of a sequence is kept on the module.

    Calling it runs whole sequences by the fastest kernel that covers the model where it is: compiled code on the CPU,
    `unroll` elsewhere. Both give the same values and gradients to within rounding.
    """

    input_size: int
    output_size: int

    def __init__(self) -> None:
        super().__init__()
        self._kernel_slot = _KernelSlot()

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The learned state before the first step, for `batch_size` sequences; gradients flow into it."""

    @abstractmethod
    def advance(self, x_BI: Tensor, state: State) -> tuple[Tensor, State, Any | None]:
        """One step: output logits y_BO, the next state, and what happened in the memory (None without one)."""

    @abstractmethod
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all parameters anew, from `generator` or from torch's default one."""

    def forward(
        self,
        x_TBI: Tensor,
        state: State | None = None,
        *,
        trace: bool = False,
        lengths_B: Tensor | None = None,
        gradient_bound: float = math.inf,
    ) -> Any:
        """All steps of `x_TBI` [T, B, I] from `state`: (y_TBO, state), or with `trace` (y_TBO, state, trace).

        state: as an earlier call returned it; by default the learned initial state. Gradients flow to the input, the
        state and the parameters. `state.detach()` cuts them for truncated back-propagation through time.
        trace: also return what the memory did, with a leading time axis on every tensor; None for a model without one.
        No gradient flows into it. lengths_B: how many steps each sequence of a padded batch has, integers from 1 to T.
        Past its end a sequence's outputs and trace are 0, and `state` is the one after its last step.
        gradient_bound: clip the gradient of the state, number by number, to ±gradient_bound wherever it passes from a
        step back to the one before (paper section 4.6: "all gradient components").
        Under `torch.autocast` all of it is computed in the parameters' type. `unroll` takes the place of compiled code
        where torch has to see each operation: in transforms of `torch.func`, in exported and traced programs, and for
        gradients that are themselves differentiated.

        Raises `ValueError` for a shape, type or length that does not fit.
        """
        from ntm_repro import kernels  # the one import upwards: the kernels run the models that they import

        # Kernels are plain Python and numpy: under torch.compile they stay outside the graph.
        run = kernels.run_outside_graph if torch.compiler.is_compiling() else kernels.run
        unrolled = run(self, x_TBI, state, trace, lengths_B, gradient_bound)
        return tuple(unrolled) if trace else unrolled[:2]

    def step(self, x_BI: Tensor, state: State, gradient_bound: float = math.inf) -> tuple[Tensor, State]:
        """One step of `x_BI` [B, I]: (y_BO, state). Like a call with a single step, errors included."""
        if x_BI.ndim != 2:
            raise ValueError(f"x_BI: shape [B, {self.input_size}] wanted, {list(x_BI.shape)} given")
        y_1BO, state = self(x_BI[None], state, gradient_bound=gradient_bound)
        return y_1BO[0], state

    def unroll(
        self, x_TBI: Tensor, state: State | None = None, trace: bool = False, gradient_bound: float = math.inf
    ) -> Unrolled:
        """What a call does, step by step in plain torch: the readable reference, on any device and in any float type.

        Here gradients flow into the trace too.
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
        """How many numbers are learned."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Model":
        # Not by way of __getstate__, which is for pickle alone.
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        # A kernel keeps all parameters in one buffer, which pickle would write once for each of them.
        if self._kernel_slot.kernel is not None:
            self._kernel_slot = _KernelSlot()
            for parameter in self.parameters():
                parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
        return dict(self.__dict__)


class _KernelSlot:
    """Holds the kernel that runs a model, made when first needed; a copied or unpickled model begins without one."""

    kernel: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "_KernelSlot":
        return _KernelSlot()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return _KernelSlot, ()


def leaves(state: State, name: str = "state") -> Iterator[tuple[str, Tensor]]:
    """(dotted name, tensor) of every tensor of a state, in order: "state.controller.layers.0.hidden_BH" and so on."""
    if isinstance(state, Tensor):
        yield name, state
        return
    for part_name, part in zip(getattr(state, "_fields", None) or range(len(state)), state, strict=True):
        yield from leaves(part, f"{name}.{part_name}")


def rebuilt(like: S, tensors: Iterator[Tensor]) -> S:
    """A state of the form of `like` whose tensors, in the order of `leaves`, are the next ones of `tensors`."""
    state: Any = like
    if isinstance(state, Tensor):
        built: Any = next(tensors)
    else:
        parts = [rebuilt(part, tensors) for part in state]
        built = type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return built  # type: ignore[no-any-return]


def mapped(state: S, change: Callable[[Tensor], Tensor]) -> S:
    """A state of the same form with `change` applied to every tensor."""
    return rebuilt(state, iter([change(tensor) for _, tensor in leaves(state)]))


class _Bounded(torch.autograd.Function):
    """The identity, whose gradient is clipped to ±bound."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, bound: float) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.bound = inputs[1]

    @staticmethod
    def backward(ctx: Any, d_x: Tensor) -> tuple[Tensor, None]:
        return d_x.clamp(-ctx.bound, ctx.bound), None


def bounded(state: State, bound: float) -> State:
    """The same state, through which only gradients within ±bound flow back."""
    return state if bound == math.inf else mapped(state, lambda tensor: _Bounded.apply(tensor, bound))
