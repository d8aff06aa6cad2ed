"""Factors of the starting weights of a task's input channels, from what the channels say; they name no task.

A channel whose values are small moves the controller little, however much they mean: repeat copy's count of 5 or 6 is
±0.17, beside bits of 0 or 1, and learning to hear it takes most of the training. So does a channel that speaks seldom:
the flag that begins a sequence is what the first look-up of the answer has to find again, and beside louder bits a
vector of few ones passes for it. But where the look-up is to be by bits, a loud flag is found in their stead (LOG.md).
"""

import numpy as np

from ntm_repro.tasks.base import Task
from ntm_repro.tasks.input_channels import said

QUANTILE = 0.05  # the faintest twentieth of what a channel says
LARGEST = 10.0  # factor for faintness
LARGEST_IN_ALL = 30.0


def faintest(task: Task) -> list[float]:
    """I factors, 1 to 10: 1 / q, where q is the 5 % quantile of |x| over a channel's non-zero values.

    The faintest thing that a channel says then counts as much as a flag of 1. Taken over 400 sequences as in training,
    the same for every seed; a channel that says nothing has the factor 1.

    >>> from ntm_repro import tasks
    >>> faintest(tasks.find("copy")()) == [1.0] * 10
    True
    """
    return [_faintness(channel) for channel in said(task).T]


def quietest(task: Task) -> list[float]:
    """I factors, 1 to 30: those of `faintest`, times how much more often than a channel the most frequent one speaks.

    A channel speaks at the steps where it is not 0. How much more often is rounded to a whole number, so that channels
    of one kind have one factor. The same sequences as of `faintest`.

    >>> from ntm_repro import tasks
    >>> quietest(tasks.find("copy")())  # eight bits, the start flag, the end flag
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 5.0]
    """
    said_TI = said(task)
    return [min(LARGEST_IN_ALL, _faintness(channel) * rarity) for channel, rarity in _with_rarity(said_TI)]


def frequent(task: Task) -> list[float]:
    """I factors, above 0 to 10: those of `faintest`, divided by how much more often than a channel another one speaks.

    The opposite of `quietest` for channels that speak seldom.

    >>> from ntm_repro import tasks
    >>> frequent(tasks.find("associative_recall")())  # six bits, the delimiters of items and of the query
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25]
    """
    return [_faintness(channel) / rarity for channel, rarity in _with_rarity(said(task))]


def _with_rarity(said_TI: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Each channel, and how much more often the most frequent one speaks, to the nearest whole number."""
    spoken_I = np.maximum((said_TI != 0).sum(0), 1)
    rarity_I = np.where(said_TI.any(0), np.round(spoken_I.max() / spoken_I), 1.0)
    return list(zip(said_TI.T, rarity_I.tolist(), strict=True))


def _faintness(channel_T: np.ndarray) -> float:
    sizes = np.abs(channel_T[channel_T != 0])
    quantile = float(np.quantile(sizes, QUANTILE)) if sizes.size else 1.0
    return min(LARGEST, max(1.0, 1 / quantile))


# By the name that `model.scale_inputs` takes.
RULES = {"faintest": faintest, "quietest": quietest, "frequent": frequent}
