"""Some numbers that learn, without a model around them."""

import math

import torch

from ntm_repro import optimisers
from ntm_repro.kernels.flat_parameters import ALIGNMENT


class Buffers:
    """What an optimiser sees of a model's parameters: whole cache lines of values and gradients."""

    def __init__(self, values, dtype):
        lines = -(-len(values) // ALIGNMENT)
        self.values = torch.zeros(lines * ALIGNMENT, dtype=dtype)
        self.values[: len(values)] = torch.tensor(values, dtype=dtype)
        self.gradients = torch.zeros_like(self.values)


class Numbers:
    """Numbers, and an optimiser of them."""

    def __init__(self, settings, values, compiled=False, dtype=torch.float64):
        self.count = len(values)
        self.buffers = Buffers(list(values), dtype)
        self.optimiser = optimisers.make(settings, self.buffers, compiled)

    @property
    def values(self):
        return self.buffers.values

    @property
    def gradient(self):
        return self.buffers.gradients[: self.count].tolist()

    def step(self, gradient, rate=0.01, factor=1.0, bound=math.inf):
        """One step on a list of numbers; the values after it."""
        return self.step_on(torch.tensor(gradient, dtype=self.values.dtype), rate, factor, bound)[: self.count].tolist()

    def step_on(self, gradient, rate=0.01, factor=1.0, bound=math.inf):
        self.buffers.gradients[: self.count] = gradient
        self.optimiser.step(rate, factor, bound)
        return self.values
