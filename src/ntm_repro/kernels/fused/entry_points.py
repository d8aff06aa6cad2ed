"""What Python calls: whole sequences of a batch, forward and backward, and the gradients of the weights over all steps.

Every function takes (…, part, parts) and does the groups, or the rows of weights, whose turn it is: `jit/threads.py`
shares the parts out. The bits do not depend on their number. A single sequence of an LSTM baseline can be shared by
several threads: they have a barrier (`jit/barrier.py`), which else is empty.

packed: see `panels.py`; empty for batches of fewer than `PACKED_FROM` sequences.

group_forward, group_backward: those of the model's kind, of `ntm_sequence` or `lstm_sequence`, as `Compiled`. The
first runs a group from the starts on its tape's first rows to the logits of all steps; the second goes back from the
gradients of logits and last state to those of pre-activations, first state and inputs. They are called by their
addresses, so that a model of one kind needs no code of the other, and both are compiled at the same time
(`jit/worker.py`).

Legend: T steps, B sequences, I inputs, O outputs, P numbers of the flat buffer, U batches. `tapes` holds the tape of
every group, one below the other, [(T + 1) B, layout.row_width]; `carry` [B, layout.carry_width]: see `layout.py`.
"""

import numpy as np

from ntm_repro.jit.barrier import wait
from ntm_repro.jit.cache import entry, entry_as_written, inner, inner_as_written
from ntm_repro.jit.calls import call
from ntm_repro.kernels.fused.cost import cost
from ntm_repro.kernels.fused.initial_state import begin, begin_backward, clear_gradients
from ntm_repro.kernels.fused.layout import Layer, seen_by_output, weights_at
from ntm_repro.kernels.fused.panels import ROWS_WORTH_PACKING, pack_weights, set_packed_outer_products
from ntm_repro.kernels.fused.products import add_outer_products, whole_fours

WEIGHTS, INPUTS, COLUMNS, SEEN, GATES = Layer.WEIGHTS, Layer.INPUTS, Layer.COLUMNS, Layer.SEEN, Layer.GATES


@inner
def logits_of(layout, tape, t, count, b):
    """The O logits of sequence b of a group after step t; during backward, their gradients."""
    return tape[(t + 1) * count + b, layout.logits : layout.logits + layout.num_outputs]


@inner_as_written
def group_cost(layout, tape, target_TBO, mask_TO, bits_B, wrong_B, scale, first, count):
    """Set a group's costs and wrong bits; the gradients of scale · Σ bits take the place of the logits."""
    steps = target_TBO.shape[0]
    # Kept apart from their sum: the last product of a step would be fused with it, and the sum rounded otherwise than
    # in the recorded runs.
    bits_T = np.empty(steps)
    for b in range(count):
        bits_B[first + b] = wrong_B[first + b] = 0.0
        for t in range(steps):
            y_O = logits_of(layout, tape, t, count, b)
            bits_T[t], wrong = cost(y_O, target_TBO[t, first + b], mask_TO[t], scale)
            wrong_B[first + b] += wrong
        for t in range(steps):
            bits_B[first + b] += bits_T[t]


@entry
def packed_weights(layout, values_P, packed):
    """The weights in the order of the products, for all parts: before the others, where a batch is worth it."""
    pack_weights(layout, values_P, packed)


@entry
def forward(group_forward, layout, values_P, packed, tapes, x_TBI, y_TBO, no_barrier, part, parts):
    """Fill the tapes, whose first rows hold the initial states, and `y_TBO`."""
    steps, batch = x_TBI.shape[0], x_TBI.shape[1]
    for group in range(part, (batch + layout.group - 1) // layout.group, parts):
        first = group * layout.group
        count = min(layout.group, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        call(group_forward, (layout, values_P, packed, tape, x_TBI, first, count, 0, 1, no_barrier))
        for b in range(count):
            for t in range(steps):
                y_O = logits_of(layout, tape, t, count, b)
                for o in range(layout.num_outputs):
                    y_TBO[t, first + b, o] = y_O[o]


@entry
def backward(
    group_backward,
    layout,
    values_P,
    packed,
    tapes,
    carry,
    d_y_TBO,
    d_x_TBI,
    with_input,
    bound,
    no_barrier,
    part,
    parts,
):
    """From `d_y_TBO`, and the last state's gradient in `carry`, to the first state's; the tapes are used up.

    d_x_TBI: where `with_input`, added to; else not touched. What passes from a step to the one before is clipped to
    ±bound.
    """
    steps, batch = d_y_TBO.shape[0], d_y_TBO.shape[1]
    for group in range(part, (batch + layout.group - 1) // layout.group, parts):
        first = group * layout.group
        count = min(layout.group, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        for b in range(count):
            for t in range(steps):
                d_y_O = logits_of(layout, tape, t, count, b)
                for o in range(layout.num_outputs):
                    d_y_O[o] = d_y_TBO[t, first + b, o]
        carried = carry[first : first + count]
        data = (tape, carried, d_x_TBI, first, count, with_input, bound)
        call(group_backward, (layout, values_P, packed, *data, 0, 1, no_barrier))


@entry_as_written
def cost_and_gradient(
    group_forward,
    group_backward,
    layout,
    values_P,
    packed,
    tapes,
    carry,
    x_TBI,
    target_TBO,
    mask_TO,
    bits_B,
    wrong_B,
    scale,
    bound,
    barrier,
    part,
    parts,
):
    """A training step up to the weights' own gradients: from the learned start forward, the cost, and back.

    bits_B, wrong_B: set to each sequence's cost and wrong bits. The gradient is that of scale · Σ bits.
    """
    steps, batch = x_TBI.shape[0], x_TBI.shape[1]
    shared = barrier.shape[0] > 0
    # Of the threads that share a sequence, and of those that share the groups.
    mate, mates = (part, parts) if shared else (0, 1)
    begin_at, step = (0, 1) if shared else (part, parts)
    for group in range(begin_at, (batch + layout.group - 1) // layout.group, step):
        first = group * layout.group
        count = min(layout.group, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        carried = carry[first : first + count]
        if mate == 0:
            for b in range(count):
                begin(layout, values_P, tape[b])
                for i in range(layout.carry_width):
                    carried[b, i] = 0
        wait(barrier, mates)
        call(group_forward, (layout, values_P, packed, tape, x_TBI, first, count, mate, mates, barrier))
        wait(barrier, mates)
        if mate == 0:
            group_cost(layout, tape, target_TBO, mask_TO, bits_B, wrong_B, scale, first, count)
        wait(barrier, mates)
        # The inputs are data: x_TBI stands in for their gradient and is not touched.
        data = (tape, carried, x_TBI, first, count, False, bound)
        call(group_backward, (layout, values_P, packed, *data, mate, mates, barrier))


@inner
def weight_gradient(layout, gradients_P, tapes, batch, at, inputs, columns, seen, given, room, part, parts):
    """The gradient of one block of weights: its share of rows, over all steps of all groups."""
    gradient_JI = weights_at(gradients_P, at, inputs, columns)
    steps = tapes.shape[0] // batch - 1
    # Shares of whole fours of rows, so that the bits of a row do not depend on their number; the bias has its own turn.
    fours = (inputs + 4) // 4
    low, high = fours * part // parts * 4, min(fours * (part + 1) // parts * 4, inputs + 1)
    if steps * batch >= ROWS_WORTH_PACKING:
        tiled = whole_fours(low, high, inputs)
        set_packed_outer_products(gradient_JI, tapes, batch, layout.group, seen, given, low, tiled, room)
        low = tiled
    for first in range(0, batch, layout.group):
        count = min(layout.group, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        add_outer_products(gradient_JI, tape, count, steps * count, seen, given, low, high, first == 0)


@entry
def weight_gradients(layout, values_P, gradients_P, tapes, carry, batch, learned_start, room, part, parts):
    """Set this part's share of the gradients, once all groups have been back to their start.

    Every weight's gradient is one product of what its layer saw with the gradient of what it gave, over all steps.
    learned_start: also those of the parameters of the initial state. room: `panels.room_for_factors` for each part.
    """
    layers = layout.layers
    share = room.shape[0] // parts
    room = room[share * part : share * (part + 1)]
    for layer in range(layers.shape[0]):
        weight_gradient(
            layout,
            gradients_P,
            tapes,
            batch,
            layers[layer, WEIGHTS],
            layers[layer, INPUTS],
            layers[layer, COLUMNS],
            layers[layer, SEEN],
            layers[layer, GATES],
            room,
            part,
            parts,
        )
    if layout.num_heads > 0:
        at, columns = layout.interface_weights, layout.interface_columns
        hidden = layout.hidden_size
        weight_gradient(
            layout, gradients_P, tapes, batch, at, hidden, columns, layout.seen, layout.raw, room, part, parts
        )
    at, columns = layout.output_weights, layout.output_columns
    seen = seen_by_output(layout)
    weight_gradient(layout, gradients_P, tapes, batch, at, seen, columns, layout.seen, layout.logits, room, part, parts)
    if learned_start and part == 0:
        clear_gradients(layout, gradients_P)
        rows = tapes.shape[0] // batch
        for b in range(batch):
            first = b // layout.group * layout.group
            begin_backward(layout, values_P, gradients_P, tapes[first * rows + b - first], carry[b])


@entry_as_written
def gradient(
    group_forward,
    group_backward,
    cost_and_gradient,
    weight_gradients,
    layout,
    values_P,
    gradients_P,
    packed,
    room,
    tapes,
    carry,
    inputs,
    targets,
    masks,
    ends_U,
    bits_UB,
    wrong_UB,
    scale,
    bound,
    no_barrier,
    u,
):
    """The gradient of one of U batches on one thread: the two entries above, given as `Compiled`, in turn.

    inputs, targets, masks: x_TBI, target_TBO and mask_TO of all batches, joined along their steps; ends_U: the step
    after the last one of each. tapes: room for the longest.
    """
    batch = bits_UB.shape[1]
    begin = ends_U[u - 1] if u > 0 else 0
    end = ends_U[u]
    tape = tapes[: (end - begin + 1) * batch]
    x_TBI, target_TBO, mask_TO = inputs[begin:end], targets[begin:end], masks[begin:end]
    bits_B, wrong_B = bits_UB[u], wrong_UB[u]
    data = (x_TBI, target_TBO, mask_TO, bits_B, wrong_B)
    given = (layout, values_P, packed, tape, carry, *data, scale, bound, no_barrier, 0, 1)
    pack_weights(layout, values_P, packed)
    call(cost_and_gradient, (group_forward, group_backward, *given))
    call(weight_gradients, (layout, values_P, gradients_P, tape, carry, batch, True, room, 0, 1))


@entry_as_written
def costs(
    group_forward,
    layout,
    values_P,
    packed,
    tapes,
    inputs,
    targets,
    masks,
    ends_U,
    bits_UB,
    wrong_UB,
    no_barrier,
    u,
):
    """The cost of one of U batches on one thread, forward alone; its arguments are those of `gradient`."""
    batch = bits_UB.shape[1]
    begin_at = ends_U[u - 1] if u > 0 else 0
    end = ends_U[u]
    steps = end - begin_at
    x_TBI, target_TBO, mask_TO = inputs[begin_at:end], targets[begin_at:end], masks[begin_at:end]
    pack_weights(layout, values_P, packed)
    for first in range(0, batch, layout.group):
        count = min(layout.group, batch - first)
        tape = tapes[: (steps + 1) * count]
        for b in range(count):
            begin(layout, values_P, tape[b])
        call(group_forward, (layout, values_P, packed, tape, x_TBI, first, count, 0, 1, no_barrier))
        group_cost(layout, tape, target_TBO, mask_TO, bits_UB[u], wrong_UB[u], 1.0, first, count)
