"""One step of the controller's layers for a group of sequences, forward and backward.

Legend: B sequences in lockstep, I inputs, H cells. Rows are those of a tape (`tape.py`).

**LSTM.** For each layer, with a_i … a_o the products of its weights and [x, reads, h of the layer below, h']:

    i = σ(a_i)   f = σ(a_f)   u = tanh(a_u)   o = σ(a_o)      c = f c' + i u      h = o tanh(c)

    ō = h̄ tanh(c)                      c̄ += h̄ o (1 − tanh²(c))         (c̄ from the step after)
    ī = c̄ u    f̄ = c̄ c'    ū = c̄ i     c'‾ = c̄ f
    ā_i = ī i(1 − i)    ā_f = f̄ f(1 − f)    ā_u = ū (1 − u²)    ā_o = ō o(1 − o)

**Feedforward.** h = tanh(a) and ā = h̄ (1 − h²).

Either way ā times the transposed weights is the gradient of the layer's input, whose pieces go where they came from.
"""

from typing import Any

from ntm_repro.kernels.fused.arithmetic import sigmoid, tanh
from ntm_repro.kernels.fused.jit_cache import inner
from ntm_repro.kernels.fused.products import affine, transposed_product
from ntm_repro.kernels.fused.tape import Layer

WEIGHTS, INPUTS, SIZE, COLUMNS = Layer.WEIGHTS, Layer.INPUTS, Layer.SIZE, Layer.COLUMNS
SEEN, GATES, TANH_CELL, HIDDEN = Layer.SEEN, Layer.GATES, Layer.TANH_CELL, Layer.HIDDEN


@inner
def weights_at(values: Any, at: int, inputs: int, columns: int) -> Any:
    """The weight block [inputs + 1, columns] that begins at `at` in the flat buffer; its last row is the bias."""
    return values[at : at + (inputs + 1) * columns].reshape((inputs + 1, columns))


@inner
def lstm_cell(gates: Any, before_H: Any, cell_H: Any, tanh_cell_H: Any, hidden_H: Any) -> None:
    """Activate `gates` [4 H] in place; set the cell, its tanh, and h."""
    size = cell_H.shape[0]
    input_H, forget_H = gates[:size], gates[size : 2 * size]
    candidate_H, output_H = gates[2 * size : 3 * size], gates[3 * size : 4 * size]
    for i in range(2 * size):
        gates[i] = sigmoid(gates[i])
    for i in range(size):
        candidate_H[i] = tanh(candidate_H[i])
    for i in range(size):
        output_H[i] = sigmoid(output_H[i])
    # Short loops: where many arrays meet, the compiler gives up proving that they do not overlap, and goes one by one.
    for i in range(size):
        cell_H[i] = forget_H[i] * before_H[i] + input_H[i] * candidate_H[i]
    for i in range(size):
        tanh_cell_H[i] = tanh(cell_H[i])
    for i in range(size):
        hidden_H[i] = output_H[i] * tanh_cell_H[i]


@inner
def lstm_cell_backward(gates: Any, before_H: Any, tanh_cell_H: Any, d_hidden_H: Any, d_cell_H: Any) -> None:
    """Replace activated `gates` by the gradients of their pre-activations, and c̄ by c'‾."""
    real = gates.dtype.type
    one = real(1)
    size = before_H.shape[0]
    input_H, forget_H = gates[:size], gates[size : 2 * size]
    candidate_H, output_H = gates[2 * size : 3 * size], gates[3 * size : 4 * size]
    for k in range(size):
        d_cell_H[k] += d_hidden_H[k] * output_H[k] * (one - tanh_cell_H[k] * tanh_cell_H[k])
    for k in range(size):
        output_H[k] = d_hidden_H[k] * tanh_cell_H[k] * output_H[k] * (one - output_H[k])
    for k in range(size):
        i, u = input_H[k], candidate_H[k]
        input_H[k] = d_cell_H[k] * u * i * (one - i)
        candidate_H[k] = d_cell_H[k] * i * (one - u * u)
    for k in range(size):
        f = forget_H[k]
        forget_H[k] = d_cell_H[k] * before_H[k] * f * (one - f)
        d_cell_H[k] *= f


@inner
def copy(target: Any, source: Any) -> None:
    """target = source."""
    for i in range(target.shape[0]):
        target[i] = source[i]


@inner
def add(target: Any, more: Any) -> None:
    """target += more."""
    for i in range(target.shape[0]):
        target[i] += more[i]


@inner
def clip(numbers: Any, bound: float) -> None:
    """Each number to the nearest in ±bound; a NaN stays one."""
    high = numbers.dtype.type(bound)
    low = -high
    for i in range(numbers.shape[0]):
        numbers[i] = high if numbers[i] > high else numbers[i]
    for i in range(numbers.shape[0]):
        numbers[i] = low if numbers[i] < low else numbers[i]


@inner
def gather_inputs(plan: Any, past: Any, line: Any, x_I: Any, layer: int) -> None:
    """Write what a layer sees, [x, reads before, h below, h before (LSTM)] or [h below], into its place on the row."""
    layers = plan.layers
    at, size, hidden = layers[layer, SEEN], layers[layer, SIZE], layers[layer, HIDDEN]
    if plan.recurrent or layer == 0:
        reads = plan.heads * plan.width
        copy(line[at : at + plan.inputs], x_I)
        at += plan.inputs
        copy(line[at : at + reads], past[plan.seen + plan.hidden :])
        at += reads
    if layer > 0:
        below = plan.seen + layers[layer - 1, HIDDEN] if plan.recurrent else layers[layer - 1, GATES]
        copy(line[at : at + size], line[below:])
        at += size
    if plan.recurrent:
        copy(line[at : at + size], past[plan.seen + hidden :])


@inner
def control(plan: Any, values: Any, tape: Any, first: int, count: int, x_BI: Any) -> None:
    """All layers of the controller for the rows first … first + count − 1, from those `count` rows above."""
    layers = plan.layers
    for layer in range(layers.shape[0]):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, hidden = layers[layer, GATES], plan.seen + layers[layer, HIDDEN]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        for b in range(count):
            gather_inputs(plan, tape[first - count + b], tape[first + b], x_BI[b], layer)
        affine(weights, tape, first, count, layers[layer, SEEN], inputs, gates)
        for b in range(count):
            line, past = tape[first + b], tape[first - count + b]
            if plan.recurrent:
                cells = plan.cells + layers[layer, HIDDEN]
                turned = layers[layer, TANH_CELL]
                lstm_cell(
                    line[gates : gates + 4 * size],
                    past[cells : cells + size],
                    line[cells : cells + size],
                    line[turned : turned + size],
                    line[hidden : hidden + size],
                )
            else:
                out = line[gates : gates + size]
                for i in range(size):
                    out[i] = tanh(out[i])
                if layer == layers.shape[0] - 1:
                    copy(line[hidden : hidden + size], out)


@inner
def control_backward(
    plan: Any, values: Any, tape: Any, first: int, count: int, carry: Any, d_x_BI: Any, with_input: bool
) -> None:
    """From h̄ of all layers (the row's d_seen, the carry's h̄ added) to the gates' gradients and the carry before.

    d_x_BI: set to the gradient of the inputs where `with_input`. The carry's reads are set; so are its h̄ and c̄.
    """
    one = tape.dtype.type(1)
    layers = plan.layers
    reads = plan.heads * plan.width
    for b in range(count):
        d_reads = carry[b, plan.d_reads : plan.d_reads + reads]
        for i in range(reads):
            d_reads[i] = 0
    for layer in range(layers.shape[0] - 1, -1, -1):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, hidden = layers[layer, GATES], layers[layer, HIDDEN]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        for b in range(count):
            line, past = tape[first + b], tape[first - count + b]
            d_hidden = line[plan.d_seen + hidden : plan.d_seen + hidden + size]
            if plan.recurrent:
                cells, turned = plan.cells + hidden, layers[layer, TANH_CELL]
                lstm_cell_backward(
                    line[gates : gates + 4 * size],
                    past[cells : cells + size],
                    line[turned : turned + size],
                    d_hidden,
                    carry[b, plan.d_cells + hidden : plan.d_cells + hidden + size],
                )
            else:
                out = line[gates : gates + size]
                for i in range(size):
                    out[i] = d_hidden[i] * (one - out[i] * out[i])
        # The layer's input stays on the row: the weights' gradient needs it.
        low = 0 if with_input or not (plan.recurrent or layer == 0) else plan.inputs
        transposed_product(weights, tape, first, count, gates, plan.d_inputs, low, inputs)
        for b in range(count):
            line, carried = tape[first + b], carry[b]
            at = plan.d_inputs
            if plan.recurrent or layer == 0:
                if with_input:
                    add(d_x_BI[b], line[at : at + plan.inputs])
                    at += plan.inputs
                add(carried[plan.d_reads : plan.d_reads + reads], line[at:])
                at += reads
            if layer > 0:
                # In an LSTM stack the layer below feeds heads and output too; in a feedforward controller it does not.
                below = plan.d_seen + layers[layer - 1, HIDDEN]
                d_below = line[below : below + size]
                if plan.recurrent:
                    add(d_below, line[at:])
                else:
                    copy(d_below, line[at:])
                at += size
            if plan.recurrent:
                copy(carried[plan.d_hidden + hidden : plan.d_hidden + hidden + size], line[at:])
