"""The entry points for one model: of the types that its layout and its numbers have, each made when first needed."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from ntm_repro.jit import barrier
from ntm_repro.jit.calls import Compiled
from ntm_repro.kernels.fused import entry_points, lstm_sequence, ntm_sequence
from ntm_repro.kernels.fused.layout import Layout


class Entries:
    """Each is a `Compiled`, whose `run` takes what the function of its name in `entry_points` takes.

    sequence: the module of the model's kind, whose `forward` and `backward` those of a group are.
    Arrays must be unbroken and of the model's type of number, but for costs, which are float64: nobody looks again.
    """

    def __init__(self, layout: Layout, dtype: np.dtype) -> None:
        self.layout = layout
        self.sequence: Any = ntm_sequence if layout.num_heads else lstm_sequence
        # Arrays as they are given: buffers and fields of one axis, tapes and the like, and what has steps.
        self._buffer, self._rows, self._steps = (np.empty((1,) * axes, dtype) for axes in (1, 2, 3))
        self._cost_B, self._cost_UB = np.empty(1), np.empty((1, 1))
        self._barrier = barrier.none()

    @cached_property
    def group_forward(self) -> Compiled:
        arrays = (self._buffer, self._buffer, self._rows, self._steps)
        return Compiled(self.sequence.forward, self.layout, *arrays, 0, 1, 0, 1, self._barrier)

    @cached_property
    def group_backward(self) -> Compiled:
        arrays = (self._buffer, self._buffer, self._rows, self._rows, self._steps)
        return Compiled(self.sequence.backward, self.layout, *arrays, 0, 1, True, math.inf, 0, 1, self._barrier)

    @cached_property
    def packed_weights(self) -> Compiled:
        return Compiled(entry_points.packed_weights, self.layout, self._buffer, self._buffer)

    @cached_property
    def forward(self) -> Compiled:
        arrays = (self._buffer, self._buffer, self._rows, self._steps, self._steps)
        return Compiled(entry_points.forward, self.group_forward, self.layout, *arrays, self._barrier, 0, 1)

    @cached_property
    def backward(self) -> Compiled:
        arrays = (self._buffer, self._buffer, self._rows, self._rows, self._steps, self._steps)
        settings = (True, math.inf, self._barrier, 0, 1)
        return Compiled(entry_points.backward, self.group_backward, self.layout, *arrays, *settings)

    @cached_property
    def cost_and_gradient(self) -> Compiled:
        arrays = (
            self._buffer,
            self._buffer,
            self._rows,
            self._rows,
            self._steps,
            self._steps,
            self._rows,
            self._cost_B,
            self._cost_B,
        )
        groups = (self.group_forward, self.group_backward)
        settings = (1.0, math.inf, self._barrier, 0, 1)
        return Compiled(entry_points.cost_and_gradient, *groups, self.layout, *arrays, *settings)

    @cached_property
    def weight_gradients(self) -> Compiled:
        arrays = (self._buffer, self._buffer, self._rows, self._rows)
        return Compiled(entry_points.weight_gradients, self.layout, *arrays, 1, True, self._buffer, 0, 1)

    @cached_property
    def gradient(self) -> Compiled:
        parts = (self.group_forward, self.group_backward, self.cost_and_gradient, self.weight_gradients)
        buffers = (*(self._buffer,) * 4, self._rows, self._rows)
        data = (self._steps, self._steps, self._rows, np.ones(1, np.int64), self._cost_UB, self._cost_UB)
        settings = (1.0, math.inf, self._barrier, 0)
        return Compiled(entry_points.gradient, *parts, self.layout, *buffers, *data, *settings)

    @cached_property
    def costs(self) -> Compiled:
        buffers = (self._buffer, self._buffer, self._rows)
        data = (self._steps, self._steps, self._rows, np.ones(1, np.int64), self._cost_UB, self._cost_UB)
        return Compiled(entry_points.costs, self.group_forward, self.layout, *buffers, *data, self._barrier, 0)
