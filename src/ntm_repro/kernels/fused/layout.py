"""Where everything lies: a model's parameters in the flat buffer, and what a row of the tape and of the carry holds.

**The tape** keeps what the backward pass needs of the forward pass: one array [rows, row_width], one row for each step
of each sequence. A group of B sequences (at most `layout.group`) runs in lockstep on a tape of its own, whose rows
B·t … B·t + B − 1 are the state before step t (for t = 0 the start), so that the products of a step see B neighbouring
rows. Forward fills a row's fields; backward replaces some of them by their gradients.

**The carry** is one row for each sequence: the gradients on their way from step t to step t − 1, and room to work.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from ntm_repro.kernels.flat_parameters import ALIGNMENT, FlatParameters
from ntm_repro.models.controllers import LSTMStack
from ntm_repro.models.initial_state import RandomStart, SharedStart
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM, Activation, OutputFrom, ReadOrder

# Sequences in lockstep: they share each pass over the weights.
GROUP = 4
# The same where a layer's weights are more numbers than a second-level cache holds, so that passes are dear.
GROUP_OF_LARGE, LARGE = 8, 1 << 17
# Rows of a whole number of 4096-byte pages would compete for the same few cache lines; this many over do not.
PAGE_NUMBERS, OVER = 1024, 48


@register_jitable
def padded(count: int) -> int:
    """`count` rounded up to whole cache lines."""
    return (count + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


class Layer:
    """Columns of `Layout.layers`, one row for each layer of the controller."""

    WEIGHTS = 0  # in the flat buffer
    INPUTS = 1
    SIZE = 2
    COLUMNS = 3  # of the weights, padded
    SEEN = 4  # tape: the layer's input; then its gradient
    GATES = 5  # tape: activated gates (i, f, candidate, o) or the layer's output; then the pre-activations' gradient
    TANH_CELL = 6  # tape
    HIDDEN = 7  # where the layer's h begins within that of all layers
    HIDDEN_START = 8  # in the flat buffer
    CELL_START = 9
    # In the packed weights (`panels.py`): all rows; then, transposed, those before OUTSIDE, and those from there on.
    PACKED = 10
    TRANSPOSED = 11
    TRANSPOSED_OWN = 12
    OUTSIDE = 13  # where the rows of the layer's own h begin, if they are multiplied apart; else INPUTS
    COUNT = 14


class Layout(NamedTuple):
    """A model in numbers, as compiled code takes it: sizes, choices, offsets in the flat buffer, columns of a row."""

    # Sizes. num_heads: R read heads, and as many write heads; 0 for the LSTM baseline.
    num_inputs: int
    num_outputs: int
    hidden_size: int  # of all layers that heads and output see
    num_heads: int
    width: int
    num_locations: int
    num_shifts: int
    group: int  # sequences in lockstep, at most
    head_parameters: int  # P = M + 3 + S: key, strength, gate, shift, sharpness

    # Choices.
    recurrent: bool
    bounded: bool  # key and add vectors pass a tanh
    reads_after: bool
    output_sees_reads: bool
    shared_start: bool
    fixed_memory: bool  # M_0 is not learned
    begins_without_weightings: bool  # w_0 = 0

    layers: np.ndarray  # see `Layer`

    # Offsets in the flat buffer.
    interface_weights: int
    interface_columns: int
    output_weights: int
    output_columns: int
    read_start: int
    memory_start: int
    weighting_start: int

    # Offsets in the packed weights (`panels.py`).
    interface_packed: int
    interface_transposed: int
    output_packed: int
    output_transposed: int
    packed_size: int

    # Columns of a tape row.
    seen: int  # h of all layers, then the reads: what the output layer sees
    d_seen: int
    d_inputs: int  # of one layer at a time
    cells: int
    raw: int  # the interface before its activations; then its gradient
    emitted: int
    d_emitted: int
    logits: int  # then their gradient
    memory: int
    inverse_norms: int
    head_fields: int  # of all heads, `head_size` columns each: see `addressing.head_fields`
    head_size: int
    weightings: int  # of head 0, within its fields
    row_width: int

    # Columns of a carry row.
    d_hidden: int
    d_cells: int
    d_reads: int
    d_weightings: int
    d_memory: int
    z: int
    q: int
    circle: int
    partial: int
    carry_width: int


@register_jitable
def weights_at(values, at, inputs, columns):
    """The weight block [inputs + 1, columns] that begins at `at` in the flat buffer; its last row is the bias."""
    return values[at : at + (inputs + 1) * columns].reshape((inputs + 1, columns))


@register_jitable
def seen_by_output(layout):
    """How many numbers the output layer sees."""
    return layout.hidden_size + layout.num_heads * layout.width if layout.output_sees_reads else layout.hidden_size


class Columns:
    """Hands out the columns of a row, one field after the other, each on cache lines of its own."""

    def __init__(self) -> None:
        self.end = 0

    def take(self, count: int) -> int:
        """The first column of a field of `count` numbers."""
        begin = self.end
        self.end += padded(count)
        return begin

    @property
    def width(self) -> int:
        """The width of a row with all its fields."""
        if self.end <= PAGE_NUMBERS:
            return self.end + OVER
        return (self.end + PAGE_NUMBERS - OVER - 1) // PAGE_NUMBERS * PAGE_NUMBERS + OVER


def make_layout(model: Any, parameters: FlatParameters) -> Layout:
    """The layout of an `NTM` or an `LSTMBaseline`, whose stack counts as a controller without heads."""
    ntm = model if isinstance(model, NTM) else None
    controller: Any = model.stack if isinstance(model, LSTMBaseline) else model.controller
    recurrent = isinstance(controller, LSTMStack)
    shared = ntm is not None and isinstance(ntm.start, SharedStart)
    linears: list[Any] = [layer.gates if recurrent else layer for layer in controller.layers]
    size = linears[0].out_features // (4 if recurrent else 1)
    num_heads, width, num_locations, num_shifts, head_parameters = (
        (ntm.num_heads, ntm.width, ntm.num_locations, ntm.shift_range, ntm.parameters_per_head) if ntm else (0,) * 5
    )
    reads_size = num_heads * width
    interface_size = ntm.interface.out_features if ntm else 0

    # The tape's row. Each layer's own fields come first.
    row, packed = Columns(), Columns()
    layers = np.zeros((len(linears), Layer.COUNT), np.int64)
    for index, linear in enumerate(linears):
        layers[index, Layer.WEIGHTS] = parameters.at(linear.weight)
        layers[index, Layer.INPUTS] = linear.in_features
        layers[index, Layer.SIZE] = size
        layers[index, Layer.COLUMNS] = padded(linear.out_features)
        layers[index, Layer.SEEN] = row.take(linear.in_features)
        layers[index, Layer.GATES] = row.take(linear.out_features)
        if recurrent:
            layers[index, Layer.TANH_CELL] = row.take(size)
            layers[index, Layer.HIDDEN] = index * size
            layers[index, Layer.HIDDEN_START] = parameters.at(controller.layers[index].hidden_H)
            layers[index, Layer.CELL_START] = parameters.at(controller.layers[index].cell_H)
        outside = linear.in_features - (0 if ntm else size)
        columns = int(layers[index, Layer.COLUMNS])
        layers[index, Layer.OUTSIDE] = outside
        layers[index, Layer.PACKED] = packed.take(linear.in_features * columns)
        layers[index, Layer.TRANSPOSED] = packed.take(padded(outside) * columns)
        layers[index, Layer.TRANSPOSED_OWN] = packed.take(0 if ntm else padded(size) * columns)
    head_size = 5 * padded(num_locations) + padded(num_locations + num_shifts - 1) if num_heads else 0
    head_fields = row.take(2 * num_heads * head_size)
    seen = row.take(controller.size + reads_size)
    d_seen = row.take(controller.size + reads_size)
    d_inputs = row.take(max(controller.size, int(layers[:, Layer.INPUTS].max())))
    cells = row.take(controller.size if recurrent else 0)
    raw = row.take(interface_size)
    emitted = row.take(interface_size)
    d_emitted = row.take(interface_size)
    logits = row.take(model.output.out_features)
    memory = row.take(width * num_locations)
    inverse_norms = row.take(num_locations)

    interface_columns, output_columns = padded(interface_size), padded(model.output.out_features)
    output_inputs = model.output.in_features
    interface_packed = packed.take(controller.size * interface_columns)
    interface_transposed = packed.take(padded(controller.size) * interface_columns)
    output_packed = packed.take(output_inputs * output_columns)
    output_transposed = packed.take(padded(output_inputs) * output_columns)

    # The carry's row: first the gradient of the state, then room to work.
    carry = Columns()
    d_hidden = carry.take(controller.size)
    d_cells = carry.take(controller.size)
    d_reads = carry.take(reads_size)
    d_weightings = carry.take(2 * num_heads * num_locations)
    d_memory = carry.take(width * num_locations)
    z = carry.take(num_locations)
    q = carry.take(num_locations)
    circle = carry.take(num_locations + max(num_shifts - 1, 0))
    partial = carry.take(num_heads * num_locations)

    layout = Layout(
        num_inputs=linears[0].in_features - reads_size - (size if recurrent else 0),
        num_outputs=model.output.out_features,
        hidden_size=controller.size,
        num_heads=num_heads,
        width=width,
        num_locations=num_locations,
        num_shifts=num_shifts,
        group=GROUP_OF_LARGE if max(linear.weight.numel() for linear in linears) > LARGE else GROUP,
        head_parameters=head_parameters,
        recurrent=recurrent,
        bounded=ntm is not None and ntm.activation is Activation.tanh,
        reads_after=ntm is not None and ntm.read_order is ReadOrder.after,
        output_sees_reads=ntm is not None and ntm.output_from is OutputFrom.hidden_and_reads,
        shared_start=shared,
        fixed_memory=ntm is not None and not ntm.start.memory.requires_grad,
        begins_without_weightings=ntm is not None and isinstance(ntm.start, RandomStart),
        layers=layers,
        interface_weights=parameters.at(ntm.interface.weight) if ntm else 0,
        interface_columns=interface_columns,
        output_weights=parameters.at(model.output.weight),
        output_columns=output_columns,
        read_start=parameters.at(ntm.read_RM) if ntm else 0,
        memory_start=parameters.at(_start(ntm, shared, "memory_M", "memory_NM")) if ntm else 0,
        weighting_start=0
        if ntm is None or isinstance(ntm.start, RandomStart)
        else parameters.at(_start(ntm, shared, "rate_K", "logits_KN")),
        interface_packed=interface_packed,
        interface_transposed=interface_transposed,
        output_packed=output_packed,
        output_transposed=output_transposed,
        packed_size=packed.end,
        seen=seen,
        d_seen=d_seen,
        d_inputs=d_inputs,
        cells=cells,
        raw=raw,
        emitted=emitted,
        d_emitted=d_emitted,
        logits=logits,
        memory=memory,
        inverse_norms=inverse_norms,
        head_fields=head_fields,
        head_size=head_size,
        weightings=head_fields + 4 * padded(num_locations),
        row_width=row.width,
        d_hidden=d_hidden,
        d_cells=d_cells,
        d_reads=d_reads,
        d_weightings=d_weightings,
        d_memory=d_memory,
        z=z,
        q=q,
        circle=circle,
        partial=partial,
        carry_width=carry.width,
    )
    check(layout)
    return layout


def _start(ntm: NTM, shared: bool, of_all: str, of_each: str) -> Any:
    return getattr(ntm.start, of_all if shared else of_each)


def check(layout: Layout) -> None:
    """Assert what compiled code relies on without looking."""
    # The clip through time takes one unbroken stretch that begins at column 0; the memory's is apart.
    assert layout.d_hidden == 0
    assert max(layout.d_cells, layout.d_reads, layout.d_weightings) <= layout.d_memory
    # The fields of a head: five vectors over locations, the weighting the fifth, then w^g with its ends repeated.
    fields_end = 5 * padded(layout.num_locations)
    assert layout.num_heads == 0 or layout.head_size >= fields_end + layout.num_locations + layout.num_shifts - 1
    # Reads follow h wherever both are seen.
    assert layout.d_seen >= layout.seen + layout.hidden_size + layout.num_heads * layout.width
    # Weights are read in whole vectors.
    assert layout.output_columns % ALIGNMENT == layout.interface_columns % ALIGNMENT == 0


class Tapes:
    """The tapes of all groups of a batch, one below the other: `array` [(T + 1) B, row_width]."""

    def __init__(self, array: np.ndarray, steps: int, batch: int, group: int) -> None:
        self.array, self.steps, self.batch, self.group = array, steps, batch, group

    def field(self, begin: int, *shape: int) -> np.ndarray:
        """A copy of the field that begins at a column: [T + 1, B, *shape], the start first."""
        count = math.prod(shape)
        groups = [rows[:, :, begin : begin + count] for rows in self._groups()]
        return np.concatenate(groups, 1).reshape(self.steps + 1, self.batch, *shape)

    def put_start(self, begin: int, values_BX: np.ndarray) -> None:
        """Write a field of the row before the first step, for every sequence."""
        values_BX = values_BX.reshape(self.batch, -1)
        for first, rows in zip(range(0, self.batch, self.group), self._groups(), strict=True):
            rows[0, :, begin : begin + values_BX.shape[1]] = values_BX[first : first + self.group]

    def _groups(self) -> list[np.ndarray]:
        rows = self.steps + 1
        return [
            self.array[rows * first : rows * min(first + self.group, self.batch)].reshape(rows, -1, self.array.shape[1])
            for first in range(0, self.batch, self.group)
        ]
