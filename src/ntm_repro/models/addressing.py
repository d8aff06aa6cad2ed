"""Where a head looks: the addressing pipeline of the paper's section 3.3 (Figure 2, equations 5–9) as pure functions.

Shape suffixes: B sequences of the batch, K heads, N memory locations, M width of a location, S allowed shifts (odd),
1 a broadcast axis. All is differentiable, in any float type on any device, and stays finite wherever the squares and
products of its inputs do.

    key k, strength β ──► content (5, 6) ──► interpolate (7) ──► shift (8) ──► sharpen (9) ──► weighting w_t
                              ▲ memory            ▲ gate g, w_{t−1}   ▲ s             ▲ γ
"""

from typing import NamedTuple

import torch
from torch import Tensor

# Added to squared lengths: bounds the cosine's gradient at an all-zero location or key, where the angle is undefined.
NORM_EPSILON = 1e-6
# Added before the logarithm of a weighting: a weight of exactly 0 must not become −∞.
WEIGHT_EPSILON = 1e-12


class HeadParameters(NamedTuple):
    """What the controller emits for each head's addressing (section 3.3), already in range.

    key_BKM: k. strength_BK1: β > 0. gate_BK1: g in (0, 1). shift_BKS: s, a distribution over the shifts
    −(S−1)/2 … (S−1)/2. sharpness_BK1: γ ≥ 1.
    """

    key_BKM: Tensor
    strength_BK1: Tensor
    gate_BK1: Tensor
    shift_BKS: Tensor
    sharpness_BK1: Tensor


def length(x: Tensor) -> Tensor:
    """Euclidean length over the last axis, kept: [..., M] → [..., 1]; smooth at 0."""
    return (x.square().sum(-1, keepdim=True) + NORM_EPSILON).sqrt()


def cosine_similarity(key_BKM: Tensor, memory_BNM: Tensor) -> Tensor:
    """K[k, M(i)] for every head and location, in [−1, 1]: [B, K, N] (eq. 6)."""
    return key_BKM @ memory_BNM.transpose(1, 2) / (length(key_BKM) * length(memory_BNM).transpose(1, 2))


def content_weighting(key_BKM: Tensor, strength_BK1: Tensor, memory_BNM: Tensor) -> Tensor:
    """w^c: locations whose content resembles the key: [B, K, N] (eq. 5)."""
    return torch.softmax(strength_BK1 * cosine_similarity(key_BKM, memory_BNM), -1)


def interpolate(content_BKN: Tensor, previous_BKN: Tensor, gate_BK1: Tensor) -> Tensor:
    """w^g = g w^c + (1 − g) w_{t−1}: [B, K, N] (eq. 7)."""
    return torch.lerp(previous_BKN, content_BKN, gate_BK1)


def shift(gated_BKN: Tensor, shift_BKS: Tensor) -> Tensor:
    """w̃(i) = Σ_j w^g(j) s(i − j mod N): [B, K, N] (eq. 8). The last entry of s moves weight to higher locations."""
    reach = shift_BKS.shape[-1] // 2
    by_step = shift_BKS.split(1, -1)
    shifted_BKN: Tensor = by_step[reach] * gated_BKN
    for step in range(1, reach + 1):
        shifted_BKN = torch.addcmul(shifted_BKN, by_step[reach + step], gated_BKN.roll(step, -1))
        shifted_BKN = torch.addcmul(shifted_BKN, by_step[reach - step], gated_BKN.roll(-step, -1))
    return shifted_BKN


def sharpen(shifted_BKN: Tensor, sharpness_BK1: Tensor) -> Tensor:
    """w(i) = w̃(i)^γ / Σ_j w̃(j)^γ: [B, K, N] (eq. 9), as softmax(γ log w̃), which cannot underflow to 0/0."""
    return torch.softmax(sharpness_BK1 * (shifted_BKN + WEIGHT_EPSILON).log(), -1)


def address(parameters: HeadParameters, previous_BKN: Tensor, memory_BNM: Tensor) -> Tensor:
    """The weighting w_t of K heads over the N locations of `memory_BNM`, given their w_{t−1}: [B, K, N] (eqs 5–9)."""
    content_BKN = content_weighting(parameters.key_BKM, parameters.strength_BK1, memory_BNM)
    gated_BKN = interpolate(content_BKN, previous_BKN, parameters.gate_BK1)
    return sharpen(shift(gated_BKN, parameters.shift_BKS), parameters.sharpness_BK1)
