"""Numbers copied into the order in which the innermost loop of a product reads them.

A tile of a product (`gemm_microkernel.py`) goes down a panel, `LANES` or `WIDEST · LANES` neighbouring columns of a
matrix. In the matrix its lines are a whole row apart: each lies on another page of memory, and where a row is a
multiple of 4096 bytes long all of them compete for a few cache lines. Here the lines of a panel follow each other. The
panel that begins at column i of a matrix [J, I] begins at number i · J of the copy.

Packed are the weights, where a batch has sequences enough (`PACKED_FROM`): as they are for the forward pass, transposed
for the backward pass. So are the two factors of the weights' gradients. Copies change no bit.
"""

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.gemm_microkernel import (
    LANES,
    ROWS,
    WIDEST,
    add_single,
    add_widest,
    copy_four,
    copy_line,
    set_single,
    set_widest,
)
from ntm_repro.kernels.fused.layout import Layer, Layout, padded, seen_by_output, weights_at

WEIGHTS, INPUTS, COLUMNS, OUTSIDE = Layer.WEIGHTS, Layer.INPUTS, Layer.COLUMNS, Layer.OUTSIDE
PACKED, TRANSPOSED, TRANSPOSED_OWN = Layer.PACKED, Layer.TRANSPOSED, Layer.TRANSPOSED_OWN

# With fewer sequences in lockstep every step has too few rows for a tile.
PACKED_FROM = 4
# Rows of the tape whose factors of a gradient are packed at a time: so that they stay in the second-level cache.
ROWS_AT_ONCE = 256
# With fewer rows copying takes longer than it saves.
ROWS_WORTH_PACKING = 64


@inner
def width_at(i, columns):
    """The width of the panel that begins at column i."""
    return WIDEST * LANES if i + WIDEST * LANES <= columns else LANES


@inner
def pack(matrix_JI, packed):
    """Copy all rows of a matrix, whose columns are whole panels."""
    inputs, columns = matrix_JI.shape
    like, size = matrix_JI[0, 0], matrix_JI.itemsize
    i = 0
    while i < columns:
        width = width_at(i, columns)
        line = packed.ctypes.data + i * inputs * size
        for j in range(inputs):
            for lane in range(0, width, LANES):
                copy_line(like, line + lane * size, matrix_JI.ctypes.data + (j * columns + i + lane) * size)
            line += width * size
        i += width


@inner
def pack_transposed(matrix_JI, packed):
    """Copy a matrix [J, I] as panels of its transpose, zeros added for J to be whole panels."""
    inputs, columns = matrix_JI.shape
    whole = padded(inputs)
    j = 0
    while j < whole:
        width = width_at(j, whole)
        for i in range(0, columns, LANES):  # squares: what is written in turn stays in the first-level cache
            for lane in range(width):
                square = packed[j * columns + i * width + lane :]
                if j + lane < inputs:
                    source = matrix_JI[j + lane, i:]
                    for k in range(LANES):
                        square[k * width] = source[k]
                else:
                    for k in range(LANES):
                        square[k * width] = 0
        j += width


@inner
def packed_product(packed, inputs, columns, rows_RC, first, count, source, target, skip, summed, fresh):
    """row[target : target + columns] += row[source …] · matrix[skip : skip + summed], four rows at a time.

    packed: a matrix [inputs, columns]. `count` is a multiple of four. Where `fresh`, = instead of +=.
    """
    width, size = rows_RC.shape[1], rows_RC.itemsize
    like = rows_RC[0, 0]
    tape = rows_RC.ctypes.data
    i = 0
    while i < columns:
        step = width_at(i, columns)
        panel = packed.ctypes.data + (i * inputs + skip * step) * size
        for row in range(first, first + count, ROWS):
            sums, given = tape + (row * width + target + i) * size, tape + (row * width + source) * size
            tile(like, sums, width, given, width, 1, panel, step, summed, step > LANES, fresh)
        i += step


@inner
def tile(like, sums, sums_row, given, given_row, given_step, panel, panel_step, steps, wide, fresh):
    """The tile of the microkernel that this is."""
    if wide and fresh:
        set_widest(like, sums, sums_row, given, given_row, given_step, panel, panel_step, steps)
    elif wide:
        add_widest(like, sums, sums_row, given, given_row, given_step, panel, panel_step, steps)
    elif fresh:
        set_single(like, sums, sums_row, given, given_row, given_step, panel, panel_step, steps)
    else:
        add_single(like, sums, sums_row, given, given_row, given_step, panel, panel_step, steps)


@inner
def next_row(row, left, first, steps, batch, group):
    """The row after `row`, how many are left in its group then, and the group's first sequence.

    Between groups are the rows before the first step, which nothing led to.
    """
    if left > 1:
        return row + 1, left - 1, first
    first += group
    count = min(group, batch - first)
    return (steps + 1) * first + count, steps * count, first


@inner
def set_packed_outer_products(gradient_JI, tapes, batch, group, inputs, outputs, low, fours, room):
    """gradient(j, i) = Σ_rows row[inputs + j] · row[outputs + i] for j = low … fours − 1, whole fours.

    The rows are those of all steps of all groups. room: `room_for_factors` numbers.
    """
    columns, width, size = gradient_JI.shape[1], tapes.shape[1], tapes.itemsize
    like = gradient_JI[0, 0]
    steps = tapes.shape[0] // batch - 1
    panel_room = room[(fours - low) * ROWS_AT_ONCE :]
    total, done = steps * batch, 0
    row_begin, left_begin, first_begin = next_row(0, 0, -group, steps, batch, group)
    while done < total:
        rows = min(ROWS_AT_ONCE, total - done)
        for j in range(low, fours, ROWS):
            row, left, first = row_begin, left_begin, first_begin
            four = room.ctypes.data + (j - low) * rows * size
            for _ in range(rows):
                copy_four(like, four, tapes.ctypes.data + (row * width + inputs + j) * size)
                four += ROWS * size
                row, left, first = next_row(row, left, first, steps, batch, group)
        i = 0
        while i < columns:
            step = width_at(i, columns)
            row, left, first = row_begin, left_begin, first_begin
            line = panel_room.ctypes.data
            for _ in range(rows):
                for lane in range(0, step, LANES):
                    copy_line(like, line + lane * size, tapes.ctypes.data + (row * width + outputs + i + lane) * size)
                line += step * size
                row, left, first = next_row(row, left, first, steps, batch, group)
            for j in range(low, fours, ROWS):
                sums = gradient_JI.ctypes.data + (j * columns + i) * size
                given = room.ctypes.data + (j - low) * rows * size
                tile(like, sums, columns, given, 1, ROWS, panel_room.ctypes.data, step, rows, step > LANES, done == 0)
            i += step
        row_begin, left_begin, first_begin = row, left, first
        done += rows


@inner
def pack_weights(layout, values, packed):
    """All weights of a model in both orders, where `layout.packed_size` numbers are given; else nothing."""
    if packed.shape[0] == 0:
        return
    layers = layout.layers
    for layer in range(layers.shape[0]):
        inputs, outside, columns = layers[layer, INPUTS], layers[layer, OUTSIDE], layers[layer, COLUMNS]
        weights = weights_at(values, layers[layer, WEIGHTS], inputs, columns)
        low = layout.num_inputs if layout.recurrent or layer == 0 else 0
        pack(weights[:inputs], packed[layers[layer, PACKED] :])
        pack_transposed(weights[low:outside], packed[layers[layer, TRANSPOSED] :])
        pack_transposed(weights[outside:inputs], packed[layers[layer, TRANSPOSED_OWN] :])
    if layout.num_heads > 0:
        weights = weights_at(values, layout.interface_weights, layout.hidden_size, layout.interface_columns)
        pack(weights[: layout.hidden_size], packed[layout.interface_packed :])
        pack_transposed(weights[: layout.hidden_size], packed[layout.interface_transposed :])
    seen = seen_by_output(layout)
    weights = weights_at(values, layout.output_weights, seen, layout.output_columns)
    pack(weights[:seen], packed[layout.output_packed :])
    pack_transposed(weights[:seen], packed[layout.output_transposed :])


def room_for_factors(layout: Layout) -> int:
    """How many numbers `set_packed_outer_products` needs for the largest weights of a model."""
    inputs = max(layout.hidden_size + layout.num_heads * layout.width, int(layout.layers[:, INPUTS].max()))
    return (padded(inputs) + WIDEST * LANES) * ROWS_AT_ONCE
