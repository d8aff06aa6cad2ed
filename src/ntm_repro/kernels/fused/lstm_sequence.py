"""A whole sequence of the LSTM baseline, forward and backward, layer by layer.

Nothing feeds back from an upper layer to a lower one, so a layer runs through all steps before the next begins: what it
sees of the input and of the layer below is one product over all steps, and only the recurrence, H × 4H, goes step by
step. Backward likewise, from the last layer to the first. The cell is the controller's (`controllers.py`).
"""

import math
from typing import Any

from ntm_repro.kernels.fused.controllers import add, clip, copy, lstm_cell, lstm_cell_backward, weights_at
from ntm_repro.kernels.fused.jit_cache import inner
from ntm_repro.kernels.fused.products import add_product, affine, transposed_product
from ntm_repro.kernels.fused.tape import Layer

WEIGHTS, INPUTS, SIZE, COLUMNS = Layer.WEIGHTS, Layer.INPUTS, Layer.SIZE, Layer.COLUMNS
SEEN, GATES, TANH_CELL, HIDDEN = Layer.SEEN, Layer.GATES, Layer.TANH_CELL, Layer.HIDDEN


@inner
def forward(plan: Any, values: Any, tape: Any, x_TBI: Any, first: int, count: int) -> None:
    """Run sequences first … first + count − 1 of the batch; their starts are the tape's first `count` rows."""
    layers = plan.layers
    steps = x_TBI.shape[0]
    for layer in range(layers.shape[0]):
        inputs, size, seen = layers[layer, INPUTS], layers[layer, SIZE], layers[layer, SEEN]
        gates, hidden = layers[layer, GATES], plan.seen + layers[layer, HIDDEN]
        cells, turned = plan.cells + layers[layer, HIDDEN], layers[layer, TANH_CELL]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        from_outside = inputs - size
        for t in range(steps):
            for b in range(count):
                line = tape[(t + 1) * count + b]
                copy(line[seen : seen + plan.inputs], x_TBI[t, first + b])
                if layer > 0:
                    copy(line[seen + plan.inputs : seen + from_outside], line[plan.seen + layers[layer - 1, HIDDEN] :])
        affine(weights, tape, count, steps * count, seen, from_outside, gates)
        for t in range(steps):
            row = (t + 1) * count
            for b in range(count):
                copy(tape[row + b, seen + from_outside : seen + inputs], tape[row - count + b, hidden:])
            add_product(weights, tape, row, count, seen + from_outside, size, gates, from_outside)
            for b in range(count):
                line, past = tape[row + b], tape[row - count + b]
                lstm_cell(
                    line[gates : gates + 4 * size],
                    past[cells : cells + size],
                    line[cells : cells + size],
                    line[turned : turned + size],
                    line[hidden : hidden + size],
                )
    output = weights_at(values, plan.output_weights, plan.hidden, plan.output_columns)
    affine(output, tape, count, steps * count, plan.seen, plan.hidden, plan.logits)


@inner
def backward(
    plan: Any,
    values: Any,
    tape: Any,
    carry: Any,
    d_x_TBI: Any,
    first: int,
    count: int,
    with_input: bool,
    bound: float,
) -> None:
    """The tape's logits hold their gradient, the carry's rows the gradients of the last state.

    With a finite `bound` what passes from a step to the one before is clipped to ±bound.
    """
    layers = plan.layers
    steps = tape.shape[0] // count - 1
    output = weights_at(values, plan.output_weights, plan.hidden, plan.output_columns)
    transposed_product(output, tape, count, steps * count, plan.logits, plan.d_seen, 0, plan.hidden)
    for layer in range(layers.shape[0] - 1, -1, -1):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, turned, hidden = layers[layer, GATES], layers[layer, TANH_CELL], layers[layer, HIDDEN]
        cells, d_hidden, d_cells = plan.cells + hidden, plan.d_hidden + hidden, plan.d_cells + hidden
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        from_outside = inputs - size
        for t in range(steps - 1, -1, -1):
            row = (t + 1) * count
            for b in range(count):
                line, past = tape[row + b], tape[row - count + b]
                d_h = line[plan.d_seen + hidden : plan.d_seen + hidden + size]
                add(d_h, carry[b, d_hidden:])
                lstm_cell_backward(
                    line[gates : gates + 4 * size],
                    past[cells : cells + size],
                    line[turned : turned + size],
                    d_h,
                    carry[b, d_cells : d_cells + size],
                )
            transposed_product(weights, tape, row, count, gates, plan.d_inputs, from_outside, inputs)
            for b in range(count):
                copy(carry[b, d_hidden : d_hidden + size], tape[row + b, plan.d_inputs :])
                if bound < math.inf:
                    clip(carry[b, d_hidden : d_hidden + size], bound)
                    clip(carry[b, d_cells : d_cells + size], bound)
        low = 0 if with_input else plan.inputs
        transposed_product(weights, tape, count, steps * count, gates, plan.d_inputs, low, from_outside)
        for t in range(steps):
            for b in range(count):
                line = tape[(t + 1) * count + b]
                if with_input:
                    add(d_x_TBI[t, first + b], line[plan.d_inputs :])
                if layer > 0:
                    below = plan.d_seen + layers[layer - 1, HIDDEN]
                    add(line[below : below + size], line[plan.d_inputs + plan.inputs - low :])
