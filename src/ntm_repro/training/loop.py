"""The training loop: draw, unroll, cost, clip, step, measure.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ntm_repro.errors import RunError
from ntm_repro.kernels import Unroll
from ntm_repro.models import Model
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Batch, Task
from ntm_repro.training import loss
from ntm_repro.training.checkpoint import Checkpoint
from ntm_repro.training.metrics import Window
from ntm_repro.training.optimiser import GravesRMSProp
from ntm_repro.training.settings import Clip, TrainSettings
from ntm_repro.training.sinks import Sink


class Diverged(RunError):
    """A loss or gradient that is not finite; `batch` is the one that gave it."""

    def __init__(self, message: str, batch: Batch) -> None:
        super().__init__(message)
        self.batch = batch


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """input_TBI, target_TBO and mask_TO of a batch on `device`."""
    return tuple(torch.from_numpy(array).to(device) for array in (batch.input_TBI, batch.target_TBO, batch.mask_TO))  # type: ignore[return-value]


def clip_gradients(model: Model, clip: Clip, clip_at: float) -> None:
    """Bound each gradient component (the paper), or the global norm, or nothing."""
    if clip is Clip.value:
        torch.nn.utils.clip_grad_value_(model.parameters(), clip_at)
    elif clip is Clip.norm:
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip_at)


def norm_of(gradients: list[Tensor]) -> float:
    """The Euclidean norm of all gradients together; not finite only if one of their components is not."""
    norm = torch.nn.utils.get_total_norm(gradients).item()
    if not math.isfinite(norm):  # the squares of large float32 components overflow
        norm = torch.nn.utils.get_total_norm([gradient.double() for gradient in gradients]).item()
    return norm


@dataclass
class Trainer:
    """One run in progress. `sequences` counts those trained on; `wall_seconds` adds up over resumes."""

    task: Task
    model: Model
    unroll: Unroll
    settings: TrainSettings
    seed: int
    device: torch.device
    identity: str

    def __post_init__(self) -> None:
        self.stream = Stream(self.seed, Purpose.TRAIN)
        self.optimiser = GravesRMSProp(self.model.parameters(), self.settings.learning_rate)
        self.has_optimum = self.task.optimum_bits(self.task.draw(self.stream, 0, 1)) is not None
        self.sequences = 0
        self.window = Window()
        self._wall_before = 0.0
        self._started = time.monotonic()

    @property
    def wall_seconds(self) -> float:
        return self._wall_before + time.monotonic() - self._started

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run."""
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
        batch = self.task.draw(self.stream, self.sequences, self.settings.batch_size)
        x_TBI, target_TBO, mask_TO = to_tensors(batch, self.device)
        y_TBO = self.unroll(self.model, x_TBI).y_TBO
        bits_B = loss.bits(y_TBO, target_TBO, mask_TO)
        self.optimiser.zero_grad()
        bits_B.mean().backward()
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        grad_norm = norm_of(gradients)
        bits = bits_B.detach().sum().item()
        if not (math.isfinite(bits) and math.isfinite(grad_norm)):
            what = "gradient" if math.isfinite(bits) else "loss"
            raise Diverged(f"the {what} is not finite at sequence {self.sequences}", batch)
        clip_gradients(self.model, self.settings.clip, self.settings.clip_at)
        self.optimiser.step()

        wrong = loss.wrong_bits(y_TBO.detach(), target_TBO, mask_TO).sum().item()
        optimum_B = self.task.optimum_bits(batch)
        optimum = 0.0 if optimum_B is None else float(optimum_B.sum())
        self.sequences += batch.size
        self.window.add(batch.size, bits, wrong, optimum, grad_norm)

    def run(self, sink: Sink, save: Callable[[], None], stopped: Callable[[], bool]) -> bool:
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
                sink.row(self.window.row(self.sequences, settings.learning_rate, now, self.has_optimum))
                self.window = Window(opened_at=now)
            if self.sequences // settings.checkpoint_every > before // settings.checkpoint_every:
                save()
        return self.sequences >= settings.sequences
