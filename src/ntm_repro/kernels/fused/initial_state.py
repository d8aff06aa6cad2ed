"""The learned start of a sequence (`models/initial_state.py`) on the first row of a tape, and its gradient.

**Shared.** M_0 = one vector everywhere; w_0 = softmax(−softplus(ρ) i). With u = w ∘ (w̄ − Σ w̄ w) the gradient of the
logits, ρ̄ = −σ(ρ) Σ_i i u(i). **Per location.** M_0 itself; w_0 = softmax(logits), whose gradient is u.
"""

from typing import Any

from ntm_repro.kernels.fused.addressing import softmax
from ntm_repro.kernels.fused.arithmetic import sigmoid, softplus
from ntm_repro.kernels.fused.jit_cache import inner
from ntm_repro.kernels.fused.tape import Layer

HIDDEN, SIZE, HIDDEN_START, CELL_START = Layer.HIDDEN, Layer.SIZE, Layer.HIDDEN_START, Layer.CELL_START


@inner
def begin(plan: Any, values: Any, line: Any) -> None:
    """Write the learned state onto a row."""
    real = values.dtype.type
    layers = plan.layers
    if plan.recurrent:
        for layer in range(layers.shape[0]):
            hidden = layers[layer, HIDDEN]
            for i in range(layers[layer, SIZE]):
                line[plan.seen + hidden + i] = values[layers[layer, HIDDEN_START] + i]
                line[plan.cells + hidden + i] = values[layers[layer, CELL_START] + i]
    for i in range(plan.heads * plan.width):
        line[plan.seen + plan.hidden + i] = values[plan.read_start + i]
    for k in range(2 * plan.heads):
        at = plan.weightings + k * plan.head_size
        weighting_N = line[at : at + plan.locations]
        for n in range(plan.locations):
            if plan.shared_start:
                weighting_N[n] = -real(softplus(values[plan.weighting_start + k])) * real(n)
            else:
                weighting_N[n] = values[plan.weighting_start + k * plan.locations + n]
        softmax(weighting_N)
    for m in range(plan.width):
        for n in range(plan.locations):
            entry = m if plan.shared_start else n * plan.width + m
            line[plan.memory + m * plan.locations + n] = values[plan.memory_start + entry]


@inner
def clear_gradients(plan: Any, gradients: Any) -> None:
    """Set the gradients of the start to zero."""
    zero = gradients.dtype.type(0)
    layers = plan.layers
    if plan.recurrent:
        for layer in range(layers.shape[0]):
            for i in range(layers[layer, SIZE]):
                gradients[layers[layer, HIDDEN_START] + i] = zero
                gradients[layers[layer, CELL_START] + i] = zero
    each = 1 if plan.shared_start else plan.locations
    for i in range(plan.heads * plan.width):
        gradients[plan.read_start + i] = zero
    for i in range(2 * plan.heads * each):
        gradients[plan.weighting_start + i] = zero
    for i in range(plan.width * each):
        gradients[plan.memory_start + i] = zero


@inner
def begin_backward(plan: Any, values: Any, gradients: Any, line: Any, carry: Any) -> None:
    """Add the gradient of the start, which `carry` holds for one sequence, to that of its parameters."""
    real = values.dtype.type
    layers = plan.layers
    if plan.recurrent:
        for layer in range(layers.shape[0]):
            hidden = layers[layer, HIDDEN]
            for i in range(layers[layer, SIZE]):
                gradients[layers[layer, HIDDEN_START] + i] += carry[plan.d_hidden + hidden + i]
                gradients[layers[layer, CELL_START] + i] += carry[plan.d_cells + hidden + i]
    for i in range(plan.heads * plan.width):
        gradients[plan.read_start + i] += carry[plan.d_reads + i]
    for k in range(2 * plan.heads):
        at = plan.weightings + k * plan.head_size
        weighting_N = line[at : at + plan.locations]
        d_weighting_N = carry[plan.d_weightings + k * plan.locations :]
        total = real(0)
        for n in range(plan.locations):
            total += weighting_N[n] * d_weighting_N[n]
        d_rate = real(0)
        for n in range(plan.locations):
            u = weighting_N[n] * (d_weighting_N[n] - total)
            if plan.shared_start:
                d_rate -= real(n) * u
            else:
                gradients[plan.weighting_start + k * plan.locations + n] += u
        if plan.shared_start:
            rate = plan.weighting_start + k
            gradients[rate] += d_rate * sigmoid(values[rate])
    for m in range(plan.width):
        if plan.shared_start:
            total = real(0)
            for n in range(plan.locations):
                total += carry[plan.d_memory + m * plan.locations + n]
            gradients[plan.memory_start + m] += total
        else:
            for n in range(plan.locations):
                gradients[plan.memory_start + n * plan.width + m] += carry[plan.d_memory + m * plan.locations + n]
