"""The training loop: draw, run the kernel, step, measure.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ntm_repro import optimisers
from ntm_repro.errors import RunError, UsageError
from ntm_repro.kernels import Kernel
from ntm_repro.models import Model
from ntm_repro.optimisers import graves_rmsprop
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Batch, Task
from ntm_repro.training.checkpoint import Checkpoint
from ntm_repro.training.loggers import Logger
from ntm_repro.training.metrics import Window
from ntm_repro.training.settings import TrainSettings

# Batches drawn at a time. One by one, between updates, drawing and the kernel would each find the other's data in the
# processor's caches: that slows down both.
AHEAD = 16


class Diverged(RunError):
    """A loss or gradient that is not finite; `batch` is the one that gave it."""

    def __init__(self, message: str, batch: Batch) -> None:
        super().__init__(message)
        self.batch = batch


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """input_TBI, target_TBO and mask_TO of a batch on `device`."""
    tensors = map(torch.from_numpy, (batch.input_TBI, batch.target_TBO, batch.mask_TO))
    return tuple(tensors if device.type == "cpu" else (tensor.to(device) for tensor in tensors))  # type: ignore[return-value]


class Drawn(NamedTuple):
    """A batch, its input_TBI, target_TBO and mask_TO on the device, and its optimum in bits (0 where there is none)."""

    batch: Batch
    tensors: tuple[Tensor, Tensor, Tensor]
    optimum: float


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
        self.learning_rate = self.settings.learning_rate
        self.sequences = 0
        self.window = Window()
        self._ahead: list[Drawn] = []  # the next one last
        self._wall_before = 0.0
        self._started = time.monotonic()

    @property
    def has_optimum(self) -> bool:
        """Whether the task has an optimal estimator to compare with."""
        return self.task.has_optimum

    @property
    def model(self) -> Model:
        """The model in training."""
        return self.kernel.model

    @property
    def wall_seconds(self) -> float:
        """Seconds spent on the run so far, over all resumes."""
        return self._wall_before + time.monotonic() - self._started

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run; raises `UsageError`, nothing changed, for one that does not fit."""
        if checkpoint.layout != self.checkpoint().layout:
            raise UsageError("the checkpoint's tensors do not fit the model; train again with another run_dir")
        self.model.load_state_dict(checkpoint.model)
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
            model=self.model.state_dict(),
            optimiser=self.optimiser.state_dict(),
        )

    def update(self) -> None:
        """Train on the next batch. Raises `Diverged` before anything not finite reaches a weight."""
        batch, tensors, optimum = self._next()
        cost = self.kernel.cost_and_gradient(*tensors, self.settings.gradient_bound)
        bits, grad_norm = float(cost.bits_B.sum()), self.optimiser.gradient_norm()
        if not (math.isfinite(bits) and math.isfinite(grad_norm)):
            what = "gradient" if math.isfinite(bits) else "loss"
            raise Diverged(f"the {what} is not finite at sequence {self.sequences}", batch)
        self.learning_rate = self.settings.learning_rate_after(self.sequences)
        self.optimiser.step(self.learning_rate, *self.settings.clip_of(grad_norm))

        wrong = float(cost.wrong_B.sum())
        self.sequences += batch.size
        self.window.add(batch.size, bits, wrong, optimum, grad_norm)

    def _next(self) -> Drawn:
        """The batch that begins at `sequences`."""
        if not (self._ahead and self._ahead[-1].batch.first == self.sequences):  # none left, or of before a `restore`
            size = self.settings.batch_size
            batches_left = -(-(self.settings.sequences - self.sequences) // size)
            batches = max(1, min(AHEAD, batches_left))
            self._ahead = [self._draw(self.sequences + size * number) for number in range(batches)][::-1]
        return self._ahead.pop()

    def _draw(self, first: int) -> Drawn:
        batch = self.task.draw(self.stream, first, self.settings.batch_size)
        optimum_B = self.task.optimum_bits(batch)
        optimum = 0.0 if optimum_B is None else float(optimum_B.sum())
        return Drawn(batch, to_tensors(batch, self.device), optimum)

    def run(self, sink: Logger, save: Callable[[], None], stopped: Callable[[], bool]) -> bool:
        """Train until `settings.sequences`; whether it got there, or `stopped()` said to stop.

        A row closes with the first update that reaches a multiple of log_every, and `save` is called likewise.
        """
        settings = self.settings
        while self.sequences < settings.sequences and not stopped():
            before = self.sequences
            self.update()
            sink.progress(self.sequences - before)
            if self.sequences // settings.log_every > before // settings.log_every:
                now = self.wall_seconds
                sink.row(self.window.row(self.sequences, self.learning_rate, now, self.has_optimum))
                self.window = Window(opened_at=now)
            if self.sequences // settings.checkpoint_every > before // settings.checkpoint_every:
                save()
        return self.sequences >= settings.sequences
