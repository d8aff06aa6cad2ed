"""A whole sequence of the LSTM baseline, forward and backward, layer by layer.

Nothing feeds back from an upper layer to a lower one, so a layer runs through all steps before the next begins: what it
sees of the input and of the layer below is one product over all steps, and only the recurrence, H × 4H, goes step by
step. Backward likewise, from the last layer to the first. The cell is the controller's (`controllers.py`).
"""

import math

from ntm_repro.jit.cache import entry
from ntm_repro.kernels.fused.controllers import add, clip, copy, lstm_cell, lstm_cell_backward
from ntm_repro.kernels.fused.layout import Layer, weights_at
from ntm_repro.kernels.fused.products import add_product, affine, transposed_product

WEIGHTS, INPUTS, SIZE, COLUMNS = Layer.WEIGHTS, Layer.INPUTS, Layer.SIZE, Layer.COLUMNS
SEEN, GATES, TANH_CELL, HIDDEN = Layer.SEEN, Layer.GATES, Layer.TANH_CELL, Layer.HIDDEN
PACKED, TRANSPOSED, TRANSPOSED_OWN = Layer.PACKED, Layer.TRANSPOSED, Layer.TRANSPOSED_OWN


@entry
def forward(layout, values, packed, tape, x_TBI, first, count):
    """Run sequences first … first + count − 1 of the batch; their starts are the tape's first `count` rows."""
    layers = layout.layers
    steps = x_TBI.shape[0]
    for layer in range(layers.shape[0]):
        inputs, size, seen = layers[layer, INPUTS], layers[layer, SIZE], layers[layer, SEEN]
        gates, hidden = layers[layer, GATES], layout.seen + layers[layer, HIDDEN]
        cells, turned = layout.cells + layers[layer, HIDDEN], layers[layer, TANH_CELL]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        from_outside = inputs - size
        for t in range(steps):
            for b in range(count):
                row = tape[(t + 1) * count + b]
                copy(row[seen : seen + layout.num_inputs], x_TBI[t, first + b])
                if layer > 0:
                    copy(
                        row[seen + layout.num_inputs : seen + from_outside],
                        row[layout.seen + layers[layer - 1, HIDDEN] :],
                    )
        rows = packed[layers[layer, PACKED] :]
        affine(weights, rows, tape, count, steps * count, seen, from_outside, gates)
        for t in range(steps):
            first_row = (t + 1) * count
            for b in range(count):
                copy(tape[first_row + b, seen + from_outside : seen + inputs], tape[first_row - count + b, hidden:])
            add_product(weights, rows, tape, first_row, count, seen + from_outside, size, gates, from_outside)
            for b in range(count):
                row, row_before = tape[first_row + b], tape[first_row - count + b]
                lstm_cell(
                    row[gates : gates + 4 * size],
                    row_before[cells : cells + size],
                    row[cells : cells + size],
                    row[turned : turned + size],
                    row[hidden : hidden + size],
                )
    output = weights_at(values, layout.output_weights, layout.hidden_size, layout.output_columns)
    rows = packed[layout.output_packed :]
    affine(output, rows, tape, count, steps * count, layout.seen, layout.hidden_size, layout.logits)


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
):
    """The tape's logits hold their gradient, the carry's rows the gradients of the last state.

    With a finite `bound` what passes from a step to the one before is clipped to ±bound.
    """
    layers = layout.layers
    steps = tape.shape[0] // count - 1
    output = weights_at(values, layout.output_weights, layout.hidden_size, layout.output_columns)
    transpose, hidden_size = packed[layout.output_transposed :], layout.hidden_size
    transposed_product(output, transpose, tape, count, steps * count, layout.logits, layout.d_seen, 0, hidden_size)
    for layer in range(layers.shape[0] - 1, -1, -1):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, turned, hidden = layers[layer, GATES], layers[layer, TANH_CELL], layers[layer, HIDDEN]
        cells, d_hidden, d_cells = layout.cells + hidden, layout.d_hidden + hidden, layout.d_cells + hidden
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        from_outside = inputs - size
        transpose = packed[layers[layer, TRANSPOSED_OWN] :]
        for t in range(steps - 1, -1, -1):
            first_row = (t + 1) * count
            for b in range(count):
                row, row_before = tape[first_row + b], tape[first_row - count + b]
                d_h = row[layout.d_seen + hidden : layout.d_seen + hidden + size]
                add(d_h, carry[b, d_hidden:])
                lstm_cell_backward(
                    row[gates : gates + 4 * size],
                    row_before[cells : cells + size],
                    row[turned : turned + size],
                    d_h,
                    carry[b, d_cells : d_cells + size],
                )
            transposed_product(weights, transpose, tape, first_row, count, gates, layout.d_inputs, from_outside, inputs)
            for b in range(count):
                copy(carry[b, d_hidden : d_hidden + size], tape[first_row + b, layout.d_inputs :])
                if bound < math.inf:
                    clip(carry[b, d_hidden : d_hidden + size], bound)
                    clip(carry[b, d_cells : d_cells + size], bound)
        low = 0 if with_input else layout.num_inputs
        # Packed are the rows from `num_inputs` on.
        transpose = packed[:0] if with_input else packed[layers[layer, TRANSPOSED] :]
        transposed_product(weights, transpose, tape, count, steps * count, gates, layout.d_inputs, low, from_outside)
        for t in range(steps):
            for b in range(count):
                row = tape[(t + 1) * count + b]
                if with_input:
                    add(d_x_TBI[t, first + b], row[layout.d_inputs :])
                if layer > 0:
                    below = layout.d_seen + layers[layer - 1, HIDDEN]
                    add(row[below : below + size], row[layout.d_inputs + layout.num_inputs - low :])
