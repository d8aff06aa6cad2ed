"""A whole sequence of a Neural Turing Machine, forward and backward, for a group of sequences in lockstep.

Legend: T steps, B sequences of the group, I inputs, O outputs; R read heads, W = R write heads, N locations, M width.

**Forward**, for each step (`models/ntm.py` is the readable form): the controller sees x and the reads before and gives
h; the interface layer maps h to what the heads do; write heads address the memory before and write it; read heads
address and read it, after the write or before. The output layer waits until the last step: it feeds nothing back, so
all its steps are one product.

**Backward**, from the last step to the first. What crosses from step t to t − 1 is the `carry`: the gradients of h',
c', the reads, every head's weighting, and the memory. In the order opposite to forward, d_x being the gradient of x:

    1. d_h and d_r of the output layer, for all steps at once: [d_h, d_r] = d_logits · output weights; d_r of the carry
       is added.
    2. read     r = Σ_i w(i) M(i):      d_w(i) += d_r · M(i)        d_M(i) += w(i) d_r
    3. read heads' addressing (`addressing.py`): parameters, d_before, and q, z:   d_M(i) += q(i) k − z(i) M(i)
    4. write (`memory.py`): erase, add, d_w of the write heads, and d_M of the memory before
    5. write heads' addressing, on the memory before. Its z waits: the read heads of step t − 1 see that same memory
       (or, reading before the write, they have just seen it), and all z of one memory are subtracted at once.
    6. activations of the interface, then d_h += (interface gradient) · interface weights
    7. the controller (`controllers.py`): the gates' gradients, and from them those of its inputs, d_r and d_h' of the
       carry

The gradients of all weights wait until the end: each is one product of what a layer saw with the gradient of what it
gave, over all steps.
"""

import math

from ntm_repro.jit.cache import entry, inner
from ntm_repro.kernels.fused.addressing import address, address_backward, inverse_norms, softmax
from ntm_repro.kernels.fused.arithmetic import sigmoid, softplus, tanh
from ntm_repro.kernels.fused.controllers import add, clip, control, control_backward, copy
from ntm_repro.kernels.fused.layout import seen_by_output, weights_at
from ntm_repro.kernels.fused.memory import add_outer, settle_reads, settle_writes, write, write_backward
from ntm_repro.kernels.fused.products import add_combination, affine, dots, transposed_product


@inner
def emit(layout, row):
    """From the interface's numbers to keys, strengths, gates, shifts, sharpnesses, erase and add vectors."""
    real = row.dtype.type
    columns, width, shifts, vectors = (
        layout.interface_columns,
        layout.width,
        layout.num_shifts,
        layout.num_heads * layout.width,
    )
    raw, emitted = row[layout.raw : layout.raw + columns], row[layout.emitted : layout.emitted + columns]
    # All of it at once, for the keys and the add vectors; the few numbers in between are then overwritten.
    if layout.bounded:
        for i in range(columns):
            emitted[i] = tanh(raw[i])
    else:
        for i in range(columns):
            emitted[i] = raw[i]
    at = width
    for _ in range(2 * layout.num_heads):
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
def slope_of_tanh(raw, emitted, d_emitted, bounded):
    """The gradient of what a tanh was applied to, or was not."""
    one = raw.dtype.type(1)
    slope = one if bounded else raw.dtype.type(0)
    for i in range(emitted.shape[0]):
        raw[i] = d_emitted[i] * (one - slope * emitted[i] * emitted[i])


@inner
def emit_backward(layout, row):
    """Replace the interface's numbers by their gradients, given those of what was emitted."""
    one = row.dtype.type(1)
    raw, emitted, d_emitted = row[layout.raw :], row[layout.emitted :], row[layout.d_emitted :]
    width, shifts, vectors = layout.width, layout.num_shifts, layout.num_heads * layout.width
    at = 0
    for _ in range(2 * layout.num_heads):
        slope_of_tanh(raw[at:], emitted[at : at + width], d_emitted[at:], layout.bounded)
        at += width
        raw[at] = d_emitted[at] * sigmoid(raw[at])
        raw[at + 1] = d_emitted[at + 1] * emitted[at + 1] * (one - emitted[at + 1])
        at += 2
        total = row.dtype.type(0)
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
    slope_of_tanh(raw[at:], emitted[at : at + vectors], d_emitted[at:], layout.bounded)


@inner
def memory_of(layout, row):
    """The memory on a row (or the gradient in a carry, at its own column), [M, N]."""
    return row[layout.memory : layout.memory + layout.width * layout.num_locations].reshape(
        (layout.width, layout.num_locations)
    )


@inner
def head_parameters(layout, numbers, k):
    """Head k's P numbers of what the interface emitted (or of its gradient)."""
    return numbers[k * layout.head_parameters : (k + 1) * layout.head_parameters]


@inner
def use_memory(layout, row_before, row):
    """All heads' part of one step: address, write, address, read."""
    heads, width, locations = layout.num_heads, layout.width, layout.num_locations
    emitted = row[layout.emitted :]
    before_MN, after_MN = memory_of(layout, row_before), memory_of(layout, row)
    before_inverse_N = row_before[layout.inverse_norms : layout.inverse_norms + locations]
    after_inverse_N = row[layout.inverse_norms : layout.inverse_norms + locations]
    for k in range(2 * heads - 1, -1, -1):  # write heads come last in order, and act first
        if k == heads - 1:
            erase = 2 * heads * layout.head_parameters
            write(
                before_MN,
                after_MN,
                row[layout.weightings + heads * layout.head_size :],
                layout.head_size,
                heads,
                emitted[erase:],
                emitted[erase + heads * width :],
            )
            inverse_norms(after_MN, after_inverse_N)
        at = layout.head_fields + k * layout.head_size
        head = row[at : at + layout.head_size]
        w = layout.weightings + k * layout.head_size
        before_N = row_before[w : w + locations]
        parameters_P = head_parameters(layout, emitted, k)
        if k >= heads or not layout.reads_after:
            address(parameters_P, layout.num_shifts, before_MN, before_inverse_N, before_N, head)
        else:
            address(parameters_P, layout.num_shifts, after_MN, after_inverse_N, before_N, head)
        if k < heads:
            reads = row[layout.seen + layout.hidden_size + k * width :]
            seen_MN = after_MN if layout.reads_after else before_MN
            dots(seen_MN, row[w : w + locations], reads, 0, width)


@inner
def gradient_of_memory(layout, carry):
    """d_M in a row of the carry, [M, N]."""
    return carry[layout.d_memory : layout.d_memory + layout.width * layout.num_locations].reshape(
        (layout.width, layout.num_locations)
    )


@inner
def head_backward(layout, row_before, row, carry, k, seen_MN, inverse_N):
    """The gradients that head k's addressing of `seen_MN` gives: step 3 or 5, but for the memory's, left as q and z."""
    locations = layout.num_locations
    at, w, d_w = layout.head_fields + k * layout.head_size, layout.weightings + k * layout.head_size, k * locations
    address_backward(
        head_parameters(layout, row[layout.emitted :], k),
        head_parameters(layout, row[layout.d_emitted :], k),
        layout.num_shifts,
        seen_MN,
        inverse_N,
        row_before[w : w + locations],
        row[at : at + layout.head_size],
        carry[layout.d_weightings + d_w : layout.d_weightings + d_w + locations],
        carry[layout.q : layout.q + locations],
        carry[layout.z : layout.z + locations],
        carry[layout.circle : layout.circle + locations + layout.num_shifts - 1],
    )


@inner
def read_backward(layout, row_before, row, carry, seen_MN, inverse_N, settle):
    """Steps 2 and 3: reading, then the read heads' addressing; with all z subtracted where they `settle`."""
    width, locations = layout.width, layout.num_locations
    d_memory_MN = gradient_of_memory(layout, carry)
    q_N, z_N = carry[layout.q : layout.q + locations], carry[layout.z : layout.z + locations]
    for k in range(layout.num_heads):
        w, d_w = layout.weightings + k * layout.head_size, layout.d_weightings + k * locations
        d_read_M = row[
            layout.d_seen + layout.hidden_size + k * width : layout.d_seen + layout.hidden_size + (k + 1) * width
        ]
        w_N, key_M = row[w : w + locations], head_parameters(layout, row[layout.emitted :], k)
        add_combination(seen_MN, d_read_M, carry[d_w : d_w + locations], width, 0)
        head_backward(layout, row_before, row, carry, k, seen_MN, inverse_N)
        if settle and k == layout.num_heads - 1:
            settle_reads(d_memory_MN, seen_MN, d_read_M, w_N, key_M, q_N, z_N)
            clear(z_N)
        else:
            add_outer(d_memory_MN, d_read_M, w_N)
            add_outer(d_memory_MN, key_M, q_N)


@inner
def clear(numbers):
    """Set all to zero."""
    zero = numbers.dtype.type(0)
    for i in range(numbers.shape[0]):
        numbers[i] = zero


@inner
def settle_norms(layout, row, carry):
    """Subtract z ∘ M from the gradient of the memory on `row`: the last of the gradients that step 3 names."""
    memory_MN, d_memory_MN = memory_of(layout, row), gradient_of_memory(layout, carry)
    z_N = carry[layout.z : layout.z + layout.num_locations]
    for m in range(layout.width):
        memory_N, d_N = memory_MN[m], d_memory_MN[m]
        for n in range(layout.num_locations):
            d_N[n] -= z_N[n] * memory_N[n]
    clear(z_N)


@inner
def use_memory_backward(layout, row_before, row, carry, bound):
    """Steps 2 to 5 for one sequence. The row's d_seen holds d_r; its d_emitted is set.

    With a finite `bound` the memory's gradient is settled, and clipped to ±bound.
    """
    heads, width, locations = layout.num_heads, layout.width, layout.num_locations
    emitted, d_emitted = row[layout.emitted :], row[layout.d_emitted :]
    before_MN, after_MN = memory_of(layout, row_before), memory_of(layout, row)
    d_memory_MN = gradient_of_memory(layout, carry)
    before_inverse_N = row_before[layout.inverse_norms : layout.inverse_norms + locations]
    after_inverse_N = row[layout.inverse_norms : layout.inverse_norms + locations]
    q_N, z_N = carry[layout.q : layout.q + locations], carry[layout.z : layout.z + locations]
    if layout.reads_after:
        read_backward(layout, row_before, row, carry, after_MN, after_inverse_N, True)
    else:
        settle_norms(layout, row, carry)
    erase = 2 * heads * layout.head_parameters
    add = erase + heads * width
    write_backward(
        before_MN,
        d_memory_MN,
        row[layout.weightings + heads * layout.head_size :],
        layout.head_size,
        heads,
        emitted[erase:],
        emitted[add:],
        d_emitted[erase:],
        d_emitted[add:],
        carry[layout.d_weightings + heads * locations :],
        locations,
        carry[layout.partial :],
    )
    if not layout.reads_after:
        read_backward(layout, row_before, row, carry, before_MN, before_inverse_N, False)
    for k in range(heads, 2 * heads):
        head_backward(layout, row_before, row, carry, k, before_MN, before_inverse_N)
        key_M = head_parameters(layout, emitted, k)
        if bound < math.inf and k == 2 * heads - 1:  # the clip is of the whole gradient
            settle_writes(d_memory_MN, before_MN, key_M, q_N, z_N, bound)
            clear(z_N)
        else:
            add_outer(d_memory_MN, key_M, q_N)


@entry
def forward(layout, values, packed, tape, x_TBI, first, count, part, parts, barrier):
    """Run sequences first … first + count − 1 of the batch; their starts are the tape's first `count` rows.

    part, parts, barrier: as for an LSTM (`lstm_sequence.py`); one thread runs an NTM's sequence.
    """
    steps = x_TBI.shape[0]
    for b in range(count):
        inverse_norms(
            memory_of(layout, tape[b]), tape[b, layout.inverse_norms : layout.inverse_norms + layout.num_locations]
        )
    interface = weights_at(values, layout.interface_weights, layout.hidden_size, layout.interface_columns)
    for t in range(steps):
        first_row = (t + 1) * count
        control(layout, values, packed, tape, first_row, count, x_TBI[t, first : first + count])
        affine(
            interface,
            packed[layout.interface_packed :],
            tape,
            first_row,
            count,
            layout.seen,
            layout.hidden_size,
            layout.raw,
        )
        for b in range(count):
            row = tape[first_row + b]
            emit(layout, row)
            use_memory(layout, tape[first_row - count + b], row)
    seen = seen_by_output(layout)
    output = weights_at(values, layout.output_weights, seen, layout.output_columns)
    affine(output, packed[layout.output_packed :], tape, count, steps * count, layout.seen, seen, layout.logits)


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
    """Steps 1 to 7. The tape's logits hold their gradient, the carry's rows the gradients of the last state.

    With a finite `bound` the carry is clipped to ±bound before it passes on to the step before.
    """
    steps = tape.shape[0] // count - 1
    reads = layout.num_heads * layout.width
    seen = seen_by_output(layout)
    output = weights_at(values, layout.output_weights, seen, layout.output_columns)
    transpose = packed[layout.output_transposed :]
    transposed_product(output, transpose, tape, count, steps * count, layout.logits, layout.d_seen, 0, seen)
    interface = weights_at(values, layout.interface_weights, layout.hidden_size, layout.interface_columns)
    transpose = packed[layout.interface_transposed :]
    for b in range(count):
        clear(carry[b, layout.z : layout.z + layout.num_locations])
    for t in range(steps - 1, -1, -1):
        first_row = (t + 1) * count
        for b in range(count):
            row, row_before = tape[first_row + b], tape[first_row - count + b]
            d_reads = row[layout.d_seen + layout.hidden_size : layout.d_seen + layout.hidden_size + reads]
            if layout.output_sees_reads:
                add(d_reads, carry[b, layout.d_reads :])
            else:
                copy(d_reads, carry[b, layout.d_reads :])
            use_memory_backward(layout, row_before, row, carry[b], bound)
            emit_backward(layout, row)
        transposed_product(
            interface, transpose, tape, first_row, count, layout.raw, layout.d_inputs, 0, layout.hidden_size
        )
        for b in range(count):
            row = tape[first_row + b]
            d_hidden = row[layout.d_seen : layout.d_seen + layout.hidden_size]
            add(d_hidden, row[layout.d_inputs :])
            if layout.recurrent:
                add(d_hidden, carry[b, layout.d_hidden :])
        d_x_BI = d_x_TBI[t, first : first + count]
        control_backward(layout, values, packed, tape, first_row, count, carry, d_x_BI, with_input)
        if bound < math.inf:
            for b in range(count):
                clip(carry[b, : layout.d_memory], bound)
    for b in range(count):
        settle_norms(layout, tape[b], carry[b])
