"""What the config may say of training. Torch-free, so that the command line can check it at once."""

import math
from dataclasses import dataclass
from enum import Enum

from ntm_repro.errors import require

Clip = Enum("Clip", "value norm none")


@dataclass
class TrainSettings:
    """sequences: how many in all. log_every, checkpoint_every: in sequences. clip_at: ± per component, or the norm.

    clip_through_time: whether the gradient of a sequence's state, too, is clipped to ±clip_at, component by component,
    where it passes from a step back to the one before ("all gradient components", paper section 4.6).
    loss_scale: what the loss, a sum over the sequence in nats, is multiplied by for the optimiser; the clip is of the
    sum itself. RMSProp divides it out again but for its damping, so that a smaller scale makes calmer steps where
    gradients are small. The paper leaves it open.
    anneal_from: share of `sequences` after which the learning rate falls, on a straight line to zero at the end; with 1
    it never does. The paper names one rate for each run.
    """

    sequences: int = 1_000_000
    batch_size: int = 1
    learning_rate: float = 1e-4
    log_every: int = 1_000
    checkpoint_every: int = 10_000
    clip: Clip = Clip.value
    clip_at: float = 10.0
    clip_through_time: bool = True
    loss_scale: float = 1.0
    anneal_from: float = 1.0

    @property
    def gradient_bound(self) -> float:
        """How far a component of the state's gradient may go: ±clip_at, or any distance."""
        return self.clip_at if self.clip_through_time else math.inf

    def learning_rate_after(self, sequences: int) -> float:
        """The rate of the update that follows the first `sequences` sequences."""
        done = sequences / self.sequences
        return self.learning_rate * (1.0 if done <= self.anneal_from else (1.0 - done) / (1.0 - self.anneal_from))

    def check(self) -> None:
        """Raise `UsageError` for a value out of range."""
        for key in ("sequences", "batch_size", "log_every", "checkpoint_every"):
            value = getattr(self, key)
            require(value >= 1, f"train.{key}", value, "must be 1 or more")
        for key in ("learning_rate", "clip_at", "loss_scale"):
            value = getattr(self, key)
            require(math.isfinite(value) and value > 0, f"train.{key}", value, "must be a finite number above 0")
        require(0 <= self.anneal_from <= 1, "train.anneal_from", self.anneal_from, "must be a share from 0 to 1")
