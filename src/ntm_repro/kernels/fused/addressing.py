"""One head's addressing (paper section 3.3, equations 5–9), forward and backward, on vectors that run over locations.

Legend: N locations, M width, S shifts, P = M + 3 + S numbers for one head (key M, strength, gate, shift S, sharpness).
`memory_MN` is the memory transposed, so that whatever is done to all locations runs along unbroken memory.

**Forward.** With k the key, ℓ_k = √(|k|² + ε) and ℓ(i) = √(|M(i)|² + ε):

    c(i)  = k·M(i) / (ℓ_k ℓ(i))                   cosine (6)
    w^c   = softmax(β c)                          content (5)
    w^g   = w' + g (w^c − w')                     gate, with w' the head's weighting one step before (7)
    w̃(i)  = Σ_d s(d) w^g(i − d)                   shift by d = −(S−1)/2 … (S−1)/2 around the circle (8)
    λ     = log(w̃ + ε'),  w = softmax(γ λ)        sharpen (9)

**Backward.** d_x is the gradient of the cost with respect to x. Given d_w, in the reverse order:

    sharpen   u = w ∘ (d_w − Σ d_w w)     d_γ = Σ u λ     d_shifted = γ u / (w̃ + ε')
    shift     d_s(d) = Σ_i d_shifted(i) w^g(i − d)        d_gated(i) = Σ_d s(d) d_shifted(i + d)
    gate      d_g = Σ d_gated (w^c − w')                  d_before = (1 − g) d_gated      d_content = g d_gated
    content   u = w^c ∘ (d_content − Σ d_content w^c)     d_β = Σ u c                     d_cosine = β u
    cosine    with q(i) = d_cosine(i) / (ℓ_k ℓ(i)) and z(i) = d_cosine(i) c(i) / ℓ(i)²:
              d_k(m) = Σ_i q(i) M(i, m) − k(m) Σ_i d_cosine(i) c(i) / ℓ_k²
              d_M(i, m) += q(i) k(m) − z(i) M(i, m)

softmax's gradient is the same line twice: for y = softmax(x), d_x = y ∘ (d_y − Σ d_y y). The cosine's follows from
∂ℓ_k/∂k = k/ℓ_k and ∂ℓ(i)/∂M(i) = M(i)/ℓ(i). z is summed over all heads that addressed the same memory, and subtracted
from its gradient in one pass by the caller. What backward needs of forward is kept in the head's fields on the tape.
"""

import math

import numba

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.arithmetic import exp, log
from ntm_repro.kernels.fused.layout import padded
from ntm_repro.kernels.fused.products import add_combination, dots
from ntm_repro.models.addressing import NORM_EPSILON, WEIGHT_EPSILON


@inner
def inverse_norms(memory_MN, inverse_N):
    """1 / √(|M(i)|² + ε) of every location."""
    real = memory_MN.dtype.type
    width, locations = memory_MN.shape
    for n in range(locations):
        inverse_N[n] = real(NORM_EPSILON)
    for m in range(width):
        row_N = memory_MN[m]
        for n in range(locations):
            inverse_N[n] += row_N[n] * row_N[n]
    for n in range(locations):
        inverse_N[n] = real(1) / math.sqrt(inverse_N[n])


@numba.njit(fastmath={"nnan", "nsz", "reassoc"}, error_model="numpy")
def highest(x_N):
    """The highest of all numbers; any number where one is NaN, which softmax's own arithmetic then brings to light."""
    top = x_N[0]
    for n in range(x_N.shape[0]):
        top = x_N[n] if x_N[n] > top else top
    return top


@inner
def softmax(x_N):
    """In place."""
    real = x_N.dtype.type
    locations = x_N.shape[0]
    top = highest(x_N)
    total = real(0)
    for n in range(locations):
        x_N[n] = exp(x_N[n] - top)
        total += x_N[n]
    inverse = real(1) / total
    for n in range(locations):
        x_N[n] *= inverse


@inner
def head_fields(head, locations, reach):
    """A head's stretch of the tape, field by field: c, w^c, w̃, λ, w, and w^g with its ends repeated on either side."""
    size = padded(locations)
    return (
        head[:locations],
        head[size : size + locations],
        head[2 * size : 2 * size + locations],
        head[3 * size : 3 * size + locations],
        head[4 * size : 4 * size + locations],
        head[5 * size : 5 * size + locations + 2 * reach],
    )


@inner
def address(parameters_P, shifts, memory_MN, inverse_N, before_N, head):
    """Fill a head's stretch of the tape, its weighting included; `before_N` is its weighting one step before."""
    real = memory_MN.dtype.type
    width, locations = memory_MN.shape
    reach = shifts // 2
    cosine_N, content_N, shifted_N, log_N, weighting_N, circle = head_fields(head, locations, reach)
    gated_N = circle[reach : reach + locations]
    strength, gate, sharpness = parameters_P[width], parameters_P[width + 1], parameters_P[width + 2 + shifts]

    square = real(NORM_EPSILON)
    for m in range(width):
        square += parameters_P[m] * parameters_P[m]
    inverse_norm = real(1) / math.sqrt(square)
    for n in range(locations):
        cosine_N[n] = real(0)
    add_combination(memory_MN, parameters_P, cosine_N, width, 0)
    for n in range(locations):
        cosine_N[n] *= inverse_norm * inverse_N[n]
        content_N[n] = strength * cosine_N[n]
    softmax(content_N)

    for n in range(locations):
        gated_N[n] = before_N[n] + gate * (content_N[n] - before_N[n])
    wrap(circle, locations, reach)
    for n in range(locations):
        shifted_N[n] = real(WEIGHT_EPSILON)
    for d in range(shifts):
        s = parameters_P[width + 2 + d]
        moved_N = circle[2 * reach - d : 2 * reach - d + locations]
        for n in range(locations):
            shifted_N[n] += s * moved_N[n]
    for n in range(locations):
        log_N[n] = log(shifted_N[n])
        weighting_N[n] = sharpness * log_N[n]
    softmax(weighting_N)


@inner
def wrap(circle, locations, reach):
    """Repeat each end of the middle `locations` entries on the other side."""
    for i in range(reach):
        circle[i] = circle[locations + i]
        circle[reach + locations + i] = circle[reach + i]


@inner
def address_backward(
    parameters_P,
    d_parameters_P,
    shifts,
    memory_MN,
    inverse_N,
    before_N,
    head,
    d_weighting_N,
    q_N,
    z_N,
    d_circle,
):
    """From d_w of a head to the gradients of its parameters (activated ones), of w' and, as q and z, of the memory.

    d_weighting_N: d_w on entry, d_before on exit. q_N: set. z_N: added to. d_circle: room for N + S − 1 numbers.
    """
    real = memory_MN.dtype.type
    width, locations = memory_MN.shape
    reach = shifts // 2
    cosine_N, content_N, shifted_N, log_N, weighting_N, circle = head_fields(head, locations, reach)
    strength, gate, sharpness = parameters_P[width], parameters_P[width + 1], parameters_P[width + 2 + shifts]
    d_shifted_N = d_circle[reach : reach + locations]

    total = real(0)
    for n in range(locations):
        total += d_weighting_N[n] * weighting_N[n]
    d_sharpness = real(0)
    for n in range(locations):
        u = weighting_N[n] * (d_weighting_N[n] - total)
        d_sharpness += u * log_N[n]
        d_shifted_N[n] = sharpness * u / shifted_N[n]

    wrap(d_circle, locations, reach)
    for n in range(locations):
        q_N[n] = real(0)
    for d in range(shifts):
        s = parameters_P[width + 2 + d]
        moved_N = circle[2 * reach - d : 2 * reach - d + locations]
        d_moved_N = d_circle[d : d + locations]
        d_s = real(0)
        for n in range(locations):
            d_s += d_shifted_N[n] * moved_N[n]
            q_N[n] += s * d_moved_N[n]
        d_parameters_P[width + 2 + d] = d_s

    d_gate = total = real(0)
    for n in range(locations):
        d_gated = q_N[n]
        d_gate += d_gated * (content_N[n] - before_N[n])
        d_weighting_N[n] = (real(1) - gate) * d_gated
        total += d_gated * content_N[n]
    square = real(NORM_EPSILON)
    for m in range(width):
        square += parameters_P[m] * parameters_P[m]
    inverse_norm = real(1) / math.sqrt(square)
    d_strength = towards_key = real(0)
    for n in range(locations):
        u = gate * content_N[n] * (q_N[n] - total)
        d_strength += u * cosine_N[n]
        d_cosine = strength * u
        turned = d_cosine * cosine_N[n]
        towards_key += turned
        q_N[n] = d_cosine * inverse_norm * inverse_N[n]
        z_N[n] += turned * inverse_N[n] * inverse_N[n]
    dots(memory_MN, q_N, d_parameters_P, 0, width)
    towards_key *= inverse_norm * inverse_norm
    for m in range(width):
        d_parameters_P[m] -= towards_key * parameters_P[m]
    d_parameters_P[width] = d_strength
    d_parameters_P[width + 1] = d_gate
    d_parameters_P[width + 2 + shifts] = d_sharpness
