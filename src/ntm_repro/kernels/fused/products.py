"""Matrix products on the rows of a tape, for the few rows that a recurrent step has.

A weight matrix is stored input-major, `weights_JI` [J + 1, I]: row j holds what input j gives to every output, the last
row the bias. So forward it is a sum of rows and backward a list of dot products, and both run along I without a break.
Four rows of the tape share one pass over the weights; a row left over has a pass to itself. How rows are grouped
depends on their number alone: the bits never depend on threads.

rows_RC is a tape (see `tape.py`); a product's input and output are stretches of C at `source` and `target`.
"""

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.gemm_microkernel import LANES, ROWS, WIDEST, add_single, add_widest, set_single, set_widest
from ntm_repro.kernels.fused.layout import padded
from ntm_repro.kernels.fused.panels import packed_product


@inner
def add_combination(weights_JI, u_J, out_I, inputs, low):
    """out += Σ_j u(j) weights(j) over the first `inputs` rows, of whose columns those from `low` on are meant."""
    length = out_I.shape[0]
    high = low + length
    j = 0
    while j + 4 <= inputs:
        u0, u1, u2, u3 = u_J[j], u_J[j + 1], u_J[j + 2], u_J[j + 3]
        w0, w1 = weights_JI[j, low:high], weights_JI[j + 1, low:high]
        w2, w3 = weights_JI[j + 2, low:high], weights_JI[j + 3, low:high]
        for i in range(length):
            out_I[i] += (u0 * w0[i] + u1 * w1[i]) + (u2 * w2[i] + u3 * w3[i])
        j += 4
    while j < inputs:
        u0 = u_J[j]
        w0 = weights_JI[j, low:high]
        for i in range(length):
            out_I[i] += u0 * w0[i]
        j += 1


@inner
def dots(weights_JI, g_I, out_J, first, inputs):
    """out(j) = Σ_i weights(j, i) g(i) for the rows first … inputs − 1; `out_J` is counted from row `first`."""
    length = g_I.shape[0]
    zero = weights_JI.dtype.type(0)
    j = first
    while j + 8 <= inputs:
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = zero
        w0, w1, w2, w3 = weights_JI[j], weights_JI[j + 1], weights_JI[j + 2], weights_JI[j + 3]
        w4, w5, w6, w7 = weights_JI[j + 4], weights_JI[j + 5], weights_JI[j + 6], weights_JI[j + 7]
        for i in range(length):
            g = g_I[i]
            s0 += g * w0[i]
            s1 += g * w1[i]
            s2 += g * w2[i]
            s3 += g * w3[i]
            s4 += g * w4[i]
            s5 += g * w5[i]
            s6 += g * w6[i]
            s7 += g * w7[i]
        out = j - first
        out_J[out], out_J[out + 1], out_J[out + 2], out_J[out + 3] = s0, s1, s2, s3
        out_J[out + 4], out_J[out + 5], out_J[out + 6], out_J[out + 7] = s4, s5, s6, s7
        j += 8
    while j < inputs:
        s0 = zero
        w0 = weights_JI[j]
        for i in range(length):
            s0 += g_I[i] * w0[i]
        out_J[j - first] = s0
        j += 1


@inner
def _add_four_combinations(weights_JI, rows_RC, row, source, inputs, target, skip, low, high):
    """The same for four rows of a tape at once, and for the outputs low … high − 1."""
    columns, width, size = weights_JI.shape[1], rows_RC.shape[1], rows_RC.itemsize
    line = rows_RC.ctypes.data + row * width * size
    weights = weights_JI.ctypes.data + skip * columns * size
    i = low
    while i < high:
        sums, panel = line + (target + i) * size, weights + i * size
        given = line + source * size
        if i + WIDEST * LANES <= high:
            add_widest(weights_JI[0, 0], sums, width, given, width, 1, panel, columns, inputs)
            i += WIDEST * LANES
        else:
            add_single(weights_JI[0, 0], sums, width, given, width, 1, panel, columns, inputs)
            i += LANES


@inner
def add_product(weights_JI, packed, rows_RC, first, count, source, inputs, target, skip):
    """row[target …] += row[source …] · weights[skip : skip + inputs] for `count` rows from `first`.

    packed: the weights less the bias as `panels.pack` leaves them, or nothing: the bits are the same.
    """
    length = weights_JI.shape[1]
    row = first
    if packed.shape[0] > 0:
        fours = count // ROWS * ROWS
        panels = weights_JI.shape[0] - 1
        packed_product(packed, panels, length, rows_RC, first, fours, source, target, skip, inputs, False)
        row += fours
    add_columns(weights_JI, rows_RC, row, first + count - row, source, inputs, target, skip, 0, length)


@inner
def add_columns(weights_JI, rows_RC, first, count, source, inputs, target, skip, low, high):
    """The same without packed weights, and for the outputs low … high − 1 alone.

    `low`, and `high` unless it is the last, must be multiples of 64: then the bits are those of all outputs at once.
    """
    row = first
    while row + 4 <= first + count:
        _add_four_combinations(weights_JI, rows_RC, row, source, inputs, target, skip, low, high)
        row += 4
    while row < first + count:
        line = rows_RC[row]
        add_combination(
            weights_JI[skip:], line[source : source + inputs], line[target + low : target + high], inputs, low
        )
        row += 1


@inner
def set_to_bias(weights_JI, rows_RC, first, count, target, low, high):
    """row[target + i] = bias(i) for the outputs i = low … high − 1 and `count` rows from `first`."""
    bias_I = weights_JI[weights_JI.shape[0] - 1]
    for row in range(first, first + count):
        out_I = rows_RC[row, target : target + high]
        for i in range(low, high):
            out_I[i] = bias_I[i]


@inner
def affine(weights_JI, packed, rows_RC, first, count, source, inputs, target):
    """row[target …] = bias + row[source …] · weights for `count` rows from `first`; `inputs` ≤ J, from the first on.

    packed: see `add_product`.
    """
    set_to_bias(weights_JI, rows_RC, first, count, target, 0, weights_JI.shape[1])
    add_product(weights_JI, packed, rows_RC, first, count, source, inputs, target, 0)


@inner
def _four_dots(weights_JI, rows_RC, row, source, target, low, high):
    length = weights_JI.shape[1]
    zero = weights_JI.dtype.type(0)
    o0, o1, o2, o3 = rows_RC[row], rows_RC[row + 1], rows_RC[row + 2], rows_RC[row + 3]
    g0, g1 = o0[source : source + length], o1[source : source + length]
    g2, g3 = o2[source : source + length], o3[source : source + length]
    count = high - low
    o0, o1, o2, o3 = (
        o0[target : target + count],
        o1[target : target + count],
        o2[target : target + count],
        o3[target : target + count],
    )
    j = low
    while j + 4 <= high:
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
        c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = zero
        w0, w1, w2, w3 = weights_JI[j], weights_JI[j + 1], weights_JI[j + 2], weights_JI[j + 3]
        for i in range(length):
            x0, x1, x2, x3 = w0[i], w1[i], w2[i], w3[i]
            a, b, c, d = g0[i], g1[i], g2[i], g3[i]
            a0 += a * x0
            a1 += a * x1
            a2 += a * x2
            a3 += a * x3
            b0 += b * x0
            b1 += b * x1
            b2 += b * x2
            b3 += b * x3
            c0 += c * x0
            c1 += c * x1
            c2 += c * x2
            c3 += c * x3
            d0 += d * x0
            d1 += d * x1
            d2 += d * x2
            d3 += d * x3
        out = j - low
        o0[out], o0[out + 1], o0[out + 2], o0[out + 3] = a0, a1, a2, a3
        o1[out], o1[out + 1], o1[out + 2], o1[out + 3] = b0, b1, b2, b3
        o2[out], o2[out + 1], o2[out + 2], o2[out + 3] = c0, c1, c2, c3
        o3[out], o3[out + 1], o3[out + 2], o3[out + 3] = d0, d1, d2, d3
        j += 4
    while j < high:
        a0 = b0 = c0 = d0 = zero
        w0 = weights_JI[j]
        for i in range(length):
            x0 = w0[i]
            a0 += g0[i] * x0
            b0 += g1[i] * x0
            c0 += g2[i] * x0
            d0 += g3[i] * x0
        out = j - low
        o0[out], o1[out], o2[out], o3[out] = a0, b0, c0, d0
        j += 1


@inner
def transposed_product(weights_JI, transposed, rows_RC, first, count, source, target, low, high):
    """row[target + j − low] = weights(j) · row[source …] for inputs j = low … high − 1 and `count` rows from `first`.

    With the gradient of a product's outputs at `source` this is the gradient of its inputs.
    transposed: weights[low:high] as `panels.pack_transposed` leaves them, or nothing. With them whole panels are set:
    zeros follow in the target.
    """
    length = weights_JI.shape[1]
    row = first
    if transposed.shape[0] > 0:
        fours = count // ROWS * ROWS
        packed_product(transposed, length, padded(high - low), rows_RC, first, fours, source, target, 0, length, True)
        row += fours
    while row + 4 <= first + count:
        _four_dots(weights_JI, rows_RC, row, source, target, low, high)
        row += 4
    while row < first + count:
        line = rows_RC[row]
        dots(weights_JI, line[source : source + length], line[target : target + high - low], low, high)
        row += 1


@inner
def whole_fours(low, high, bias):
    """Where the last four of rows of weights ends that is a tile's: the bias's row is in none."""
    return low + (min(high, bias) - low) // ROWS * ROWS


@inner
def add_outer_products(
    gradient_JI,
    rows_RC,
    first,
    count,
    inputs,
    outputs,
    low,
    high,
    fresh,
):
    """gradient(j, i) += Σ_rows row[inputs + j] · row[outputs + i] for the rows of weights j = low … high − 1.

    Where `fresh`, = instead of +=. The last row of `gradient_JI` is the bias's, whose input is 1 everywhere. Unless it
    ends at the last row `high` must be a multiple of 4, as `low` must: the bits of a row then do not depend on how the
    rows are divided.
    """
    columns, width, size = gradient_JI.shape[1], rows_RC.shape[1], rows_RC.itemsize
    bias = gradient_JI.shape[0] - 1
    fours = whole_fours(low, high, bias)
    tape = rows_RC.ctypes.data + first * width * size
    i = 0
    while i < columns:
        wide = i + WIDEST * LANES <= columns
        panel = tape + (outputs + i) * size
        for j in range(low, fours, ROWS):
            sums, given = gradient_JI.ctypes.data + (j * columns + i) * size, tape + (inputs + j) * size
            if wide and fresh:
                set_widest(gradient_JI[0, 0], sums, columns, given, 1, width, panel, width, count)
            elif wide:
                add_widest(gradient_JI[0, 0], sums, columns, given, 1, width, panel, width, count)
            elif fresh:
                set_single(gradient_JI[0, 0], sums, columns, given, 1, width, panel, width, count)
            else:
                add_single(gradient_JI[0, 0], sums, columns, given, 1, width, panel, width, count)
        i += WIDEST * LANES if wide else LANES
    for j in range(fours, high):
        sum_I = gradient_JI[j]
        if fresh:
            sum_I[:] = 0
        for row in range(first, first + count):
            line = rows_RC[row]
            u = line[inputs + j] if j < bias else gradient_JI.dtype.type(1)
            g_I = line[outputs : outputs + columns]
            for i in range(columns):
                sum_I[i] += u * g_I[i]
