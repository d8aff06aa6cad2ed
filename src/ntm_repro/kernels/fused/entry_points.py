"""What Python calls: whole sequences of a batch, group by group, and the gradients of the weights over all of them."""

from typing import Any

from ntm_repro.kernels.fused import lstm_sequence, ntm_sequence
from ntm_repro.kernels.fused.controllers import weights_at
from ntm_repro.kernels.fused.cost import cost
from ntm_repro.kernels.fused.initial_state import begin, begin_backward, clear_gradients
from ntm_repro.kernels.fused.jit_cache import entry, inner
from ntm_repro.kernels.fused.products import add_outer_products
from ntm_repro.kernels.fused.tape import GROUP, Layer

# What to do with each group, in this order.
START, FORWARD, COST, BACKWARD, INPUT_GRADIENT = 1, 2, 4, 8, 16
WEIGHTS, INPUTS, COLUMNS, SEEN, GATES = Layer.WEIGHTS, Layer.INPUTS, Layer.COLUMNS, Layer.SEEN, Layer.GATES


@entry
def run(
    plan: Any,
    values: Any,
    tapes: Any,
    carry: Any,
    x_TBI: Any,
    y_TBO: Any,
    target_TBO: Any,
    mask_TO: Any,
    d_x_TBI: Any,
    bits_B: Any,
    wrong_B: Any,
    scale: float,
    bound: float,
    todo: int,
    part: int,
    parts: int,
) -> None:
    """The groups whose number is `part` modulo `parts`. tapes: those of all groups, one below the other.

    COST fills bits and wrong bits and leaves the gradient of scale · bits in place of the logits; without it `y_TBO`
    takes the logits, or gives their gradient where nothing but BACKWARD is to do. BACKWARD clips what passes from step
    to step to ±bound.
    """
    steps, batch = x_TBI.shape[0], x_TBI.shape[1]
    groups = (batch + GROUP - 1) // GROUP
    for group in range(part, groups, parts):
        first = group * GROUP
        count = min(GROUP, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        carried = carry[first : first + count]
        if todo & START:
            for b in range(count):
                begin(plan, values, tape[b])
                for i in range(plan.carry):
                    carried[b, i] = 0
        if todo & FORWARD:
            if plan.heads > 0:
                ntm_sequence.forward(plan, values, tape, x_TBI, first, count)
            else:
                lstm_sequence.forward(plan, values, tape, x_TBI, first, count)
        for b in range(count):
            if todo & COST:
                bits_B[first + b] = wrong_B[first + b] = 0.0
            for t in range(steps):
                y_O = tape[(t + 1) * count + b, plan.logits : plan.logits + plan.outputs]
                if todo & COST:
                    bits, wrong = cost(y_O, target_TBO[t, first + b], mask_TO[t], scale)
                    bits_B[first + b] += bits
                    wrong_B[first + b] += wrong
                elif todo & FORWARD:
                    for o in range(plan.outputs):
                        y_TBO[t, first + b, o] = y_O[o]
                else:
                    for o in range(plan.outputs):
                        y_O[o] = y_TBO[t, first + b, o]
        if todo & BACKWARD:
            with_input = (todo & INPUT_GRADIENT) != 0
            if plan.heads > 0:
                ntm_sequence.backward(plan, values, tape, carried, d_x_TBI, first, count, with_input, bound)
            else:
                lstm_sequence.backward(plan, values, tape, carried, d_x_TBI, first, count, with_input, bound)


@inner
def weight_gradient(
    gradients: Any,
    tapes: Any,
    batch: int,
    at: int,
    inputs: int,
    columns: int,
    seen: int,
    given: int,
    part: int,
    parts: int,
) -> None:
    """The gradient of one block of weights: its share of rows, over all steps of all groups."""
    gradient_JI = weights_at(gradients, at, inputs, columns)
    steps = tapes.shape[0] // batch - 1
    # Shares of whole fours of rows, so that the bits of a row do not depend on their number; the bias has its own turn.
    fours = (inputs + 4) // 4
    low, high = fours * part // parts * 4, min(fours * (part + 1) // parts * 4, inputs + 1)
    for first in range(0, batch, GROUP):
        count = min(GROUP, batch - first)
        tape = tapes[(steps + 1) * first : (steps + 1) * (first + count)]
        add_outer_products(gradient_JI, tape, count, steps * count, seen, given, low, high, first == 0)


@entry
def accumulate(
    plan: Any,
    values: Any,
    gradients: Any,
    tapes: Any,
    carry: Any,
    batch: int,
    learned_start: bool,
    part: int,
    parts: int,
) -> None:
    """Set this part's share of the gradients, once all groups have been back to their start."""
    layers = plan.layers
    for layer in range(layers.shape[0]):
        weight_gradient(
            gradients,
            tapes,
            batch,
            layers[layer, WEIGHTS],
            layers[layer, INPUTS],
            layers[layer, COLUMNS],
            layers[layer, SEEN],
            layers[layer, GATES],
            part,
            parts,
        )
    if plan.heads > 0:
        at, columns = plan.interface_weights, plan.interface_columns
        weight_gradient(gradients, tapes, batch, at, plan.hidden, columns, plan.seen, plan.raw, part, parts)
    seen = ntm_sequence.seen_by_output(plan)
    weight_gradient(
        gradients, tapes, batch, plan.output_weights, seen, plan.output_columns, plan.seen, plan.logits, part, parts
    )
    if learned_start and part == 0:
        clear_gradients(plan, gradients)
        rows = tapes.shape[0] // batch
        for b in range(batch):
            first = b // GROUP * GROUP
            begin_backward(plan, values, gradients, tapes[first * rows + b - first], carry[b])
