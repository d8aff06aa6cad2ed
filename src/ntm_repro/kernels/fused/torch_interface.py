"""Between torch and the compiled code: arrays and states in and out, and autograd.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels, R read heads, W write
heads, K heads, N locations, M width of a location, U batches.
"""

import copy
import math
import threading
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntm_repro.jit import barrier, cache, threads
from ntm_repro.kernels.base import Arrays, Cost, Costs, Gradients, Kernel
from ntm_repro.kernels.checks import check_input, check_targets
from ntm_repro.kernels.fused.entries import Entries
from ntm_repro.kernels.fused.layout import Layer, Tapes, make_layout
from ntm_repro.kernels.fused.panels import PACKED_FROM, room_for_factors
from ntm_repro.models import State, Unrolled
from ntm_repro.models.base import leaves, rebuilt
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM, Trace

# Of an LSTM's layer: with fewer, threads that share a sequence wait longer for each other than they gain.
CELLS_WORTH_A_THREAD = 256
# Of the tape, at once, where nothing goes backward: some 75 MB with the paper's sizes.
ROWS = 2_048


class _Room(threading.local):
    """Room for numbers, reused from call to call, each thread its own; it grows when asked for more."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._numbers = torch.empty(0, dtype=dtype, device="cpu").numpy()

    def __call__(self, *shape: int) -> np.ndarray:
        count = math.prod(shape)
        if self._numbers.size < count:
            # Torch's memory begins on a cache line, numpy's need not.
            self._numbers = torch.empty(count, dtype=self._dtype, device="cpu").numpy()
        return self._numbers[:count].reshape(shape)


class FusedSequences(Kernel):
    """NTMs with any controller of `models/controllers.py`, any number of heads, locations …; and the LSTM baseline.

    Compiled by numba, on the CPU, in float32 or float64. It may be used from several threads at once.
    """

    name = "numba"
    compiled = True

    def __init__(self, model: NTM | LSTMBaseline) -> None:
        super().__init__(model)
        dtype = self.parameters.values.dtype
        kind: cache.Kind = "ntm" if isinstance(model, NTM) else "lstm"
        cache.prepare(str(dtype).removeprefix("torch."), cache.parts_for(kind))
        self.layout = make_layout(model, self.parameters)
        self._values, self._gradients = self.parameters.values.numpy(), self.parameters.gradients.numpy()
        self._tapes_room, self._carry_room = _Room(dtype), _Room(dtype)
        self._packed_room, self._factors_room = _Room(dtype), _Room(dtype)
        self._factors_size = room_for_factors(self.layout)
        self.entries = Entries(self.layout, self._values.dtype)
        self._alone = barrier.none()
        with torch.no_grad():
            self._state_shapes = {name: tensor.shape for name, tensor in leaves(model.initial_state(1))}

    def cost_and_gradient(
        self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, gradient_bound: float = math.inf
    ) -> Cost:
        """See `Kernel`."""
        self._check_current()
        check_input(self.model, x_TBI, None, self._state_shapes, self.parameters.values)
        check_targets(self.model, x_TBI, target_TBO, mask_TO, self.parameters.values)
        steps, batch, _ = x_TBI.shape
        tapes = self._tapes_room((steps + 1) * batch, self.layout.row_width)
        carry = self._carry_room(batch, self.layout.carry_width)
        bits_B, wrong_B = np.empty(batch), np.empty(batch)
        mates = self._mates_of(batch)
        share, parts, shared_barrier = threads.share, self._parts_of(batch), self._alone
        if mates > 1:
            share, parts, shared_barrier = threads.share_together, mates, barrier.new()
        share(
            self.entries.cost_and_gradient.run,
            parts,
            self.entries.group_forward,
            self.entries.group_backward,
            self.layout,
            self._values,
            self._packed(batch),
            tapes,
            carry,
            _numbers(x_TBI),
            _numbers(target_TBO),
            _numbers(mask_TO),
            bits_B,
            wrong_B,
            1 / batch,
            gradient_bound / batch,
            shared_barrier,
        )
        self._accumulate(self._gradients, tapes, carry, batch, learned_start=True)
        self.parameters.bind_gradients()
        return Cost(bits_B, wrong_B)

    def cost(self, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, values_P: Tensor) -> Cost:
        """See `Kernel`. By the code of `gradients`, so that a batch by itself has the same bits."""
        self._check_current()
        check_input(self.model, x_TBI, None, self._state_shapes, self.parameters.values)
        check_targets(self.model, x_TBI, target_TBO, mask_TO, self.parameters.values)
        joined = (_numbers(x_TBI), _numbers(target_TBO), _numbers(mask_TO))
        costs = self._costs(joined, np.array([len(mask_TO)]), values_P)
        costs.function.run(*costs.arguments, 0)
        return Cost(costs.bits_UB[0], costs.wrong_UB[0])

    def _costs(self, joined: Arrays, ends_U: np.ndarray, values_P: Tensor) -> Costs:
        """joined: x_TBI, target_TBO and mask_TO of all batches, along their steps; ends_U: where each ends."""
        batch = joined[0].shape[1]
        rows = (int(np.diff(ends_U, prepend=0).max()) + 1) * min(batch, self.layout.group)
        costs = np.empty((2, len(ends_U), batch))
        arguments = (
            self.entries.group_forward,
            self.layout,
            values_P.numpy(),
            self._packed_room(self._packed_size(batch)),
            self._tapes_room(rows, self.layout.row_width),
            *joined,
            ends_U,
            *costs,
            self._alone,
        )
        return Costs(self.entries.costs, arguments, *costs)

    def gradients(
        self, batches: Sequence[Arrays], gradient_bound: float = math.inf, values_P: Tensor | None = None
    ) -> Gradients | None:
        """See `Kernel`."""
        self._check_current()
        batch = batches[0][0].shape[1]
        taken = list(takewhile(lambda arrays: self._takes(arrays, batch), batches))
        if not taken:
            return None
        steps = [len(mask_TO) for _, _, mask_TO in taken]
        costs = np.empty((2, len(taken), batch))
        x, target, mask = (np.ascontiguousarray(np.concatenate(arrays)) for arrays in zip(*taken, strict=True))
        ends_U = np.cumsum(steps)
        arguments = (
            self.entries.group_forward,
            self.entries.group_backward,
            self.entries.cost_and_gradient,
            self.entries.weight_gradients,
            self.layout,
            self._values,
            self._gradients,
            self._packed_room(self._packed_size(batch)),
            self._factors_room(self._factors_size),
            self._tapes_room((max(steps) + 1) * batch, self.layout.row_width),
            self._carry_room(batch, self.layout.carry_width),
            x,
            target,
            mask,
            ends_U,
            *costs,
            1 / batch,
            gradient_bound / batch,
            self._alone,
        )
        self.parameters.bind_gradients()
        others = self._costs((x, target, mask), ends_U, self.parameters.values if values_P is None else values_P)
        return Gradients(self.entries.gradient, arguments, *costs, others)

    def _takes(self, arrays: Arrays, batch: int) -> bool:
        """Whether a batch is of this size, as compiled code takes it, and not worth a second thread."""
        x_TBI, target_TBO, mask_TO = arrays
        steps, outputs, dtype = len(mask_TO), self.layout.num_outputs, self._values.dtype
        return (
            x_TBI.shape == (steps, batch, self.layout.num_inputs)
            and target_TBO.shape == (steps, batch, outputs)
            and mask_TO.shape == (steps, outputs)
            and x_TBI.dtype == dtype
            and target_TBO.dtype == dtype
            and mask_TO.dtype == dtype
            and x_TBI.size > 0
            and (torch.get_num_threads() == 1 or self._parts_of(batch) == self._parts_of_weights(steps * batch) == 1)
            and self._mates_of(batch) == 1
        )

    def unroll(
        self, x_TBI: Tensor, state: State | None = None, trace: bool = False, gradient_bound: float = math.inf
    ) -> Unrolled:
        """See `Model.unroll`; the trace is of values alone, no gradient flows into it."""
        self._check_current()
        check_input(self.model, x_TBI, state, self._state_shapes, self.parameters.values)
        if state is None:
            state = self.model.initial_state(x_TBI.shape[1])
        given = [tensor.contiguous() for _, tensor in leaves(state)]
        x_TBI = x_TBI.contiguous()
        parameters = self.parameters.parameters
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x_TBI, *given, *parameters)):
            results = list(_Unroll.apply(self, _Options(trace, gradient_bound), x_TBI, *given, *parameters))
        else:
            # Without a backward pass ahead only one group a thread needs its tape at a time, and not all of it.
            share = self.layout.group * torch.get_num_threads()
            pieces = []
            for first in range(0, x_TBI.shape[1], share):
                these = slice(first, first + share)
                pieces.append(self._forward_only(x_TBI[:, these], [tensor[these] for tensor in given], trace))
            results = pieces[0]
            if len(pieces) > 1:
                results = [
                    torch.cat(tensors, 0 if 0 < index <= len(given) else 1)
                    for index, tensors in enumerate(zip(*pieces, strict=True))
                ]
        y_TBO, rest = results[0], results[1:]
        traced = Trace(*rest[len(given) :]) if trace and self.layout.num_heads else None
        return Unrolled(y_TBO, rebuilt(state, iter(rest[: len(given)])), traced)

    def forward(
        self, x_TBI: Tensor, state: list[Tensor], trace: bool, keep: bool = False
    ) -> tuple[list[Tensor], np.ndarray | None]:
        """[y_TBO, tensors of the last state, trace], and the tapes if they are to be kept."""
        layout = self.layout
        steps, batch, _ = x_TBI.shape
        shape = ((steps + 1) * batch, layout.row_width)
        array = torch.empty(shape, dtype=x_TBI.dtype, device="cpu").numpy() if keep else self._tapes_room(*shape)
        tapes = Tapes(array, steps, batch, layout.group)
        values = [tensor.detach().numpy() for tensor in state]
        for (begin, _), value in zip(self._lstm_fields(), values, strict=False):
            tapes.put_start(begin, value)
        if layout.num_heads:
            read_BRM, memory_BNM, read_weighting_BRN, write_weighting_BWN = values[-4:]
            tapes.put_start(layout.seen + layout.hidden_size, read_BRM)
            tapes.put_start(layout.memory, memory_BNM.swapaxes(1, 2))
            for k in range(layout.num_heads):
                tapes.put_start(self._weighting(k), read_weighting_BRN[:, k])
                tapes.put_start(self._weighting(layout.num_heads + k), write_weighting_BWN[:, k])
        y_TBO = torch.empty(steps, batch, layout.num_outputs, dtype=x_TBI.dtype, device="cpu")
        threads.share(
            self.entries.forward.run,
            self._parts_of(batch),
            self.entries.group_forward,
            layout,
            self._values,
            self._packed(batch),
            array,
            _numbers(x_TBI),
            y_TBO.numpy(),
            self._alone,
        )
        results = [y_TBO, *self._states(tapes)]
        if trace and layout.num_heads:
            results += self._trace(tapes)
        return results, array if keep else None

    def _forward_only(self, x_TBI: Tensor, state: list[Tensor], trace: bool) -> list[Tensor]:
        """`forward` in stretches of steps: however long the sequences, the tape is that of one stretch."""
        steps = max(1, ROWS // x_TBI.shape[1])
        stretches = []
        for x in x_TBI.split(steps):
            results, _ = self.forward(x.contiguous(), state, trace)
            stretches.append(results)
            state = results[1 : 1 + len(state)]
        if len(stretches) == 1:
            return stretches[0]
        over_time = [torch.cat(tensors) for tensors in zip(*stretches, strict=True)]
        return [over_time[0], *state, *over_time[1 + len(state) :]]

    def backward(
        self, tapes: np.ndarray, x_TBI: Tensor, d_y_TBO: Tensor, d_state: list[Tensor], with_input: bool, bound: float
    ) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
        """The gradients of the input, of the first state's tensors, and of the parameters."""
        layout = self.layout
        batch = x_TBI.shape[1]
        heads, locations, width = layout.num_heads, layout.num_locations, layout.width
        carry = torch.zeros(batch, layout.carry_width, dtype=x_TBI.dtype, device="cpu").numpy()

        def columns(begin: int, *shape: int) -> np.ndarray:
            return carry[:, begin : begin + math.prod(shape)].reshape(batch, *shape)

        def put(begin: int, gradient: np.ndarray) -> None:
            columns(begin, gradient[0].size)[:] = gradient.reshape(batch, -1)

        given = [tensor.detach().numpy(force=True) for tensor in d_state]
        for (begin, _), gradient in zip(self._lstm_fields(in_carry=True), given, strict=False):
            put(begin, gradient)
        if heads:
            d_read, d_memory, d_read_weighting, d_write_weighting = given[-4:]
            put(layout.d_reads, d_read)
            put(layout.d_memory, d_memory.swapaxes(1, 2))
            put(layout.d_weightings, np.concatenate([d_read_weighting, d_write_weighting], 1))

        d_y = _numbers(d_y_TBO)
        d_x_TBI = torch.zeros_like(x_TBI) if with_input else None
        d_x = d_y if d_x_TBI is None else d_x_TBI.numpy()  # without input: any array, not touched
        threads.share(
            self.entries.backward.run,
            self._parts_of(batch),
            self.entries.group_backward,
            layout,
            self._values,
            self._packed(batch),
            tapes,
            carry,
            d_y,
            d_x,
            with_input,
            bound,
            self._alone,
        )
        gradients = torch.zeros_like(self.parameters.values)
        self._accumulate(gradients.numpy(), tapes, carry, batch, learned_start=False)

        d_first = [columns(begin, size) for begin, size in self._lstm_fields(in_carry=True)]
        if heads:
            d_weighting = columns(layout.d_weightings, 2 * heads, locations)
            d_first += [
                columns(layout.d_reads, heads, width),
                columns(layout.d_memory, width, locations).swapaxes(1, 2),
                d_weighting[:, :heads],
                d_weighting[:, heads:],
            ]
        # A copy of its own for each: views of the carry would keep all of it.
        return d_x_TBI, [torch.from_numpy(part.copy()) for part in d_first], self.parameters.split(gradients)

    def differentiable_backward(
        self, inputs: list[Tensor], needed: Sequence[bool], d_results: list[Tensor], bound: float
    ) -> list[Tensor | None]:
        """What `backward` gives, by autograd: gradients that can be differentiated again.

        inputs: x_TBI, the first state's tensors, the parameters; None in the place of a gradient that is not `needed`.
        d_results: of y_TBO and the last state's tensors.
        """
        self._check_current()
        # Aliases: a state or an input may itself come from the same parameters, whose share in them is not asked for.
        aliases = [tensor.view_as(tensor) for tensor in inputs]
        parameters = self.parameters.parameters
        first_parameter = len(inputs) - len(parameters)
        replaced = zip(parameters, aliases[first_parameter:], strict=True)
        twin = copy.deepcopy(self.model, {id(parameter): alias for parameter, alias in replaced})
        state = rebuilt(twin.initial_state(1), iter(aliases[1:first_parameter]))
        unrolled = twin.unroll(aliases[0], state, gradient_bound=bound)
        results = [unrolled.y_TBO, *(tensor for _, tensor in leaves(unrolled.state))]
        wanted = [alias for alias, need in zip(aliases, needed, strict=True) if need]
        gradients = iter(torch.autograd.grad(results, wanted, d_results, create_graph=True, allow_unused=True))
        return [next(gradients) if need else None for need in needed]

    def _check_current(self) -> None:
        if not self.parameters.is_current():
            raise RuntimeError(
                "the model was changed after its kernel was made: call the model, or make another kernel"
            )

    def _accumulate(
        self, gradients: np.ndarray, tapes: np.ndarray, carry: np.ndarray, batch: int, learned_start: bool
    ) -> None:
        parts = self._parts_of_weights(len(tapes) - batch)
        room = self._factors_room(parts * self._factors_size)
        arguments = (self.layout, self._values, gradients, tapes, carry, batch, learned_start, room)
        threads.share(self.entries.weight_gradients.run, parts, *arguments)

    def _packed_size(self, batch: int) -> int:
        return self.layout.packed_size if batch >= PACKED_FROM else 0

    def _packed(self, batch: int) -> np.ndarray:
        """The weights as they are now, packed for a batch of this size; nothing for a small one."""
        packed = self._packed_room(self._packed_size(batch))
        if packed.size:
            self.entries.packed_weights.run(self.layout, self._values, packed)
        return packed

    def _parts_of(self, batch: int) -> int:
        """How many threads a batch is worth: at most one for each group."""
        return min(torch.get_num_threads(), -(-batch // self.layout.group))

    def _mates_of(self, batch: int) -> int:
        """How many threads a single sequence is worth: of an LSTM with many cells, several."""
        if batch > 1 or self.layout.num_heads:
            return 1
        cells = int(self.layout.layers[:, Layer.SIZE].min())
        return max(1, min(torch.get_num_threads(), cells // CELLS_WORTH_A_THREAD))

    def _parts_of_weights(self, rows: int) -> int:
        """How many threads the weights' gradients are worth, over so many steps of all sequences."""
        return threads.parts_for(self._values.size * rows // 16)

    def _lstm_fields(self, in_carry: bool = False) -> list[tuple[int, int]]:
        """(first column, size) of hidden and cell of each LSTM layer, on a row of the tape or of the carry."""
        layout = self.layout
        if not layout.recurrent:
            return []
        fields = (layout.d_hidden, layout.d_cells) if in_carry else (layout.seen, layout.cells)
        return [
            (field + int(layer[Layer.HIDDEN]), int(layer[Layer.SIZE])) for layer in layout.layers for field in fields
        ]

    def _weighting(self, k: int) -> int:
        """The first column of head k's weighting; the writing heads come after the reading ones."""
        return self.layout.weightings + k * self.layout.head_size

    def _states(self, tapes: Tapes) -> list[Tensor]:
        layout = self.layout
        fields = [tapes.field(begin, size) for begin, size in self._lstm_fields()]
        if layout.num_heads:
            reads_TBRM = tapes.field(layout.seen + layout.hidden_size, layout.num_heads, layout.width)
            fields += [reads_TBRM, self._memory(tapes), *self._weightings(tapes)]
        return [torch.from_numpy(field[-1].copy()) for field in fields]

    def _memory(self, tapes: Tapes) -> np.ndarray:
        return tapes.field(self.layout.memory, self.layout.width, self.layout.num_locations).swapaxes(2, 3)

    def _weightings(self, tapes: Tapes) -> list[np.ndarray]:
        heads = self.layout.num_heads
        each = [tapes.field(self._weighting(k), self.layout.num_locations) for k in range(2 * heads)]
        return [np.stack(each[:heads], 2), np.stack(each[heads:], 2)]

    def _trace(self, tapes: Tapes) -> list[Tensor]:
        layout = self.layout
        heads, width, shifts = layout.num_heads, layout.width, layout.num_shifts
        vectors = layout.emitted + 2 * heads * layout.head_parameters
        addressing = tapes.field(layout.emitted, 2 * heads, layout.head_parameters)
        key, strength, gate, shift, sharpness = np.split(
            addressing, [width, width + 1, width + 2, width + 2 + shifts], -1
        )
        read_weighting, write_weighting = self._weightings(tapes)
        fields: dict[str, np.ndarray] = {
            "read_weighting_BRN": read_weighting,
            "write_weighting_BWN": write_weighting,
            "read_BRM": tapes.field(layout.seen + layout.hidden_size, heads, width),
            "erase_BWM": tapes.field(vectors, heads, width),
            "add_BWM": tapes.field(vectors + heads * width, heads, width),
            "memory_BNM": self._memory(tapes),
            "key_BKM": key,
            "strength_BK1": strength,
            "gate_BK1": gate,
            "shift_BKS": shift,
            "sharpness_BK1": sharpness,
        }
        return [torch.from_numpy(fields[name][1:].copy()) for name in Trace._fields]


def _numbers(tensor: Tensor) -> np.ndarray:
    """A tensor's numbers as compiled code takes them: unbroken, C order, lazy negations and zeros carried out."""
    if tensor.requires_grad or tensor.is_neg() or tensor._is_zerotensor() or not tensor.is_contiguous():
        return tensor.detach().contiguous().numpy(force=True)
    return tensor.numpy()


class _Options(NamedTuple):
    """Of one pass: whether it is traced, and the bound of the state's gradient."""

    trace: bool
    bound: float


class _Unroll(torch.autograd.Function):
    """(input, tensors of the first state, parameters) → (logits, tensors of the last state, trace)."""

    @staticmethod
    def forward(
        ctx: Any, kernel: FusedSequences, options: _Options, x_TBI: Tensor, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        states = len(tensors) - len(kernel.parameters.parameters)
        results, ctx.tapes = kernel.forward(x_TBI, list(tensors[:states]), options.trace, keep=True)
        ctx.kernel, ctx.states, ctx.bound = kernel, states, options.bound
        # All of them, for torch to notice if one is changed in place before the backward pass.
        ctx.save_for_backward(x_TBI, *tensors)
        ctx.mark_non_differentiable(*results[states + 1 :])
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, d_y_TBO: Tensor, *d_results: Tensor) -> tuple[Tensor | None, ...]:
        x_TBI, *tensors = ctx.saved_tensors
        d_state = list(d_results[: ctx.states])
        if torch.is_grad_enabled():  # create_graph=True: compiled code leaves autograd nothing to differentiate
            needed, given = ctx.needs_input_grad[2:], [d_y_TBO, *d_state]
            return None, None, *ctx.kernel.differentiable_backward([x_TBI, *tensors], needed, given, ctx.bound)
        tapes, ctx.tapes = ctx.tapes, None  # a backward pass overwrites its tapes
        if tapes is None:
            _, tapes = ctx.kernel.forward(x_TBI, tensors[: ctx.states], trace=False, keep=True)
        d_x, d_first, d_parameters = ctx.kernel.backward(
            tapes, x_TBI, d_y_TBO, d_state, ctx.needs_input_grad[2], ctx.bound
        )
        return None, None, d_x, *d_first, *d_parameters
