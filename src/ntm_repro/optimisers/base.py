"""What all optimisers share: the buffer they update, what they remember, and the clip before every step.

Shape suffixes: P numbers of the flat buffer.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntm_repro.kernels.flat_parameters import ALIGNMENT, FlatParameters
from ntm_repro.optimisers import norm

UPDATES = "updates"  # what the number of steps is called in a state_dict


class CompiledStep(NamedTuple):
    """One step as compiled code takes it.

    function: a `jit.calls.Compiled`, called with (*buffers, rate, factor, bound, updates, numbers), where the three in
    the middle are of the buffers' type. buffers: values, gradients and the slots, each [P]. numbers: the settings.
    """

    function: Any
    buffers: tuple[np.ndarray, ...]
    numbers: np.ndarray


class Optimiser:
    """Updates all numbers of `parameters.values` at once from `parameters.gradients`, by the rule of one module."""

    def __init__(self, rule: ModuleType, settings: Any, parameters: FlatParameters, compiled: bool) -> None:
        """compiled: whether to call what the rule has for compiled code, if it has that; else its step in torch."""
        self.rule, self.settings, self.parameters, self.compiled = rule, settings, parameters, compiled
        self.slots = {name: torch.zeros_like(parameters.values) for name in rule.SLOTS}
        self.updates = 0
        self.compiled_step = self._compile() if compiled and hasattr(rule, "compiled_step") else None

    def _compile(self) -> CompiledStep:
        from ntm_repro.jit import cache, threads  # here, so that eager runs never import numba
        from ntm_repro.jit.calls import Compiled

        self._threads = threads
        tensors = [self.parameters.values, self.parameters.gradients, *self.slots.values()]
        buffers, numbers = tuple(tensor.numpy() for tensor in tensors), self.settings.numbers()
        self._real = buffers[0].dtype.type
        scalars = (self._real(0), self._real(1), self._real(1), 1)
        return CompiledStep(
            Compiled(cache.entry_of(self.rule.compiled_step), *buffers, *scalars, numbers), buffers, numbers
        )

    def gradient_norm(self) -> float:
        """The Euclidean norm of the gradient; not finite only if one of its numbers is not."""
        return (norm.compiled_norm if self.compiled else norm.norm)(self.parameters.gradients)

    def step(self, learning_rate: float, factor: float, bound: float) -> None:
        """One step on factor · gradient, each component of it clipped to ±bound; the gradient itself may be lost."""
        self.updates += 1
        if self.compiled_step is None:
            self._step(learning_rate, factor, bound)
        else:
            self._run(self.compiled_step, learning_rate, factor, bound)

    @torch.no_grad()
    def _step(self, learning_rate: float, factor: float, bound: float) -> None:
        gradient_P = (self.parameters.gradients * factor).clamp_(-bound, bound)
        self.rule.step(self.parameters.values, gradient_P, self.slots, learning_rate, self.updates, self.settings)

    def _run(self, compiled: CompiledStep, learning_rate: float, factor: float, bound: float) -> None:
        function, arrays, real = compiled.function.run, compiled.buffers, self._real
        scalars = (real(learning_rate), real(factor), real(bound), self.updates, compiled.numbers)
        parts = self._threads.parts_for(arrays[0].size)
        if parts == 1:
            function(*arrays, *scalars)
            return
        lines = arrays[0].size // ALIGNMENT

        def stretch(part: int, parts: int) -> None:
            low, high = lines * part // parts * ALIGNMENT, lines * (part + 1) // parts * ALIGNMENT
            function(*(array[low:high] for array in arrays), *scalars)

        self._threads.share(stretch, parts)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Each slot of each parameter by name, and the number of steps. Shares its tensors with the optimiser."""
        state = {name: self.parameters.named(slot) for name, slot in self.slots.items()}
        if self.rule.COUNTS_UPDATES:
            state[UPDATES] = {UPDATES: torch.tensor(self.updates)}
        return state

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Continue from a `state_dict` of the same model and rule; raises `KeyError` for another's."""
        for name, slot in self.slots.items():
            for parameter, view in self.parameters.named(slot).items():
                view.copy_(state[name][parameter])
        if self.rule.COUNTS_UPDATES:
            self.updates = int(state[UPDATES][UPDATES])
