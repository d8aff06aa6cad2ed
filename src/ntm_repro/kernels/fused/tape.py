"""The tape: one row of numbers for each step of each sequence, holding all that the backward pass needs of it.

A tape is one array [rows, C]. A group of B sequences (at most `GROUP`) runs in lockstep on a tape of its own, whose
rows B·t … B·t + B − 1 are the state before step t (for t = 0 the start), so that the products of a step see B
neighbouring rows. What a row holds is a `Plan` of columns, made once for each model.
"""

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from ntm_repro.kernels.flat_parameters import ALIGNMENT

# Sequences in lockstep: they share each pass over the weights.
GROUP = 4
# Rows of a whole number of 4096-byte pages would compete for the same few cache lines; this many over do not.
PAGE, OVER = 1024, 48


@register_jitable
def padded(count: int) -> int:
    """`count` rounded up to whole cache lines."""
    return (count + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


class Columns:
    """Hands out the columns of a row, one field after the other."""

    def __init__(self) -> None:
        self.width = 0

    def take(self, count: int) -> int:
        """The first column of a field of `count` numbers."""
        begin = self.width
        self.width += padded(count)
        return begin

    @property
    def row(self) -> int:
        """The width of a row with all its fields."""
        return (self.width + PAGE - OVER - 1) // PAGE * PAGE + OVER if self.width > PAGE else self.width + OVER


class Layout(NamedTuple):
    """An NTM in numbers: its sizes, where its parameters lie in the flat buffer (…_weights), and the tape's columns.

    heads: R read heads, and as many write heads. parameters: P of one head's addressing. layers: see `Layer`.
    The fields of a row are named for what forward leaves there; backward replaces some by their gradients.
    """

    inputs: int
    outputs: int
    hidden: int
    heads: int
    width: int
    locations: int
    shifts: int
    parameters: int
    recurrent: bool
    bounded: bool  # key and add vectors pass a tanh
    reads_after: bool
    output_sees_reads: bool
    shared_start: bool
    layers: np.ndarray

    interface_weights: int
    interface_columns: int
    output_weights: int
    output_columns: int
    read_start: int
    memory_start: int
    weighting_start: int

    seen: int  # h of all layers, then the reads: what the output layer sees
    d_seen: int
    d_inputs: int  # of one layer at a time
    cells: int
    raw: int  # the interface before its activations; then its gradient
    emitted: int
    d_emitted: int
    logits: int  # then their gradient
    memory: int
    inverse_lengths: int
    head_fields: int
    head_size: int
    weightings: int  # of head 0, within its fields
    row: int

    # Columns of a carry row: gradients on their way from step t to step t − 1, and room to work.
    d_hidden: int
    d_cells: int
    d_reads: int
    d_weightings: int
    d_memory: int
    z: int
    q: int
    circle: int
    partial: int
    carry: int


class Layer:
    """Columns of `Plan.layers`, one row for each layer of the controller."""

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
    COUNT = 10


class Tapes:
    """The tapes of all groups of a batch, one below the other: `array` [(T + 1) B, C]."""

    def __init__(self, array: np.ndarray, steps: int, batch: int) -> None:
        self.array, self.steps, self.batch = array, steps, batch

    def field(self, begin: int, *shape: int) -> np.ndarray:
        """A copy of the field that begins at a column: [T + 1, B, *shape], the start first."""
        count = int(np.prod(shape))
        groups = [rows[:, :, begin : begin + count] for rows in self._groups()]
        return np.concatenate(groups, 1).reshape(self.steps + 1, self.batch, *shape)

    def put_start(self, begin: int, values_BX: np.ndarray) -> None:
        """Write a field of the row before the first step, for every sequence."""
        values_BX = values_BX.reshape(self.batch, -1)
        for first, rows in zip(range(0, self.batch, GROUP), self._groups(), strict=True):
            rows[0, :, begin : begin + values_BX.shape[1]] = values_BX[first : first + GROUP]

    def _groups(self) -> list[np.ndarray]:
        rows = self.steps + 1
        return [
            self.array[rows * first : rows * min(first + GROUP, self.batch)].reshape(rows, -1, self.array.shape[1])
            for first in range(0, self.batch, GROUP)
        ]
