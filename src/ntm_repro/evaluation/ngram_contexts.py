"""Does a head's place in memory follow the context, the last bits of an N-gram sequence? (Figure 15)

Shape suffixes: T time steps, N memory locations.
"""

from typing import NamedTuple

import numpy as np

from ntm_repro.tasks.dynamic_ngrams import codes


class Overlap(NamedTuple):
    """Mean share of weight in common, over pairs of steps of the same context and of different ones (nan: no pair)."""

    same: float
    different: float


def contexts(bit_T: np.ndarray, context: int) -> np.ndarray:
    """The context in which each bit is predicted: the `context` bits before it as a number, or −1 where fewer precede.

    bit_T: the bits to be predicted. int64 [T].
    """
    code_T = codes(bit_T[None], context)[0]
    return np.concatenate([np.full(context, -1), code_T[:-1]])


def most_visited(context_T: np.ndarray, count: int, apart: int) -> list[int]:
    """The contexts met most often, those first whose visits lie `apart` steps or more apart (their median).

    That sets back the contexts of a periodic stretch, such as 01010 and 10101 where the bits alternate: often met, but
    in one place. Of those met equally often the one met over the longest time comes first, then the smaller number.
    """
    ranked = []
    for code in np.unique(context_T[context_T >= 0]).tolist():
        steps = np.flatnonzero(context_T == code)
        scattered = len(steps) > 1 and np.median(np.diff(steps)) >= apart
        ranked.append((not scattered, -len(steps), int(steps[0] - steps[-1]), code))
    return [code for *_, code in sorted(ranked)[:count]]


def overlap(weighting_TN: np.ndarray, context_T: np.ndarray) -> Overlap:
    """How much weight the weightings of two steps have in common, Σ_n min(w_t(n), w_s(n)): 1 if equal, 0 if apart.

    Steps without a context (−1) do not count. A head whose place follows the context has much in common between visits
    to the same context, and little between visits to different ones.
    """
    known_T = context_T >= 0
    weighting_TN, context_T = weighting_TN[known_T], context_T[known_T]
    earlier, later = np.triu_indices(len(context_T), k=1)
    common = np.minimum(weighting_TN[earlier], weighting_TN[later]).sum(1)
    same = context_T[earlier] == context_T[later]
    return Overlap(*(float(common[pairs].mean()) if pairs.any() else float("nan") for pairs in (same, ~same)))
