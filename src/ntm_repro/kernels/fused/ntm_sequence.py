"""A whole sequence of a Neural Turing Machine, forward and backward, for a group of sequences in lockstep.

Legend: T steps, B sequences of the group, I inputs, O outputs; R read heads, W = R write heads, N locations, M width.

**Forward**, for each step (`models/ntm.py` is the readable form): the controller sees x and the reads before and gives
h; the interface layer maps h to what the heads do; write heads address the memory before and write it; read heads
address and read it, after the write or before. The output layer waits until the last step: it feeds nothing back, so
all its steps are one product.

**Backward**, from the last step to the first. What crosses from step t to t − 1 is the `carry`: the gradients of h',
c', the reads, every head's weighting, and the memory. In the order opposite to forward, x̄ being the gradient of x:

    1. h̄ and r̄ of the output layer, for all steps at once: [h̄, r̄] = Ō · output weights; r̄ of the carry is added.
    2. read     r = Σ_i w(i) M(i):      w̄(i) += r̄ · M(i)        M̄(i) += w(i) r̄
    3. read heads' addressing (`addressing.py`): parameters, w'‾, and q, z:   M̄(i) += q(i) k − z(i) M(i)
    4. write (`memory.py`): erase, add, the write heads' w̄, and M̄ of the memory before
    5. write heads' addressing, on the memory before. Its z waits: the read heads of step t − 1 see that same memory
       (or, reading before the write, they have just seen it), and all z of one memory are subtracted at once.
    6. activations of the interface, then h̄ += (interface gradient) · interface weights
    7. the controller (`controllers.py`): the gates' gradients, and from them those of its inputs, r̄ and h' of the carry

The gradients of all weights wait until the end: each is one product of what a layer saw with the gradient of what it
gave, over all steps.
"""

import math
from typing import Any

from ntm_repro.kernels.fused.addressing import address, address_backward, inverse_lengths, softmax
from ntm_repro.kernels.fused.arithmetic import sigmoid, softplus, tanh
from ntm_repro.kernels.fused.controllers import add, clip, control, control_backward, copy, weights_at
from ntm_repro.kernels.fused.jit_cache import inner
from ntm_repro.kernels.fused.memory import add_outer, write, write_backward
from ntm_repro.kernels.fused.products import add_combination, affine, dots, transposed_product


@inner
def emit(plan: Any, line: Any) -> None:
    """From the interface's numbers to keys, strengths, gates, shifts, sharpnesses, erase and add vectors."""
    real = line.dtype.type
    columns, width, shifts, vectors = plan.interface_columns, plan.width, plan.shifts, plan.heads * plan.width
    raw, emitted = line[plan.raw : plan.raw + columns], line[plan.emitted : plan.emitted + columns]
    # All of it at once, for the keys and the add vectors; the few numbers in between are then overwritten.
    if plan.bounded:
        for i in range(columns):
            emitted[i] = tanh(raw[i])
    else:
        for i in range(columns):
            emitted[i] = raw[i]
    at = width
    for _ in range(2 * plan.heads):
        emitted[at] = softplus(raw[at])
        emitted[at + 1] = sigmoid(raw[at + 1])
        at += 2
        shift = emitted[at : at + shifts]
        for i in range(shifts):
            shift[i] = raw[at + i]
        softmax(shift)
        at += shifts
        emitted[at] = real(1) + real(softplus(raw[at]))
        at += 1 + width
    at -= width
    erase, raw_erase = emitted[at : at + vectors], raw[at : at + vectors]
    for i in range(vectors):
        erase[i] = sigmoid(raw_erase[i])


@inner
def slope_of_tanh(raw: Any, emitted: Any, d_emitted: Any, bounded: bool) -> None:
    """The gradient of what a tanh was applied to, or was not."""
    one = raw.dtype.type(1)
    slope = one if bounded else raw.dtype.type(0)
    for i in range(emitted.shape[0]):
        raw[i] = d_emitted[i] * (one - slope * emitted[i] * emitted[i])


@inner
def emit_backward(plan: Any, line: Any) -> None:
    """Replace the interface's numbers by their gradients, given those of what was emitted."""
    one = line.dtype.type(1)
    raw, emitted, d_emitted = line[plan.raw :], line[plan.emitted :], line[plan.d_emitted :]
    width, shifts, vectors = plan.width, plan.shifts, plan.heads * plan.width
    at = 0
    for _ in range(2 * plan.heads):
        slope_of_tanh(raw[at:], emitted[at : at + width], d_emitted[at:], plan.bounded)
        at += width
        raw[at] = d_emitted[at] * sigmoid(raw[at])
        raw[at + 1] = d_emitted[at + 1] * emitted[at + 1] * (one - emitted[at + 1])
        at += 2
        total = line.dtype.type(0)
        for i in range(at, at + shifts):
            total += d_emitted[i] * emitted[i]
        for i in range(at, at + shifts):
            raw[i] = emitted[i] * (d_emitted[i] - total)
        at += shifts
        raw[at] = d_emitted[at] * sigmoid(raw[at])
        at += 1
    raw_erase, erase, d_erase = raw[at : at + vectors], emitted[at : at + vectors], d_emitted[at : at + vectors]
    for i in range(vectors):
        raw_erase[i] = d_erase[i] * erase[i] * (one - erase[i])
    at += vectors
    slope_of_tanh(raw[at:], emitted[at : at + vectors], d_emitted[at:], plan.bounded)


@inner
def memory_of(plan: Any, line: Any) -> Any:
    """The memory on a row (or the gradient in a carry, at its own column), [M, N]."""
    return line[plan.memory : plan.memory + plan.width * plan.locations].reshape((plan.width, plan.locations))


@inner
def head_parameters(plan: Any, numbers: Any, k: int) -> Any:
    """Head k's P numbers of what the interface emitted (or of its gradient)."""
    return numbers[k * plan.parameters : (k + 1) * plan.parameters]


@inner
def use_memory(plan: Any, past: Any, line: Any) -> None:
    """All heads' part of one step: address, write, address, read."""
    heads, width, locations = plan.heads, plan.width, plan.locations
    emitted = line[plan.emitted :]
    before_MN, after_MN = memory_of(plan, past), memory_of(plan, line)
    before_inverse_N = past[plan.inverse_lengths : plan.inverse_lengths + locations]
    after_inverse_N = line[plan.inverse_lengths : plan.inverse_lengths + locations]
    for k in range(2 * heads - 1, -1, -1):  # write heads come last in order, and act first
        if k == heads - 1:
            erase = 2 * heads * plan.parameters
            write(
                before_MN,
                after_MN,
                line[plan.weightings + heads * plan.head_size :],
                plan.head_size,
                heads,
                emitted[erase:],
                emitted[erase + heads * width :],
            )
            inverse_lengths(after_MN, after_inverse_N)
        at = plan.head_fields + k * plan.head_size
        head = line[at : at + plan.head_size]
        w = plan.weightings + k * plan.head_size
        before_N = past[w : w + locations]
        parameters_P = head_parameters(plan, emitted, k)
        if k >= heads or not plan.reads_after:
            address(parameters_P, plan.shifts, before_MN, before_inverse_N, before_N, head)
        else:
            address(parameters_P, plan.shifts, after_MN, after_inverse_N, before_N, head)
        if k < heads:
            reads = line[plan.seen + plan.hidden + k * width :]
            seen_MN = after_MN if plan.reads_after else before_MN
            dots(seen_MN, line[w : w + locations], reads, 0, width)


@inner
def head_backward(plan: Any, past: Any, line: Any, carry: Any, k: int, seen_MN: Any, inverse_N: Any) -> None:
    """The gradients that head k's addressing of `seen_MN` gives: step 3 or 5, z not yet subtracted."""
    width, locations = plan.width, plan.locations
    d_memory_MN = carry[plan.d_memory : plan.d_memory + width * locations].reshape((width, locations))
    q_N = carry[plan.q : plan.q + locations]
    at, w, d_w = plan.head_fields + k * plan.head_size, plan.weightings + k * plan.head_size, k * locations
    parameters_P = head_parameters(plan, line[plan.emitted :], k)
    address_backward(
        parameters_P,
        head_parameters(plan, line[plan.d_emitted :], k),
        plan.shifts,
        seen_MN,
        inverse_N,
        past[w : w + locations],
        line[at : at + plan.head_size],
        carry[plan.d_weightings + d_w : plan.d_weightings + d_w + locations],
        q_N,
        carry[plan.z : plan.z + locations],
        carry[plan.circle : plan.circle + locations + plan.shifts - 1],
    )
    add_outer(d_memory_MN, parameters_P, q_N)


@inner
def read_backward(plan: Any, past: Any, line: Any, carry: Any, seen_MN: Any, inverse_N: Any) -> None:
    """Steps 2 and 3: reading, then the read heads' addressing."""
    width, locations = plan.width, plan.locations
    d_memory_MN = carry[plan.d_memory : plan.d_memory + width * locations].reshape((width, locations))
    for k in range(plan.heads):
        w, d_w = plan.weightings + k * plan.head_size, plan.d_weightings + k * locations
        d_read_M = line[plan.d_seen + plan.hidden + k * width : plan.d_seen + plan.hidden + (k + 1) * width]
        add_combination(seen_MN, d_read_M, carry[d_w : d_w + locations], width)
        add_outer(d_memory_MN, d_read_M, line[w : w + locations])
        head_backward(plan, past, line, carry, k, seen_MN, inverse_N)


@inner
def settle_lengths(plan: Any, line: Any, carry: Any) -> None:
    """Subtract z ∘ M from the gradient of the memory on `line`: the last of the gradients that step 3 names."""
    zero = line.dtype.type(0)
    memory_MN = memory_of(plan, line)
    z_N = carry[plan.z : plan.z + plan.locations]
    for m in range(plan.width):
        at = plan.d_memory + m * plan.locations
        memory_N, d_N = memory_MN[m], carry[at : at + plan.locations]
        for n in range(plan.locations):
            d_N[n] -= z_N[n] * memory_N[n]
    for n in range(plan.locations):
        z_N[n] = zero


@inner
def use_memory_backward(plan: Any, past: Any, line: Any, carry: Any) -> None:
    """Steps 2 to 5 for one sequence. The row's d_seen holds r̄; its d_emitted is set."""
    heads, width, locations = plan.heads, plan.width, plan.locations
    emitted, d_emitted = line[plan.emitted :], line[plan.d_emitted :]
    before_MN, after_MN = memory_of(plan, past), memory_of(plan, line)
    before_inverse_N = past[plan.inverse_lengths : plan.inverse_lengths + locations]
    after_inverse_N = line[plan.inverse_lengths : plan.inverse_lengths + locations]
    if plan.reads_after:
        read_backward(plan, past, line, carry, after_MN, after_inverse_N)
    settle_lengths(plan, line, carry)
    erase = 2 * heads * plan.parameters
    add = erase + heads * width
    write_backward(
        before_MN,
        carry[plan.d_memory : plan.d_memory + width * locations].reshape((width, locations)),
        line[plan.weightings + heads * plan.head_size :],
        plan.head_size,
        heads,
        emitted[erase:],
        emitted[add:],
        d_emitted[erase:],
        d_emitted[add:],
        carry[plan.d_weightings + heads * locations :],
        locations,
        carry[plan.partial :],
    )
    if not plan.reads_after:
        read_backward(plan, past, line, carry, before_MN, before_inverse_N)
    for k in range(heads, 2 * heads):
        head_backward(plan, past, line, carry, k, before_MN, before_inverse_N)


@inner
def forward(plan: Any, values: Any, tape: Any, x_TBI: Any, first: int, count: int) -> None:
    """Run sequences first … first + count − 1 of the batch; their starts are the tape's first `count` rows."""
    steps = x_TBI.shape[0]
    for b in range(count):
        inverse_lengths(memory_of(plan, tape[b]), tape[b, plan.inverse_lengths : plan.inverse_lengths + plan.locations])
    interface = weights_at(values, plan.interface_weights, plan.hidden, plan.interface_columns)
    for t in range(steps):
        row = (t + 1) * count
        control(plan, values, tape, row, count, x_TBI[t, first : first + count])
        affine(interface, tape, row, count, plan.seen, plan.hidden, plan.raw)
        for b in range(count):
            line = tape[row + b]
            emit(plan, line)
            use_memory(plan, tape[row - count + b], line)
    seen = seen_by_output(plan)
    output = weights_at(values, plan.output_weights, seen, plan.output_columns)
    affine(output, tape, count, steps * count, plan.seen, seen, plan.logits)


@inner
def seen_by_output(plan: Any) -> int:
    """How many numbers the output layer sees."""
    return plan.hidden + plan.heads * plan.width if plan.output_sees_reads else plan.hidden


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
    """Steps 1 to 7. The tape's logits hold their gradient, the carry's rows the gradients of the last state.

    With a finite `bound` the carry is clipped to ±bound before it passes on to the step before.
    """
    zero = tape.dtype.type(0)
    steps = tape.shape[0] // count - 1
    reads = plan.heads * plan.width
    seen = seen_by_output(plan)
    output = weights_at(values, plan.output_weights, seen, plan.output_columns)
    transposed_product(output, tape, count, steps * count, plan.logits, plan.d_seen, 0, seen)
    interface = weights_at(values, plan.interface_weights, plan.hidden, plan.interface_columns)
    for b in range(count):
        for n in range(plan.locations):
            carry[b, plan.z + n] = zero
    for t in range(steps - 1, -1, -1):
        row = (t + 1) * count
        for b in range(count):
            line, past = tape[row + b], tape[row - count + b]
            d_reads = line[plan.d_seen + plan.hidden : plan.d_seen + plan.hidden + reads]
            if plan.output_sees_reads:
                add(d_reads, carry[b, plan.d_reads :])
            else:
                copy(d_reads, carry[b, plan.d_reads :])
            use_memory_backward(plan, past, line, carry[b])
            emit_backward(plan, line)
        transposed_product(interface, tape, row, count, plan.raw, plan.d_inputs, 0, plan.hidden)
        for b in range(count):
            line = tape[row + b]
            d_hidden = line[plan.d_seen : plan.d_seen + plan.hidden]
            add(d_hidden, line[plan.d_inputs :])
            if plan.recurrent:
                add(d_hidden, carry[b, plan.d_hidden :])
        control_backward(plan, values, tape, row, count, carry, d_x_TBI[t, first : first + count], with_input)
        if bound < math.inf:
            for b in range(count):
                settle_lengths(plan, tape[row - count + b], carry[b])  # the clip is of the whole gradient
                clip(carry[b, : plan.z], bound)
    for b in range(count):
        settle_lengths(plan, tape[b], carry[b])
