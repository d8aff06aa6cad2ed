"""How each head of a traced sequence came to its weighting: the stages of the paper's Figure 2, recomputed.

Shape suffixes: T time steps, R read heads, W write heads, K = R + W heads (reading ones first), N memory locations, M
width of a location. U = T + 1: what there was before the first step, then after each.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntm_repro.evaluation.traces import Heads
from ntm_repro.models import addressing
from ntm_repro.models.addressing import HeadParameters
from ntm_repro.models.ntm import NTM, ReadOrder


class Stages(NamedTuple):
    """content: w^c (eqs 5, 6). gated: w^g (eq. 7). shifted: w̃ (eq. 8). sharpened: w (eq. 9), the head's weighting.

    weighting_UKN: w_0 of each head, then the weightings as traced, so that [t] is w_{t−1} of step t. memory_UNM: M_0,
    then the memory after each step.
    """

    content_TKN: np.ndarray
    gated_TKN: np.ndarray
    shifted_TKN: np.ndarray
    sharpened_TKN: np.ndarray
    weighting_UKN: np.ndarray
    memory_UNM: np.ndarray


def stages(model: NTM, heads: Heads) -> Stages:
    """The stages of every step and head of `heads`, a trace of `model` from its learned start."""
    start = model.initial_state(1)
    reading, writing = heads.read_weighting_TRN, heads.write_weighting_TWN
    first_1KN = torch.cat([start.read_weighting_BRN, start.write_weighting_BWN], 1).detach().cpu().numpy()
    weighting_UKN = np.concatenate([first_1KN, np.concatenate([reading, writing], 1)])
    memory_UNM = np.concatenate([start.memory_BNM.detach().cpu().numpy(), heads.memory_TNM])

    # Read heads may see what this step has written; write heads never do.
    seen_by_readers_TNM = memory_UNM[1:] if model.read_order is ReadOrder.after else memory_UNM[:-1]
    count = reading.shape[1]
    by_kind = [
        _of(heads, kind, weighting_UKN[:-1, kind], memory_TNM)
        for kind, memory_TNM in ((slice(count), seen_by_readers_TNM), (slice(count, None), memory_UNM[:-1]))
    ]
    content_TKN, gated_TKN, shifted_TKN, sharpened_TKN = (
        np.concatenate(pair, 1) for pair in zip(*by_kind, strict=True)
    )
    return Stages(content_TKN, gated_TKN, shifted_TKN, sharpened_TKN, weighting_UKN, memory_UNM)


def _of(heads: Heads, kind: slice, previous_TKN: np.ndarray, memory_TNM: np.ndarray) -> list[np.ndarray]:
    """The four stages of the heads `kind`, all steps at once: time is the batch of `addressing`."""
    emitted = (heads.key_TKM, heads.strength_TK1, heads.gate_TK1, heads.shift_TKS, heads.sharpness_TK1)
    own = HeadParameters(*(torch.from_numpy(np.ascontiguousarray(values[:, kind])) for values in emitted))
    content_TKN: Tensor = addressing.content_weighting(own.key_BKM, own.strength_BK1, torch.from_numpy(memory_TNM))
    gated_TKN = addressing.interpolate(content_TKN, torch.from_numpy(previous_TKN), own.gate_BK1)
    shifted_TKN = addressing.shift(gated_TKN, own.shift_BKS)
    sharpened_TKN = addressing.sharpen(shifted_TKN, own.sharpness_BK1)
    return [stage.numpy() for stage in (content_TKN, gated_TKN, shifted_TKN, sharpened_TKN)]
