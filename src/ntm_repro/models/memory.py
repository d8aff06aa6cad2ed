"""Reading from and writing to the memory matrix (paper sections 3.1 and 3.2, equations 2–4) as pure functions.

Shape suffixes: B sequences of the batch, R read heads, W write heads, N memory locations, M width of a location.
"""

import torch
from torch import Tensor


def read(weighting_BRN: Tensor, memory_BNM: Tensor) -> Tensor:
    """r = Σ_i w(i) M(i): the read vector of each head, [B, R, M] (eq. 2)."""
    return weighting_BRN @ memory_BNM


def write(memory_BNM: Tensor, weighting_BWN: Tensor, erase_BWM: Tensor, add_BWM: Tensor) -> Tensor:
    """The memory after all heads have erased (eq. 3) and then all have added (eq. 4): [B, N, M].

    Multiplication and addition commute, so the order among heads does not matter; the paper asks only that every
    erase comes before every add.
    """
    for w_BN, e_BM in zip(weighting_BWN.unbind(1), erase_BWM.unbind(1), strict=True):
        memory_BNM = memory_BNM * (1 - w_BN[:, :, None] * e_BM[:, None, :])
    return torch.baddbmm(memory_BNM, weighting_BWN.transpose(1, 2), add_BWM)
