"""The learned start of a sequence (`models/initial_state.py`) on the first row of a tape, and its gradient.

**Shared.** M_0 = one vector everywhere; w_0 = softmax(−softplus(ρ) i). With u = w ∘ (d_w − Σ d_w w) the gradient of the
logits, d_ρ = −σ(ρ) Σ_i i u(i). **Per location.** M_0 itself; w_0 = softmax(logits), whose gradient is u. A fixed memory
and weightings that begin at zero have no gradient.
"""

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.addressing import softmax
from ntm_repro.kernels.fused.arithmetic import sigmoid, softplus
from ntm_repro.kernels.fused.layout import Layer

HIDDEN, SIZE, HIDDEN_START, CELL_START = Layer.HIDDEN, Layer.SIZE, Layer.HIDDEN_START, Layer.CELL_START


@inner
def begin(layout, values, row):
    """Write the learned state onto a row."""
    real = values.dtype.type
    layers = layout.layers
    if layout.recurrent:
        for layer in range(layers.shape[0]):
            hidden = layers[layer, HIDDEN]
            for i in range(layers[layer, SIZE]):
                row[layout.seen + hidden + i] = values[layers[layer, HIDDEN_START] + i]
                row[layout.cells + hidden + i] = values[layers[layer, CELL_START] + i]
    for i in range(layout.num_heads * layout.width):
        row[layout.seen + layout.hidden_size + i] = values[layout.read_start + i]
    for k in range(2 * layout.num_heads):
        at = layout.weightings + k * layout.head_size
        weighting_N = row[at : at + layout.num_locations]
        if layout.begins_without_weightings:
            for n in range(layout.num_locations):
                weighting_N[n] = real(0)
            continue
        for n in range(layout.num_locations):
            if layout.shared_start:
                weighting_N[n] = -real(softplus(values[layout.weighting_start + k])) * real(n)
            else:
                weighting_N[n] = values[layout.weighting_start + k * layout.num_locations + n]
        softmax(weighting_N)
    for m in range(layout.width):
        for n in range(layout.num_locations):
            entry = m if layout.shared_start else n * layout.width + m
            row[layout.memory + m * layout.num_locations + n] = values[layout.memory_start + entry]


@inner
def clear_gradients(layout, gradients):
    """Set the gradients of the start to zero."""
    zero = gradients.dtype.type(0)
    layers = layout.layers
    if layout.recurrent:
        for layer in range(layers.shape[0]):
            for i in range(layers[layer, SIZE]):
                gradients[layers[layer, HIDDEN_START] + i] = zero
                gradients[layers[layer, CELL_START] + i] = zero
    each = 1 if layout.shared_start else layout.num_locations
    for i in range(layout.num_heads * layout.width):
        gradients[layout.read_start + i] = zero
    if not layout.begins_without_weightings:
        for i in range(2 * layout.num_heads * each):
            gradients[layout.weighting_start + i] = zero
    for i in range(layout.width * each):
        gradients[layout.memory_start + i] = zero


@inner
def begin_backward(layout, values, gradients, row, carry):
    """Add the gradient of the start, which `carry` holds for one sequence, to that of its parameters."""
    real = values.dtype.type
    layers = layout.layers
    if layout.recurrent:
        for layer in range(layers.shape[0]):
            hidden = layers[layer, HIDDEN]
            for i in range(layers[layer, SIZE]):
                gradients[layers[layer, HIDDEN_START] + i] += carry[layout.d_hidden + hidden + i]
                gradients[layers[layer, CELL_START] + i] += carry[layout.d_cells + hidden + i]
    for i in range(layout.num_heads * layout.width):
        gradients[layout.read_start + i] += carry[layout.d_reads + i]
    learned = 0 if layout.begins_without_weightings else 2 * layout.num_heads
    for k in range(learned):
        at = layout.weightings + k * layout.head_size
        weighting_N = row[at : at + layout.num_locations]
        d_weighting_N = carry[layout.d_weightings + k * layout.num_locations :]
        total = real(0)
        for n in range(layout.num_locations):
            total += weighting_N[n] * d_weighting_N[n]
        d_rate = real(0)
        for n in range(layout.num_locations):
            u = weighting_N[n] * (d_weighting_N[n] - total)
            if layout.shared_start:
                d_rate -= real(n) * u
            else:
                gradients[layout.weighting_start + k * layout.num_locations + n] += u
        if layout.shared_start:
            rate = layout.weighting_start + k
            gradients[rate] += d_rate * sigmoid(values[rate])
    if layout.fixed_memory:
        return
    for m in range(layout.width):
        if layout.shared_start:
            total = real(0)
            for n in range(layout.num_locations):
                total += carry[layout.d_memory + m * layout.num_locations + n]
            gradients[layout.memory_start + m] += total
        else:
            for n in range(layout.num_locations):
                gradients[layout.memory_start + n * layout.width + m] += carry[
                    layout.d_memory + m * layout.num_locations + n
                ]
