"""One step of the controller's layers for a group of sequences, forward and backward.

Legend: B sequences in lockstep, I inputs, H cells. Rows are those of a tape (`layout.py`).

**LSTM.** For each layer, with a_i … a_o the products of its weights and [x, reads, h of the layer below, h']:

    i = σ(a_i)   f = σ(a_f)   u = tanh(a_u)   o = σ(a_o)      c = f c' + i u      h = o tanh(c)

and backward, d_x being the gradient of x (d_c comes from the step after):

    d_o = d_h tanh(c)     d_c += d_h o (1 − tanh²(c))
    d_i = d_c u           d_f = d_c c'            d_u = d_c i           d_c' = d_c f
    d_a_i = d_i i(1 − i)  d_a_f = d_f f(1 − f)    d_a_u = d_u (1 − u²)  d_a_o = d_o o(1 − o)

**Feedforward.** h = tanh(a) and d_a = d_h (1 − h²).

Either way d_a times the transposed weights is the gradient of the layer's input, whose pieces go where they came from.
"""

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.arithmetic import sigmoid, tanh
from ntm_repro.kernels.fused.layout import Layer, weights_at
from ntm_repro.kernels.fused.products import affine, transposed_product

WEIGHTS, INPUTS, SIZE, COLUMNS = Layer.WEIGHTS, Layer.INPUTS, Layer.SIZE, Layer.COLUMNS
SEEN, GATES, TANH_CELL, HIDDEN = Layer.SEEN, Layer.GATES, Layer.TANH_CELL, Layer.HIDDEN
PACKED, TRANSPOSED = Layer.PACKED, Layer.TRANSPOSED


@inner
def gates_of(gates, low, high):
    """The same cells' numbers low … high − 1 in the four blocks of `gates` [4 H]: input, forget, candidate, output."""
    size = gates.shape[0] // 4
    return (
        gates[low:high],
        gates[size + low : size + high],
        gates[2 * size + low : 2 * size + high],
        gates[3 * size + low : 3 * size + high],
    )


@inner
def lstm_cell(gates, low, high, before_H, cell_H, tanh_cell_H, hidden_H):
    """For the cells low … high − 1: activate their `gates` in place; set the cell, its tanh, and h.

    gates: [4 H], of all cells; the others, of these alone.
    """
    input_H, forget_H, candidate_H, output_H = gates_of(gates, low, high)
    size = high - low
    for i in range(size):
        input_H[i] = sigmoid(input_H[i])
    for i in range(size):
        forget_H[i] = sigmoid(forget_H[i])
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
def lstm_cell_backward(gates, low, high, before_H, tanh_cell_H, d_hidden_H, d_cell_H):
    """Replace activated `gates` by the gradients of their pre-activations, and d_c by d_c'; shapes as above."""
    real = gates.dtype.type
    one = real(1)
    size = high - low
    input_H, forget_H, candidate_H, output_H = gates_of(gates, low, high)
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
def copy(target, source):
    """target = source."""
    for i in range(target.shape[0]):
        target[i] = source[i]


@inner
def add(target, more):
    """target += more."""
    for i in range(target.shape[0]):
        target[i] += more[i]


@inner
def clip(numbers, bound):
    """Each number to the nearest in ±bound; a NaN stays one."""
    high = numbers.dtype.type(bound)
    low = -high
    # Selections, and one store of every number. A store in a branch becomes a masked one, with which processors with
    # vectors of 256 bits take seven times as long.
    for i in range(numbers.shape[0]):
        value = numbers[i]
        value = high if value > high else value
        numbers[i] = low if value < low else value


@inner
def gather_inputs(layout, row_before, row, x_I, layer):
    """Write what a layer sees, [x, reads before, h below, h before (LSTM)] or [h below], into its place on the row."""
    layers = layout.layers
    at, size, hidden = layers[layer, SEEN], layers[layer, SIZE], layers[layer, HIDDEN]
    if layout.recurrent or layer == 0:
        reads = layout.num_heads * layout.width
        copy(row[at : at + layout.num_inputs], x_I)
        at += layout.num_inputs
        copy(row[at : at + reads], row_before[layout.seen + layout.hidden_size :])
        at += reads
    if layer > 0:
        below = layout.seen + layers[layer - 1, HIDDEN] if layout.recurrent else layers[layer - 1, GATES]
        copy(row[at : at + size], row[below:])
        at += size
    if layout.recurrent:
        copy(row[at : at + size], row_before[layout.seen + hidden :])


@inner
def control(layout, values, packed, tape, first, count, x_BI):
    """All layers of the controller for the rows first … first + count − 1, from those `count` rows above."""
    layers = layout.layers
    for layer in range(layers.shape[0]):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, hidden = layers[layer, GATES], layout.seen + layers[layer, HIDDEN]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        for b in range(count):
            gather_inputs(layout, tape[first - count + b], tape[first + b], x_BI[b], layer)
        affine(weights, packed[layers[layer, PACKED] :], tape, first, count, layers[layer, SEEN], inputs, gates)
        for b in range(count):
            row, row_before = tape[first + b], tape[first - count + b]
            if layout.recurrent:
                cells = layout.cells + layers[layer, HIDDEN]
                turned = layers[layer, TANH_CELL]
                lstm_cell(
                    row[gates : gates + 4 * size],
                    0,
                    size,
                    row_before[cells : cells + size],
                    row[cells : cells + size],
                    row[turned : turned + size],
                    row[hidden : hidden + size],
                )
            else:
                out = row[gates : gates + size]
                for i in range(size):
                    out[i] = tanh(out[i])
                if layer == layers.shape[0] - 1:
                    copy(row[hidden : hidden + size], out)


@inner
def control_backward(layout, values, packed, tape, first, count, carry, d_x_BI, with_input):
    """From d_h of all layers (the row's d_seen, the carry's d_h added) to the gates' gradients and the carry before.

    d_x_BI: set to the gradient of the inputs where `with_input`. The carry's d_reads are set; so are its d_h and d_c.
    """
    one = tape.dtype.type(1)
    layers = layout.layers
    reads = layout.num_heads * layout.width
    for b in range(count):
        d_reads = carry[b, layout.d_reads : layout.d_reads + reads]
        for i in range(reads):
            d_reads[i] = 0
    for layer in range(layers.shape[0] - 1, -1, -1):
        inputs, size = layers[layer, INPUTS], layers[layer, SIZE]
        gates, hidden = layers[layer, GATES], layers[layer, HIDDEN]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, layers[layer, COLUMNS])
        for b in range(count):
            row, row_before = tape[first + b], tape[first - count + b]
            d_hidden = row[layout.d_seen + hidden : layout.d_seen + hidden + size]
            if layout.recurrent:
                cells, turned = layout.cells + hidden, layers[layer, TANH_CELL]
                lstm_cell_backward(
                    row[gates : gates + 4 * size],
                    0,
                    size,
                    row_before[cells : cells + size],
                    row[turned : turned + size],
                    d_hidden,
                    carry[b, layout.d_cells + hidden : layout.d_cells + hidden + size],
                )
            else:
                out = row[gates : gates + size]
                for i in range(size):
                    out[i] = d_hidden[i] * (one - out[i] * out[i])
        # The layer's input stays on the row: the weights' gradient needs it.
        low = 0 if with_input or not (layout.recurrent or layer == 0) else layout.num_inputs
        # Packed are the rows from `num_inputs` on.
        transpose = packed[:0] if with_input else packed[layers[layer, TRANSPOSED] :]
        transposed_product(weights, transpose, tape, first, count, gates, layout.d_inputs, low, inputs)
        for b in range(count):
            row, carried = tape[first + b], carry[b]
            at = layout.d_inputs
            if layout.recurrent or layer == 0:
                if with_input:
                    add(d_x_BI[b], row[at : at + layout.num_inputs])
                    at += layout.num_inputs
                add(carried[layout.d_reads : layout.d_reads + reads], row[at:])
                at += reads
            if layer > 0:
                # In an LSTM stack the layer below feeds heads and output too; in a feedforward controller it does not.
                below = layout.d_seen + layers[layer - 1, HIDDEN]
                d_below = row[below : below + size]
                if layout.recurrent:
                    add(d_below, row[at:])
                else:
                    copy(d_below, row[at:])
                at += size
            if layout.recurrent:
                copy(carried[layout.d_hidden + hidden : layout.d_hidden + hidden + size], row[at:])
