"""What the fused kernels share: buffers that are reused, the optimiser's pass, and the threads they may use."""

import math

import numpy as np
import torch

from ntm_repro.kernels.base import Kernel, Moments
from ntm_repro.kernels.fused import descent, jit_cache, threads
from ntm_repro.models import Model

# A buffer shorter than this is not worth a second thread.
WORTH_SHARING = 1 << 18


class Buffer:
    """Room for numbers, reused from call to call; grows when asked for more. What it holds is whatever was there."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._room = np.empty(0)

    def __call__(self, *shape: int) -> np.ndarray:
        count = math.prod(shape)
        if self._room.size < count:
            # Torch's memory begins on a cache line, numpy's need not.
            self._room = torch.empty(count, dtype=self._dtype).numpy()
        return self._room[:count].reshape(shape)


class Fused(Kernel):
    """A kernel compiled by numba, on the CPU, in float32 or (for tests) float64."""

    name = "numba"

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        jit_cache.prepare(str(self.parameters.values.dtype).removeprefix("torch."))
        self.values = self.parameters.values.numpy()
        self.gradients = self.parameters.gradients.numpy()
        self._sums = np.empty(-(-self.values.size // descent.BLOCK))

    def _parts(self, count: int) -> int:
        """How many threads `count` numbers are worth."""
        return torch.get_num_threads() if count >= WORTH_SHARING else 1

    def gradient_norm(self) -> float:
        threads.share(descent.squares, self._parts(self.values.size), self.gradients, self._sums)
        total = float(self._sums.sum())
        if not np.isfinite(total):  # squares of large float32 numbers overflow
            total = float(np.square(self.gradients, dtype=np.float64).sum())
        return float(np.sqrt(total))

    def descend(self, moments: Moments, learning_rate: float, factor: float, bound: float) -> None:
        threads.share(
            descent.descend,
            self._parts(self.values.size),
            self.values,
            self.gradients,
            *(moment.numpy() for moment in moments),
            learning_rate,
            factor,
            bound,
        )
