"""A block of updates in one call of compiled code: gradient, check, clip and step, batch after batch.

No Python runs in between. Every part is the machine code that an update by itself calls too, so that the bits are the
same for any number of updates in a block.

Shape suffixes: T time steps, B sequences of a batch, U updates, P numbers of the flat buffer, S sums of squares.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ntm_repro.jit import cache, threads
from ntm_repro.jit.cache import entry_as_written, inner_as_written
from ntm_repro.jit.calls import Compiled, call
from ntm_repro.kernels import Kernel
from ntm_repro.optimisers import Optimiser, norm
from ntm_repro.optimisers import mean as means
from ntm_repro.tasks import Batch
from ntm_repro.training.metrics import Measured
from ntm_repro.training.settings import TrainSettings

total = inner_as_written(norm.total)


class BlockOfUpdates:
    """Makes updates of one kernel's parameters by one optimiser, many in one call."""

    def __init__(self, kernel: Kernel, optimiser: Optimiser, mean_P: Tensor | None = None) -> None:
        """mean_P: the running mean of the parameters' values, where the run keeps one: updated too."""
        self.kernel, self.optimiser, self.mean_P = kernel, optimiser, mean_P
        self._size = kernel.parameters.values.numel()
        self._sums_S = np.empty(norm.num_sums(self._size))
        self._squares: Compiled | None = None
        self._mean_step: Compiled | None = None
        self._updates: Compiled | None = None

    def run(self, batches: Sequence[Batch], rates: Sequence[float], settings: TrainSettings) -> list[Measured]:
        """Train on the first of these batches, each at its learning rate, for as far as compiled code goes.

        It ends before a batch that an update by itself must take: one whose loss or gradient is not finite or has to be
        looked at closer, that does not fit, or that is worth several threads. The parameters are then those before it.
        settings: of which the loss, its clip and its scale count, and what the running mean is over. Where there is
        one, the costs are those of the mean before each update.
        """
        arguments = self._arguments(batches, rates, settings)
        if arguments is None:
            return []
        gradients, (_, _, norms_U), *_ = arguments
        done: int = self._compiled(arguments).run(*arguments)
        self.optimiser.updates += done
        costs = gradients if self.mean_P is None else gradients.costs
        sums = (costs.bits_UB.sum(1), costs.wrong_UB.sum(1), norms_U)
        return [Measured(*numbers) for numbers in zip(*(array[:done].tolist() for array in sums), strict=True)]

    def compile(self, batch: Batch) -> None:
        """Compile what `run` calls, and not what that calls in turn; `batch` is one of those that it would take."""
        arguments = self._arguments([batch], [0.0], TrainSettings())
        assert arguments is not None
        self._compiled(arguments).compile()

    def _compiled(self, arguments: tuple[Any, ...]) -> Compiled:
        if self._updates is None:
            self._updates = Compiled(run_updates, *arguments)
        return self._updates

    def _arguments(
        self, batches: Sequence[Batch], rates: Sequence[float], settings: TrainSettings
    ) -> tuple[Any, ...] | None:
        """What `run_updates` takes; None where not even the first batch is for compiled code."""
        step = self.optimiser.compiled_step
        if step is None or threads.parts_for(self._size) > 1 or len(self._sums_S) > norm.WHOLE:
            return None
        arrays = [(batch.input_TBI, batch.target_TBO, batch.mask_TO) for batch in batches]
        gradients = self.kernel.gradients(arrays, settings.gradient_bound, self.mean_P)
        if gradients is None:
            return None
        if self._squares is None:
            self._squares = Compiled(cache.entry_of(norm.squares), step.buffers[1], self._sums_S, 0, 1)
        values = step.buffers[0]
        if self._mean_step is None:
            self._mean_step = Compiled(cache.entry_of(means.compiled_step), values, values, values.dtype.type(1))
        mean = values if self.mean_P is None else self.mean_P.numpy()
        norms_U = np.empty(len(gradients.bits_UB))
        return (
            gradients,
            (self._squares, self._sums_S, norms_U),
            step,
            self.optimiser.updates,
            (self._mean_step, mean, 0.0 if self.mean_P is None else settings.share_of_the_mean),
            (
                np.array([settings.loss_of_a_bit(batch.mask_TO) for batch in batches[: len(norms_U)]], float),
                np.array([*settings.limits, settings.loss_scale], float),
            ),
            np.array(rates[: len(norms_U)], float),
        )


@entry_as_written
def run_updates(gradients, squares, step, updates, averaging, loss, rates_U):  # type: ignore[no-untyped-def]
    """Run updates until all are done or a number is not finite; returns how many are done.

    gradients: `kernels.base.Gradients`. squares: a `Compiled` of `norm.squares`, its sums_S, and norms_U, set to the
    norms of the gradients of the bits. step: `optimisers.base.CompiledStep`; so many `updates` were made before.
    averaging: a `Compiled` of `mean.compiled_step`, the running mean, and the share of new weights in it, 0 if there is
    none. loss: what a bit counts in it, batch by batch [U]; the limits of the norm and the components of its gradient,
    and its scale [3].
    """
    sum_squares, sums_S, norms_U = squares
    mean_step, mean, share = averaging
    bit_U, clip = loss
    limit, bound, scale = clip
    real = step.buffers[0].dtype.type
    for u in range(rates_U.shape[0]):
        if share > 0:
            call(gradients.costs.function, (*gradients.costs.arguments, u))
        call(gradients.function, (*gradients.arguments, u))
        call(sum_squares, (step.buffers[1], sums_S, 0, 1))
        norms_U[u] = math.sqrt(total(sums_S))
        bits = 0.0
        for b in range(gradients.bits_UB.shape[1]):
            bits += gradients.bits_UB[u, b]
        if not (math.isfinite(bits) and math.isfinite(norms_U[u])):
            return u
        bit = bit_U[u]
        norm = bit * norms_U[u]
        factor = limit / norm if norm > limit else 1.0
        scalars = (real(rates_U[u]), real(factor * bit * scale), real(bound * scale), updates + u + 1)
        call(step.function, (*step.buffers, *scalars, step.numbers))
        if share > 0:
            call(mean_step, (mean, step.buffers[0], real(share)))
    return rates_U.shape[0]
