"""exp, log and their kin for single numbers, written so that a loop over them becomes vector instructions.

The C library's functions take one number at a time. Here float32 goes through the polynomials of the Cephes library
(S. Moshier), good to about one unit in the last place; float64, which only tests use, goes to the C library.
"""

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from ntm_repro.jit.cache import ANY_ORDER, IN_ORDER

f32, i32 = np.float32, np.int32

# Below the first e^x is taken for 0 (the smallest normal number is at −87.3), above the second it is infinite.
LOWEST, HIGHEST = f32(-86.9), f32(88.72283)
# Added to a float32 below 2**22 it rounds to an integer, which then stands in the lowest bits.
ROUND = f32(1.5 * 2**23)
LOG2_E = f32(1 / math.log(2))
# log 2 in two pieces, the first with few enough bits for its products with an exponent to be exact.
LOG_2_HIGH, LOG_2_LOW = f32(0.693359375), f32(-2.12194440e-4)


@intrinsic
def _bits_of(context: Any, x: Any) -> Any:
    """The bits of a float32 as an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


@intrinsic
def _of_bits(context: Any, x: Any) -> Any:
    """The float32 with the bits of an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


@intrinsic
def multiply_add(context: Any, a: Any, b: Any, c: Any) -> Any:
    """a · b + c of one type, rounded once, whatever else the compiler may do with sums around it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return a(a, a, a), generate


def exp(x: float) -> float:
    """e^x; 0 and infinity where float32 ends; NaN for NaN."""
    raise NotImplementedError("compiled code only")


def log(x: float) -> float:
    """Natural logarithm of a positive normal number."""
    raise NotImplementedError("compiled code only")


def sigmoid(x: float) -> float:
    """1 / (1 + e^−x)."""
    raise NotImplementedError("compiled code only")


def tanh(x: float) -> float:
    """Hyperbolic tangent, exact to the last places near 0."""
    raise NotImplementedError("compiled code only")


def softplus(x: float) -> float:
    """log(1 + e^x) (scalar: a head has three)."""
    raise NotImplementedError("compiled code only")


@numba.njit(fastmath=IN_ORDER, error_model="numpy")
def _powers(x: Any) -> Any:
    """(e^r − 1, 2^(k−1)) with x = r + k log 2 and |r| ≤ log √2, for x between the ends."""
    rounded = x * LOG2_E + ROUND
    k = rounded - ROUND
    r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW
    p = f32(1.9875691500e-4)
    p = p * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    # One less than k: at the upper end k is 128, and 2^128 is more than an exponent can hold.
    return p * (r * r) + r, _of_bits((_bits_of(rounded) << i32(23)) + i32(126 << 23))


@overload(exp, jit_options={"fastmath": IN_ORDER}, inline="never")
def _exp(x: Any) -> Callable[[Any], Any]:
    if x != types.float32:

        def exp64(x: Any) -> Any:
            return math.exp(x)

        return exp64

    def exp32(x: Any) -> Any:
        # A NaN compares false and so passes through both.
        v = LOWEST if x < LOWEST else x
        v = HIGHEST if v > HIGHEST else v
        p, half_power = _powers(v)
        value = (p + f32(1)) * half_power * f32(2)
        value = f32(0) if x < LOWEST else value
        return f32(np.inf) if x > HIGHEST else value

    return exp32


@overload(log, jit_options={"fastmath": IN_ORDER}, inline="never")
def _log(x: Any) -> Callable[[Any], Any]:
    if x != types.float32:

        def log64(x: Any) -> Any:
            return math.log(x)

        return log64

    def log32(x: Any) -> Any:
        # x = m · 2^e with m in [√½, √2)
        bits = _bits_of(x) - i32(0x3F3504F3)
        e = f32(bits >> i32(23))
        m = _of_bits((bits & i32(0x007FFFFF)) + i32(0x3F3504F3)) - f32(1)
        z = m * m
        p = f32(7.0376836292e-2)
        p = p * m + f32(-1.1514610310e-1)
        p = p * m + f32(1.1676998740e-1)
        p = p * m + f32(-1.2420140846e-1)
        p = p * m + f32(1.4249322787e-1)
        p = p * m + f32(-1.6668057665e-1)
        p = p * m + f32(2.0000714765e-1)
        p = p * m + f32(-2.4999993993e-1)
        p = p * m + f32(3.3333331174e-1)
        p = p * m * z
        p = p + e * LOG_2_LOW
        p = p - f32(0.5) * z
        value = m + p + e * LOG_2_HIGH
        return x if x != x else value  # the bit trick would turn NaN into a finite number

    return log32


@overload(sigmoid, jit_options={"fastmath": ANY_ORDER}, inline="never")
def _sigmoid(x: Any) -> Callable[[Any], Any]:
    one = f32(1) if x == types.float32 else 1.0

    def impl(x: Any) -> Any:
        return one / (one + exp(-x))

    return impl


@overload(tanh, jit_options={"fastmath": IN_ORDER}, inline="never")
def _tanh(x: Any) -> Callable[[Any], Any]:
    if x != types.float32:

        def tanh64(x: Any) -> Any:
            return math.tanh(x)

        return tanh64

    def tanh32(x: Any) -> Any:
        v = f32(-10) if x < f32(-10) else x  # beyond, tanh is ±1 in float32
        v = f32(10) if v > f32(10) else v
        p, half_power = _powers(v + v)
        less_one = p * half_power + (half_power - f32(0.5))  # (e^2v − 1) / 2, without cancellation near 0
        return less_one / (less_one + f32(1))

    return tanh32


@overload(softplus, jit_options={"fastmath": ANY_ORDER}, inline="never")
def _softplus(x: Any) -> Callable[[Any], Any]:
    zero = f32(0) if x == types.float32 else 0.0

    def impl(x: Any) -> Any:
        return max(x, zero) + math.log1p(math.exp(-abs(x)))

    return impl
