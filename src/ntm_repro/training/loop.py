"""The training loop: draw, run the kernel, step, measure.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ntm_repro import optimisers
from ntm_repro.errors import RunError, UsageError
from ntm_repro.kernels import Kernel
from ntm_repro.models import Model
from ntm_repro.optimisers import graves_rmsprop, mean
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Batch, Task
from ntm_repro.training.checkpoint import Checkpoint
from ntm_repro.training.drawing import Drawer, Drawn
from ntm_repro.training.input_noise import InputNoise
from ntm_repro.training.loggers import Logger
from ntm_repro.training.metrics import Measured, Window
from ntm_repro.training.settings import TrainSettings

if TYPE_CHECKING:
    from ntm_repro.training.block import BlockOfUpdates

# About as long as one call of compiled code may take: a signal waits for its end.
BLOCK_SECONDS = 0.05
# In a checkpoint, among what the optimiser remembers: the weights, where the model is their mean.
WEIGHTS = "weights"


class Diverged(RunError):
    """A loss or gradient that is not finite; `batch` is the one that gave it."""

    def __init__(self, message: str, batch: Batch) -> None:
        super().__init__(message)
        self.batch = batch


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """input_TBI, target_TBO and mask_TO of a batch on `device`."""
    tensors = map(torch.from_numpy, (batch.input_TBI, batch.target_TBO, batch.mask_TO))
    return tuple(tensors if device.type == "cpu" else (tensor.to(device) for tensor in tensors))  # type: ignore[return-value]


@dataclass
class Trainer:
    """One run in progress. `sequences` counts those trained on; `wall_seconds` adds up over resumes."""

    task: Task
    kernel: Kernel
    settings: TrainSettings
    seed: int
    device: torch.device
    identity: str
    optimiser_settings: Any = field(default_factory=graves_rmsprop.Settings)

    def __post_init__(self) -> None:
        self.stream = Stream(self.seed, Purpose.TRAIN)
        self.optimiser = optimisers.make(self.optimiser_settings, self.kernel.parameters, self.kernel.compiled)
        self.mean_P = self.kernel.parameters.values.clone() if self.settings.average_over else None
        self.learning_rate = self.settings.learning_rate
        self.sequences = self.settings.first_sequence
        self.window = Window()
        self._drawer = Drawer(self.task, self.stream, self._noisy if self.settings.input_noise else None)
        self._step_seconds = math.inf  # of a step of a batch, when last measured
        self._wall_before = 0.0
        self._started = time.monotonic()

    @property
    def has_optimum(self) -> bool:
        """Whether the task has an optimal estimator to compare with."""
        return self.task.has_optimum

    @property
    def model(self) -> Model:
        """The model in training, with the weights from which steps are taken."""
        return self.kernel.model

    @property
    def weights(self) -> dict[str, Tensor]:
        """What the run has made, by name: the running mean of the model's weights, where it keeps one, or these."""
        own = self.model.state_dict()
        return own if self.mean_P is None else own | self.kernel.parameters.named(self.mean_P)

    @contextmanager
    def evaluating(self) -> Iterator[Kernel]:
        """Inside, the kernel runs with `weights`."""
        with nullcontext() if self.mean_P is None else self.kernel.parameters.holding(self.mean_P):
            yield self.kernel

    @property
    def wall_seconds(self) -> float:
        """Seconds spent on the run so far, over all resumes."""
        return self._wall_before + time.monotonic() - self._started

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run; raises `UsageError`, nothing changed, for one that does not fit."""
        if checkpoint.layout != self.checkpoint().layout:
            raise UsageError("the checkpoint's tensors do not fit the model; train again with another run_dir")
        self.model.load_state_dict(checkpoint.model)
        if self.mean_P is not None:
            self.mean_P.copy_(self.kernel.parameters.values)
            self.model.load_state_dict(checkpoint.optimiser[WEIGHTS])
        self.optimiser.load_state_dict(checkpoint.optimiser)
        self.sequences = checkpoint.sequences
        self.window = checkpoint.window
        self._wall_before = checkpoint.wall_seconds
        self._started = time.monotonic()

    def checkpoint(self) -> Checkpoint:
        """Everything from which `restore` goes on to the same bits. Shares its tensors with the run: save it now."""
        return Checkpoint(
            identity=self.identity,
            sequences=self.sequences,
            wall_seconds=self.wall_seconds,
            window=self.window,
            model=self.weights,
            optimiser=self.optimiser.state_dict() | ({} if self.mean_P is None else {WEIGHTS: self.model.state_dict()}),
        )

    def update(self) -> None:
        """Train on the next batch. Raises `Diverged` before anything not finite reaches a weight."""
        drawn = self._next()[0]
        tensors = to_tensors(drawn.batch, self.device)
        cost = self.kernel.cost_and_gradient(*tensors, self.settings.gradient_bound)
        bits, grad_norm = float(cost.bits_B.sum()), self.optimiser.gradient_norm()
        if not (math.isfinite(bits) and math.isfinite(grad_norm)):
            what = "gradient" if math.isfinite(bits) else "loss"
            raise Diverged(f"the {what} is not finite at sequence {self.sequences}", drawn.batch)
        rate = self.settings.learning_rate_after(self.sequences)
        bit = self.settings.loss_of_a_bit(drawn.batch.mask_TO)
        shown = cost if self.mean_P is None else self.kernel.cost(*tensors, self.mean_P)
        self.optimiser.step(rate, *self.settings.clip_of(grad_norm, bit))
        if self.mean_P is not None:
            share = self.settings.share_of_the_mean
            mean.step(self.mean_P, self.kernel.parameters.values, share, self.kernel.compiled)
        self._count(drawn, rate, Measured(float(shown.bits_B.sum()), float(shown.wrong_B.sum()), grad_norm))

    def advance(self) -> None:
        """Train on the next batches, at least one, and none after the first that reaches a row or a checkpoint.

        As many as one call of compiled code takes; where that takes none, or stops early, `update` is what comes next.
        Raises `Diverged` as `update` does, with all updates before counted.
        """
        block = self.block
        if block is None:
            self.update()
            return
        size = self.settings.batch_size
        ahead = self._within(BLOCK_SECONDS, self._next()[: self._updates_to_boundary()])
        rates = [self.settings.learning_rate_after(self.sequences + size * number) for number in range(len(ahead))]
        begin = time.perf_counter()
        updates = block.run([drawn.batch for drawn in ahead], rates, self.settings)
        if updates:
            steps = sum(drawn.batch.steps for drawn in ahead[: len(updates)])
            self._step_seconds = (time.perf_counter() - begin) / steps
        for drawn, rate, measured in zip(ahead, rates, updates, strict=False):
            self._count(drawn, rate, measured)
        if len(updates) < len(ahead):
            self.update()

    @cached_property
    def block(self) -> "BlockOfUpdates | None":
        """What makes several updates in one call, where the optimiser has a compiled step."""
        if self.optimiser.compiled_step is None:
            return None
        from ntm_repro.training.block import BlockOfUpdates  # here, so that eager runs never import numba

        return BlockOfUpdates(self.kernel, self.optimiser, self.mean_P)

    @cached_property
    def _noise(self) -> InputNoise:
        return InputNoise(self.task, self.seed)

    def _noisy(self, batch: Batch) -> Batch:
        return self._noise.added_to(batch, self.settings.input_noise_after(batch.first))

    def _next(self) -> list[Drawn]:
        """The batches that begin at `sequences`, at least one."""
        return self._drawer.batches(self.sequences, self.settings.batch_size, self.settings.sequences)

    def _updates_to_boundary(self) -> int:
        """How many updates there are to the next row, checkpoint or end, at least one."""
        settings = self.settings
        ends = [(self.sequences // every + 1) * every for every in (settings.log_every, settings.checkpoint_every)]
        return max(1, -(-(min(*ends, settings.sequences) - self.sequences) // settings.batch_size))

    def _within(self, seconds: float, ahead: Sequence[Drawn]) -> Sequence[Drawn]:
        """As many of these batches as take about so long, at least one; by the time that a step took last."""
        ends = accumulate(drawn.batch.steps for drawn in ahead)
        return ahead[: max(1, sum(end * self._step_seconds <= seconds for end in ends))]

    def _count(self, drawn: Drawn, rate: float, measured: Measured) -> None:
        """Note an update: the batch, the learning rate, and what was measured."""
        self.learning_rate = rate
        self.sequences += drawn.batch.size
        self.window.add(drawn.batch.size, measured.bits, measured.wrong, drawn.optimum, measured.grad_norm)

    def run(self, sink: Logger, save: Callable[[], None], stopped: Callable[[], bool]) -> bool:
        """Train until `settings.sequences`; whether it got there, or `stopped()` said to stop.

        A row closes with the first update that reaches a multiple of log_every, and `save` is called likewise.
        """
        settings = self.settings
        while self.sequences < settings.sequences and not stopped():
            before = self.sequences
            self.advance()
            sink.progress(self.sequences - before)
            if self.sequences // settings.log_every > before // settings.log_every:
                now = self.wall_seconds
                sink.row(self.window.row(self.sequences, self.learning_rate, now, self.has_optimum))
                self.window = Window(opened_at=now)
            if self.sequences // settings.checkpoint_every > before // settings.checkpoint_every:
                save()
        return self.sequences >= settings.sequences
