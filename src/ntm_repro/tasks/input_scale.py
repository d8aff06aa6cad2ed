"""Factors of the starting weights of a task's input channels, from what the channels say; they name no task.

A channel whose values are small moves the controller little, however much they mean: repeat copy's count of 5 or 6 is
±0.17, beside bits of 0 or 1, and learning to hear it takes most of the training (LOG.md).
"""

import numpy as np

from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.base import Task

SEQUENCES = 400
QUANTILE = 0.05  # the faintest twentieth of what a channel says
LARGEST = 10.0


def faintest(task: Task) -> list[float]:
    """I factors, 1 to 10: 1 / q, where q is the 5 % quantile of |x| over a channel's non-zero values.

    The faintest thing that a channel says then counts as much as a flag of 1. Taken over 400 sequences as in training,
    the same for every seed; a channel that says nothing has the factor 1.

    >>> from ntm_repro import tasks
    >>> faintest(tasks.find("copy")()) == [1.0] * 10
    True
    """
    stream = Stream(0, Purpose.INPUT_SCALE)
    said = np.concatenate([task.draw(stream, number, 1).input_TBI[:, 0] for number in range(SEQUENCES)])
    return [_factor(np.abs(channel[channel != 0])) for channel in said.T]


def _factor(sizes: np.ndarray) -> float:
    quantile = float(np.quantile(sizes, QUANTILE)) if sizes.size else 1.0
    return min(LARGEST, max(1.0, 1 / quantile))


# By the name that `model.scale_inputs` takes.
RULES = {"faintest": faintest}
