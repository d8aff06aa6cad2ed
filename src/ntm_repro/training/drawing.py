"""A run's batches in order, drawn several at a time: which ones are drawn together changes none of them.

One by one, between updates, drawing and the kernel would each find the other's data in the processor's caches: that
slows down both. So does a row of batches that fills the caches by itself.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from ntm_repro.randomness import Stream
from ntm_repro.tasks import Batch, Task

# At most so many batches at a time, and no further one once there are so many numbers or so much time is gone.
BATCHES, NUMBERS, SECONDS = 64, 1 << 15, 0.05


class Drawn(NamedTuple):
    """A batch, and its optimum in bits (0 where there is none)."""

    batch: Batch
    optimum: float


class Drawer:
    """Draws the batches of one task and stream, changed as `noisy` does; keeps those that were not asked for yet."""

    def __init__(self, task: Task, stream: Stream, noisy: Callable[[Batch], Batch] | None = None) -> None:
        self.task, self.stream, self.noisy = task, stream, noisy
        self._ahead: list[Drawn] = []

    def batches(self, first: int, size: int, end: int) -> list[Drawn]:
        """Batches of `size` sequences from sequence `first` on: one at least, further ones if they begin before `end`.

        Those before `first` are forgotten. As a run goes on, what it did not train on yet is given again.
        """
        while self._ahead and self._ahead[0].batch.first < first:
            self._ahead.pop(0)
        if not (self._ahead and self._ahead[0].batch.first == first):  # none left, or of before a step back
            self._ahead = self._draw(first, size, end)
        return self._ahead

    def _draw(self, first: int, size: int, end: int) -> list[Drawn]:
        ahead: list[Drawn] = []
        numbers, until = 0, time.monotonic() + SECONDS
        while not ahead or (first < end and len(ahead) < BATCHES and numbers < NUMBERS and time.monotonic() < until):
            batch = self.task.draw(self.stream, first, size)
            optimum_B = self.task.optimum_bits(batch)
            if self.noisy is not None:
                batch = self.noisy(batch)
            ahead.append(Drawn(batch, 0.0 if optimum_B is None else float(optimum_B.sum())))
            numbers += batch.input_TBI.size
            first += size
        return ahead
