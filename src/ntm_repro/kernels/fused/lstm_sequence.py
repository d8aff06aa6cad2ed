"""A whole sequence of the LSTM baseline, forward and backward, layer by layer.

Nothing feeds back from an upper layer to a lower one, so a layer runs through all steps before the next begins: what it
sees of the input and of the layer below is one product over all steps, and only the recurrence, H × 4H, goes step by
step. Backward likewise, from the last layer to the first. The cell is the controller's (`controllers.py`).

Several threads may share a single sequence. Each has some cells; forward some columns of the weights and backward some
of their rows, over all steps as in the recurrence; of the output layer, some steps. So each reads its share of the
weights, which its own cache may hold, and writes what it will read; and nothing is summed in another order. Where one
needs what others made, they wait for each other (`jit/barrier.py`).
"""

import math

from ntm_repro.jit.barrier import wait
from ntm_repro.jit.cache import entry, inner
from ntm_repro.kernels.fused.controllers import add, clip, copy, lstm_cell, lstm_cell_backward
from ntm_repro.kernels.fused.layout import Layer, weights_at
from ntm_repro.kernels.fused.products import (
    add_columns,
    add_product,
    affine,
    dots,
    set_to_bias,
    transposed_product,
)

WEIGHTS, INPUTS, SIZE, COLUMNS = Layer.WEIGHTS, Layer.INPUTS, Layer.SIZE, Layer.COLUMNS
SEEN, GATES, TANH_CELL, HIDDEN = Layer.SEEN, Layer.GATES, Layer.TANH_CELL, Layer.HIDDEN
PACKED, TRANSPOSED, TRANSPOSED_OWN = Layer.PACKED, Layer.TRANSPOSED, Layer.TRANSPOSED_OWN

# Shares end at multiples of what the innermost loops do at once, so that the bits do not depend on their number: rows
# of a tape by fours, columns and cells by four vectors of 16 numbers, which are eights of rows of weights, too.
ROWS_AT_ONCE = 4
CELLS_AT_ONCE = 64


@inner
def stretch(count, at_once, part, parts):
    """Where the share of a part in `count` things begins and ends."""
    low = count * part // parts // at_once * at_once
    high = count if part + 1 == parts else count * (part + 1) // parts // at_once * at_once
    return low, high


@entry
def forward(layout, values, packed, tape, x_TBI, first, count, part, parts, barrier):
    """Run sequences first … first + count − 1 of the batch; their starts are the tape's first `count` rows.

    part, parts: of the threads that share them, if there is one sequence; their `barrier`.
    """
    layers = layout.layers
    steps = x_TBI.shape[0]
    begin, end = stretch(steps, ROWS_AT_ONCE, part, parts)
    first_row, rows = (begin + 1) * count, (end - begin) * count
    for layer in range(layers.shape[0]):
        inputs, size, seen = layers[layer, INPUTS], layers[layer, SIZE], layers[layer, SEEN]
        gates, hidden = layers[layer, GATES], layout.seen + layers[layer, HIDDEN]
        cells, turned = layout.cells + layers[layer, HIDDEN], layers[layer, TANH_CELL]
        columns = layers[layer, COLUMNS]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, columns)
        from_outside = inputs - size
        low, high = stretch(size, CELLS_AT_ONCE, part, parts)
        left, right = stretch(columns, CELLS_AT_ONCE, part, parts)
        for t in range(begin, end):
            for b in range(count):
                row = tape[(t + 1) * count + b]
                copy(row[seen : seen + layout.num_inputs], x_TBI[t, first + b])
                if layer > 0:
                    copy(
                        row[seen + layout.num_inputs : seen + from_outside],
                        row[layout.seen + layers[layer - 1, HIDDEN] :],
                    )
        panels = packed[layers[layer, PACKED] :]
        for b in range(count):
            hand_on(tape[b], tape[count + b], hidden, seen + from_outside, low, high)
        wait(barrier, parts)
        if parts == 1:
            affine(weights, panels, tape, count, steps * count, seen, from_outside, gates)
        else:
            set_to_bias(weights, tape, count, steps, gates, left, right)
            add_columns(weights, tape, count, steps, seen, from_outside, gates, 0, left, right)
        for t in range(steps):
            now = (t + 1) * count
            if parts == 1:
                add_product(weights, panels, tape, now, count, seen + from_outside, size, gates, from_outside)
            else:
                add_columns(weights, tape, now, 1, seen + from_outside, size, gates, from_outside, left, right)
                wait(barrier, parts)
            for b in range(count):
                row, row_before = tape[now + b], tape[now - count + b]
                lstm_cell(
                    row[gates : gates + 4 * size],
                    low,
                    high,
                    row_before[cells + low : cells + high],
                    row[cells + low : cells + high],
                    row[turned + low : turned + high],
                    row[hidden + low : hidden + high],
                )
                if t + 1 < steps:
                    hand_on(row, tape[now + count + b], hidden, seen + from_outside, low, high)
            wait(barrier, parts)
    output = weights_at(values, layout.output_weights, layout.hidden_size, layout.output_columns)
    affine(
        output,
        packed[layout.output_packed :],
        tape,
        first_row,
        rows,
        layout.seen,
        layout.hidden_size,
        layout.logits,
    )


@inner
def hand_on(row, row_after, hidden, seen, low, high):
    """Copy h of the cells low … high − 1 to where the next step sees it."""
    copy(row_after[seen + low : seen + high], row[hidden + low :])


@entry
def backward(
    layout,
    values,
    packed,
    tape,
    carry,
    d_x_TBI,
    first,
    count,
    with_input,
    bound,
    part,
    parts,
    barrier,
):
    """The tape's logits hold their gradient, the carry's rows the gradients of the last state.

    With a finite `bound` what passes from a step to the one before is clipped to ±bound. part, parts, barrier: see
    `forward`; several threads give no gradient of the input.
    """
    layers = layout.layers
    steps = tape.shape[0] // count - 1
    begin, end = stretch(steps, ROWS_AT_ONCE, part, parts)
    first_row, rows = (begin + 1) * count, (end - begin) * count
    output = weights_at(values, layout.output_weights, layout.hidden_size, layout.output_columns)
    transpose, hidden_size = packed[layout.output_transposed :], layout.hidden_size
    transposed_product(output, transpose, tape, first_row, rows, layout.logits, layout.d_seen, 0, hidden_size)
    wait(barrier, parts)
    for layer in range(layers.shape[0] - 1, -1, -1):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, turned, hidden = layers[layer, GATES], layers[layer, TANH_CELL], layers[layer, HIDDEN]
        cells = layout.cells + hidden
        columns = layers[layer, COLUMNS]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, columns)
        from_outside = inputs - size
        low, high = stretch(size, CELLS_AT_ONCE, part, parts)
        d_hidden, d_cells = layout.d_hidden + hidden + low, layout.d_cells + hidden + low
        transpose = packed[layers[layer, TRANSPOSED_OWN] :]
        for t in range(steps - 1, -1, -1):
            now = (t + 1) * count
            for b in range(count):
                row, row_before = tape[now + b], tape[now - count + b]
                d_h = row[layout.d_seen + hidden + low : layout.d_seen + hidden + high]
                add(d_h, carry[b, d_hidden:])
                lstm_cell_backward(
                    row[gates : gates + 4 * size],
                    low,
                    high,
                    row_before[cells + low : cells + high],
                    row[turned + low : turned + high],
                    d_h,
                    carry[b, d_cells : d_cells + high - low],
                )
            wait(barrier, parts)
            if parts == 1:
                transposed_product(weights, transpose, tape, now, count, gates, layout.d_inputs, from_outside, inputs)
            else:
                row = tape[now]
                given = row[layout.d_inputs + low : layout.d_inputs + high]
                dots(weights, row[gates : gates + columns], given, from_outside + low, from_outside + high)
            for b in range(count):
                copy(carry[b, d_hidden : d_hidden + high - low], tape[now + b, layout.d_inputs + low :])
                if bound < math.inf:
                    clip(carry[b, d_hidden : d_hidden + high - low], bound)
                    clip(carry[b, d_cells : d_cells + high - low], bound)
        wait(barrier, parts)
        # What the layer sees from outside; or, without the input, the layer below, and of that this part's cells.
        outside = 0 if with_input else layout.num_inputs
        its_low, its_high = stretch(from_outside - outside, CELLS_AT_ONCE, part, parts)
        d_outside = layout.d_inputs + its_low
        # Packed are the rows from `num_inputs` on.
        transpose = packed[:0] if with_input or parts > 1 else packed[layers[layer, TRANSPOSED] :]
        rows = steps * count
        at, to = outside + its_low, outside + its_high
        transposed_product(weights, transpose, tape, count, rows, gates, d_outside, at, to)
        for t in range(steps):
            for b in range(count):
                row = tape[(t + 1) * count + b]
                if with_input:
                    add(d_x_TBI[t, first + b], row[layout.d_inputs :])
                if layer > 0:
                    below = layout.d_seen + layers[layer - 1, HIDDEN] + its_low
                    given = d_outside + layout.num_inputs - outside
                    add(row[below : below + d_outside + its_high - its_low - given], row[given:])
        wait(barrier, parts)
