"""Between torch and the compiled code: states in and out, and autograd.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels, R read heads, K heads,
N locations, M width of a location.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ntm_repro.kernels.base import Cost
from ntm_repro.kernels.fused import entry_points, threads
from ntm_repro.kernels.fused.kernel import Buffer, Fused
from ntm_repro.kernels.fused.layout import make_layout
from ntm_repro.kernels.fused.tape import GROUP, Layer, Tapes
from ntm_repro.models import State, Unrolled
from ntm_repro.models.controllers import LSTMState
from ntm_repro.models.lstm import LSTM
from ntm_repro.models.ntm import NTM, NTMState, Trace


class FusedSequences(Fused):
    """NTMs with any controller of `models/controllers.py`, any number of heads, locations …; and the LSTM baseline."""

    def __init__(self, model: NTM | LSTM) -> None:
        super().__init__(model)
        self.plan = make_layout(model, self.parameters)
        dtype = self.parameters.values.dtype
        self._tapes, self._carry = Buffer(dtype), Buffer(dtype)
        self._none_3, self._none_2 = np.empty((0, 0, 0), self.values.dtype), np.empty((0, 0), self.values.dtype)
        self._none = np.empty(0)

    def cost_and_gradient(
        self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, gradient_bound: float = math.inf
    ) -> Cost:
        self._check_current()
        steps, batch, _ = x_TBI.shape
        tapes, carry = self._tapes((steps + 1) * batch, self.plan.row), self._carry(batch, self.plan.carry)
        bits_B, wrong_B = np.empty(batch), np.empty(batch)
        threads.share(
            entry_points.run,
            min(torch.get_num_threads(), -(-batch // GROUP)),
            self.plan,
            self.values,
            tapes,
            carry,
            x_TBI.numpy(),
            self._none_3,
            target_TBO.numpy(),
            mask_TO.numpy(),
            self._none_3,
            bits_B,
            wrong_B,
            1 / batch,
            gradient_bound / batch,
            entry_points.START | entry_points.FORWARD | entry_points.COST | entry_points.BACKWARD,
        )
        self._accumulate(self.gradients, tapes, carry, steps, batch, learned_start=True)
        return Cost(bits_B, wrong_B)

    def unroll(self, x_TBI: Tensor, state: State | None = None, trace: bool = False) -> Unrolled:
        """See `Model.unroll`; the trace is of values alone, no gradient flows into it."""
        self._check_current()
        if state is None:
            state = self.model.initial_state(x_TBI.shape[1])
        leaves = [leaf.contiguous() for leaf in flatten(state)]
        x_TBI = x_TBI.to(self.parameters.values.dtype).contiguous()
        if torch.is_grad_enabled() and any(t.requires_grad for t in (x_TBI, *leaves, *self.parameters.parameters)):
            results = _Unroll.apply(self, trace, x_TBI, *leaves, *self.parameters.parameters)
        else:
            # Without a backward pass ahead only one group a thread needs its tape at a time.
            share = GROUP * torch.get_num_threads()
            pieces = []
            for first in range(0, x_TBI.shape[1], share):
                these = slice(first, first + share)
                pieces.append(self.forward(x_TBI[:, these].contiguous(), [leaf[these] for leaf in leaves], trace)[0])
            states = len(leaves)
            results = [
                torch.cat(tensors, 0 if 0 < index <= states else 1)
                for index, tensors in enumerate(zip(*pieces, strict=True))
            ]
        y_TBO, rest = results[0], results[1:]
        traced = Trace(*rest[len(leaves) :]) if trace and self.plan.heads else None
        return Unrolled(y_TBO, unflatten(state, rest[: len(leaves)]), traced)

    def forward(
        self, x_TBI: Tensor, state: list[Tensor], trace: bool, keep: bool = False
    ) -> tuple[list[Tensor], np.ndarray | None]:
        """[y_TBO, leaves of the last state, trace], and the tapes if they are to be kept."""
        plan = self.plan
        steps, batch, _ = x_TBI.shape
        shape = ((steps + 1) * batch, plan.row)
        tapes = Tapes(torch.empty(shape, dtype=x_TBI.dtype).numpy() if keep else self._tapes(*shape), steps, batch)
        leaves = [leaf.detach().numpy() for leaf in state]
        for (begin, _), leaf in zip(self._lstm_fields(), leaves, strict=False):
            tapes.put_start(begin, leaf)
        if plan.heads:
            read_BRM, memory_BNM, read_weighting_BRN, write_weighting_BWN = leaves[-4:]
            tapes.put_start(plan.seen + plan.hidden, read_BRM)
            tapes.put_start(plan.memory, memory_BNM.swapaxes(1, 2))
            for k in range(plan.heads):
                tapes.put_start(plan.weightings + k * plan.head_size, read_weighting_BRN[:, k])
                tapes.put_start(plan.weightings + (plan.heads + k) * plan.head_size, write_weighting_BWN[:, k])
        y_TBO = torch.empty(steps, batch, plan.outputs, dtype=x_TBI.dtype)
        self._run(tapes, self._none_2, x_TBI, y_TBO.numpy(), self._none_3, entry_points.FORWARD)
        results = [y_TBO, *self._states(tapes)]
        if trace and plan.heads:
            results += self._trace(tapes)
        return results, tapes.array if keep else None

    def backward(
        self, tapes: np.ndarray, x_TBI: Tensor, d_y_TBO: Tensor, d_state: list[Tensor], with_input: bool
    ) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
        """The gradients of the input, of the first state's leaves, and of the parameters."""
        plan = self.plan
        steps, batch, _ = x_TBI.shape
        carry = torch.zeros(batch, plan.carry, dtype=x_TBI.dtype).numpy()
        heads, locations, width = plan.heads, plan.locations, plan.width

        def columns(begin: int, *shape: int) -> np.ndarray:
            return carry[:, begin : begin + int(np.prod(shape))].reshape(batch, *shape)

        def put(begin: int, gradient: np.ndarray) -> None:
            columns(begin, gradient[0].size)[:] = gradient.reshape(batch, -1)

        given = [leaf.detach().numpy() for leaf in d_state]
        for (begin, _), leaf in zip(self._lstm_fields(in_carry=True), given, strict=False):
            put(begin, leaf)
        if heads:
            d_read, d_memory, d_read_weighting, d_write_weighting = given[-4:]
            put(plan.d_reads, d_read)
            put(plan.d_memory, d_memory.swapaxes(1, 2))
            put(plan.d_weightings, np.concatenate([d_read_weighting, d_write_weighting], 1))

        d_x_TBI = torch.zeros_like(x_TBI) if with_input else None
        d_x = self._none_3 if d_x_TBI is None else d_x_TBI.numpy()
        todo = entry_points.BACKWARD | (entry_points.INPUT_GRADIENT if with_input else 0)
        self._run(Tapes(tapes, steps, batch), carry, x_TBI, d_y_TBO.contiguous().numpy(), d_x, todo)
        gradients = torch.zeros_like(self.parameters.values)
        self._accumulate(gradients.numpy(), tapes, carry, steps, batch, learned_start=False)

        leaves = [columns(begin, size) for begin, size in self._lstm_fields(in_carry=True)]
        if heads:
            d_weighting = columns(plan.d_weightings, 2 * heads, locations)
            leaves += [
                columns(plan.d_reads, heads, width),
                columns(plan.d_memory, width, locations).swapaxes(1, 2),
                d_weighting[:, :heads],
                d_weighting[:, heads:],
            ]
        # A copy of its own for each: views of the carry would keep all of it.
        return d_x_TBI, [torch.from_numpy(leaf.copy()) for leaf in leaves], self.parameters.split(gradients)

    def _check_current(self) -> None:
        if not self.parameters.is_current():
            raise RuntimeError("the model's parameters were moved after its kernel was made; make another kernel")

    def _run(
        self, tapes: Tapes, carry: np.ndarray, x_TBI: Tensor, y_TBO: np.ndarray, d_x_TBI: np.ndarray, todo: int
    ) -> None:
        threads.share(
            entry_points.run,
            min(torch.get_num_threads(), -(-tapes.batch // GROUP)),
            self.plan,
            self.values,
            tapes.array,
            carry,
            x_TBI.detach().numpy(),
            y_TBO,
            self._none_3,
            self._none_2,
            d_x_TBI,
            self._none,
            self._none,
            0.0,
            math.inf,
            todo,
        )

    def _accumulate(
        self, gradients: np.ndarray, tapes: np.ndarray, carry: np.ndarray, steps: int, batch: int, learned_start: bool
    ) -> None:
        parts = self._parts(self.values.size * steps * batch // 16)
        arguments = (self.plan, self.values, gradients, tapes, carry, batch, learned_start)
        threads.share(entry_points.accumulate, parts, *arguments)

    def _lstm_fields(self, in_carry: bool = False) -> list[tuple[int, int]]:
        """(first column, size) of hidden and cell of each LSTM layer, on a row of the tape or of the carry."""
        plan = self.plan
        hidden, cells = (plan.d_hidden, plan.d_cells) if in_carry else (plan.seen, plan.cells)
        size = int(plan.layers[0, Layer.SIZE])
        layers = len(plan.layers) if plan.recurrent else 0
        return [(begin + layer * size, size) for layer in range(layers) for begin in (hidden, cells)]

    def _states(self, tapes: Tapes) -> list[Tensor]:
        plan = self.plan
        leaves = [tapes.field(begin, size) for begin, size in self._lstm_fields()]
        if plan.heads:
            reads_TBRM = tapes.field(plan.seen + plan.hidden, plan.heads, plan.width)
            leaves += [reads_TBRM, self._memory(tapes), *self._weightings(tapes)]
        return [torch.from_numpy(leaf[-1].copy()) for leaf in leaves]

    def _memory(self, tapes: Tapes) -> np.ndarray:
        return tapes.field(self.plan.memory, self.plan.width, self.plan.locations).swapaxes(2, 3)

    def _weightings(self, tapes: Tapes) -> list[np.ndarray]:
        plan = self.plan
        heads = [tapes.field(plan.weightings + k * plan.head_size, plan.locations) for k in range(2 * plan.heads)]
        return [np.stack(heads[: plan.heads], 2), np.stack(heads[plan.heads :], 2)]

    def _trace(self, tapes: Tapes) -> list[Tensor]:
        plan = self.plan
        heads, width, shifts = plan.heads, plan.width, plan.shifts
        vectors = plan.emitted + 2 * heads * plan.parameters
        addressing = tapes.field(plan.emitted, 2 * heads, plan.parameters)
        key, strength, gate, shift, sharpness = np.split(
            addressing, [width, width + 1, width + 2, width + 2 + shifts], -1
        )
        fields = [
            *self._weightings(tapes),
            tapes.field(plan.seen + plan.hidden, heads, width),
            tapes.field(vectors, heads, width),
            tapes.field(vectors + heads * width, heads, width),
            self._memory(tapes),
            key,
            strength,
            gate,
            shift,
            sharpness,
        ]
        return [torch.from_numpy(field[1:].copy()) for field in fields]


def flatten(state: State) -> list[Tensor]:
    """A state's tensors: hidden and cell of each LSTM layer, then an NTM's as its state names them."""
    layers, rest = (state.controller, list(state[1:])) if isinstance(state, NTMState) else (state, [])
    return [tensor for layer in layers for tensor in layer] + rest


def unflatten(like: State, leaves: list[Tensor]) -> State:
    """The inverse of `flatten`, for a state of the same form."""
    layers = len(like.controller if isinstance(like, NTMState) else like)
    controller = tuple(LSTMState(*leaves[2 * layer : 2 * layer + 2]) for layer in range(layers))
    return NTMState(controller, *leaves[2 * layers :]) if isinstance(like, NTMState) else controller


class _Unroll(torch.autograd.Function):
    """(input, leaves of the first state, parameters) → (logits, leaves of the last state, trace)."""

    @staticmethod
    def forward(ctx: Any, kernel: FusedSequences, trace: bool, x_TBI: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        leaves = len(tensors) - len(kernel.parameters.parameters)
        results, ctx.tapes = kernel.forward(x_TBI, list(tensors[:leaves]), trace, keep=True)
        ctx.kernel, ctx.leaves = kernel, leaves
        # All of them, for torch to notice if one is changed in place before the backward pass.
        ctx.save_for_backward(x_TBI, *tensors)
        ctx.mark_non_differentiable(*results[leaves + 1 :])
        return tuple(results)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_y_TBO: Tensor, *d_results: Tensor) -> tuple[Tensor | None, ...]:
        x_TBI, *tensors = ctx.saved_tensors
        tapes, ctx.tapes = ctx.tapes, None  # a backward pass overwrites its tapes
        if tapes is None:
            _, tapes = ctx.kernel.forward(x_TBI, tensors[: ctx.leaves], trace=False, keep=True)
        d_state = list(d_results[: ctx.leaves])
        d_x, d_leaves, d_parameters = ctx.kernel.backward(tapes, x_TBI, d_y_TBO, d_state, ctx.needs_input_grad[2])
        return None, None, d_x, *d_leaves, *d_parameters
