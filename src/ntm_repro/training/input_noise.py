"""Noise on the bits of a run's inputs.

A solved task is left with errors in sequences of which two parts are almost the same: two items that differ in one bit,
a vector of zeros beside a flag that comes with zeros. They are too rare to be learned one by one. With noise on its
inputs a model has to keep all of them apart by more than the noise, so that these are kept apart too (LOG.md). An old
means: C. M. Bishop, "Training with Noise is Equivalent to Tikhonov Regularization", Neural Computation 7 (1995).

Shape suffixes: T time steps, B sequences of the batch, I input channels.
"""

import numpy as np

from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Batch, Task
from ntm_repro.tasks.input_channels import hold_bits

# Of one random word.
NUMBERS = 4


class InputNoise:
    """Adds noise to the channels of a task that hold bits; others, such as a count, mean something by every value."""

    def __init__(self, task: Task, seed: int) -> None:
        self._stream = Stream(seed, Purpose.INPUT_NOISE)
        self._bits_I = hold_bits(task)

    def added_to(self, batch: Batch, width: float) -> Batch:
        """The same batch with noise on its inputs: that of its sequences' numbers, however they are batched.

        width: the noise is uniform in ±width, and independent from step to step and channel to channel.
        """
        width_I = np.where(self._bits_I, width, 0.0).astype(np.float32)
        steps, count, channels = batch.input_TBI.shape
        words_BW = self._stream.rows(batch.first, count, -(-steps * channels // NUMBERS))
        noise_BTI = uniform(words_BW)[:, : steps * channels].reshape(count, steps, channels)
        return batch._replace(input_TBI=batch.input_TBI + width_I * noise_BTI.swapaxes(0, 1))


def uniform(words_BW: np.ndarray) -> np.ndarray:
    """Four numbers of each word, float32 [B, 4 W]: uniform in ±1, odd multiples of 2⁻¹⁶."""
    sixteen_bits = np.ascontiguousarray(words_BW.astype("<u8", copy=False)).view("<u2").astype(np.float32)
    numbers: np.ndarray = (2 * sixteen_bits + 1) * np.float32(2.0**-16) - 1
    return numbers
