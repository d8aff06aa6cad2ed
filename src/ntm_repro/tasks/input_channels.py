"""What a task's input channels say, from sequences as in training; nothing here names a task."""

import numpy as np

from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.base import Task

SEQUENCES = 400


def said(task: Task) -> np.ndarray:
    """The inputs of 400 sequences as in training, the same for every seed, one after the other: [T, I]."""
    stream = Stream(0, Purpose.INPUT_SCALE)
    return np.concatenate([task.draw(stream, number, 1).input_TBI[:, 0] for number in range(SEQUENCES)])


def hold_bits(task: Task) -> np.ndarray:
    """Which channels say nothing but 0 and 1: bool [I].

    >>> from ntm_repro import tasks
    >>> hold_bits(tasks.find("repeat_copy")()).tolist()  # six bits, the start flag, the number of repeats
    [True, True, True, True, True, True, True, False]
    """
    said_TI = said(task)
    bits_I: np.ndarray = ((said_TI == 0) | (said_TI == 1)).all(0)
    return bits_I
