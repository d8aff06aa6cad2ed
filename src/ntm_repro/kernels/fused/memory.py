"""Reading and writing (paper equations 2–4), forward and backward, on the transposed memory [M, N].

Legend: N locations, M width, W write heads. d_x is the gradient of the cost with respect to x.

**Write.** All erases come before all adds. Row by row (a row is one component m of every location):

    x_0 = M,   x_{j+1} = x_j ∘ (1 − e_j(m) w_j)   for each head j,   M' = x_W + Σ_j a_j(m) w_j

**Backward**, given d_M':

    d_a_j(m) = Σ_i d_M'(i) w_j(i)            d_w_j += a_j(m) d_M'                 d_x_W = d_M'
    d_e_j(m) = −Σ_i d_x_{j+1} x_j w_j        d_w_j −= e_j(m) d_x_{j+1} ∘ x_j      d_x_j = d_x_{j+1} ∘ (1 − e_j(m) w_j)

and d_M = d_x_0. The x_j are recomputed: nothing but weightings, vectors and memories is kept.
"""

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.arithmetic import multiply_add


@inner
def write(before_MN, after_MN, heads, step, count, erase, add):
    """`after_MN` = `before_MN` with all heads' erases and adds.

    Head j's weighting is `heads[j · step : … + N]`; its erase and add vectors are the j-th M numbers of each.
    """
    real = before_MN.dtype.type
    width, locations = before_MN.shape
    for m in range(width):
        before_N, after_N = before_MN[m], after_MN[m]
        w_N = heads[:locations]
        e, a = erase[m], add[m]
        if count == 1:
            for n in range(locations):
                after_N[n] = before_N[n] * (real(1) - e * w_N[n]) + a * w_N[n]
            continue
        for n in range(locations):
            after_N[n] = before_N[n] * (real(1) - e * w_N[n])
        for j in range(1, count):
            w_N = heads[j * step : j * step + locations]
            e = erase[j * width + m]
            for n in range(locations):
                after_N[n] *= real(1) - e * w_N[n]
        for j in range(count):
            w_N = heads[j * step : j * step + locations]
            a = add[j * width + m]
            for n in range(locations):
                after_N[n] += a * w_N[n]


@inner
def write_backward(
    before_MN,
    d_memory_MN,
    heads,
    step,
    count,
    erase,
    add,
    d_erase,
    d_add,
    d_weighting,
    d_step,
    partial,
):
    """The gradients of erase and add vectors (set), weightings (added to) and memory (d_M' on entry, d_M on exit).

    d_weighting: head j's is `d_weighting[j · d_step : … + N]`. partial: room for W · N numbers.
    """
    real = before_MN.dtype.type
    width, locations = before_MN.shape
    for m in range(width):
        before_N, d_N = before_MN[m], d_memory_MN[m]
        if count == 1:
            w_N, d_w_N = heads[:locations], d_weighting[:locations]
            e, a = erase[m], add[m]
            d_e = d_a = real(0)
            for n in range(locations):
                d, x, w = d_N[n], before_N[n], w_N[n]
                d_a += d * w
                d_e -= d * x * w
                d_w_N[n] += d * (a - e * x)
                d_N[n] = d * (real(1) - e * w)
            d_erase[m], d_add[m] = d_e, d_a
            continue
        for n in range(locations):
            partial[n] = before_N[n]
        for j in range(count - 1):
            w_N = heads[j * step : j * step + locations]
            x_N, next_N = partial[j * locations : (j + 1) * locations], partial[(j + 1) * locations :]
            e = erase[j * width + m]
            for n in range(locations):
                next_N[n] = x_N[n] * (real(1) - e * w_N[n])
        for j in range(count):
            w_N, d_w_N = heads[j * step : j * step + locations], d_weighting[j * d_step :]
            a = add[j * width + m]
            d_a = real(0)
            for n in range(locations):
                d_a += d_N[n] * w_N[n]
                d_w_N[n] += a * d_N[n]
            d_add[j * width + m] = d_a
        for j in range(count - 1, -1, -1):
            w_N, d_w_N = heads[j * step : j * step + locations], d_weighting[j * d_step :]
            x_N = partial[j * locations : (j + 1) * locations]
            e = erase[j * width + m]
            d_e = real(0)
            for n in range(locations):
                u = d_N[n] * x_N[n]
                d_e -= u * w_N[n]
                d_w_N[n] -= e * u
                d_N[n] *= real(1) - e * w_N[n]
            d_erase[j * width + m] = d_e


@inner
def settle_reads(d_memory_MN, memory_MN, d_read_M, w_N, key_M, q_N, z_N):
    """d_M += d_r w + k q − z ∘ M in one pass: all that reading a memory, and looking it up to read it, gives.

    Each product is added by itself, as if it were a pass: the bits do not depend on how many there are.
    """
    width, locations = memory_MN.shape
    for m in range(width):
        d_N, memory_N = d_memory_MN[m], memory_MN[m]
        u, k = d_read_M[m], key_M[m]
        for n in range(locations):
            d = multiply_add(k, q_N[n], multiply_add(u, w_N[n], d_N[n]))
            d_N[n] = multiply_add(-z_N[n], memory_N[n], d)


@inner
def settle_writes(d_memory_MN, memory_MN, key_M, q_N, z_N, bound):
    """d_M += k q − z ∘ M, then each number to the nearest in ±bound, in one pass; see `settle_reads`."""
    width, locations = memory_MN.shape
    high = d_memory_MN.dtype.type(bound)
    low = -high
    for m in range(width):
        d_N, memory_N = d_memory_MN[m], memory_MN[m]
        k = key_M[m]
        for n in range(locations):
            d = multiply_add(-z_N[n], memory_N[n], multiply_add(k, q_N[n], d_N[n]))
            d = high if d > high else d
            d_N[n] = low if d < low else d


@inner
def add_outer(matrix_MN, u_M, v_N):
    """matrix(m, i) += u(m) v(i)."""
    width, locations = matrix_MN.shape
    for m in range(width):
        row_N = matrix_MN[m]
        u = u_M[m]
        for n in range(locations):
            row_N[n] += u * v_N[n]
