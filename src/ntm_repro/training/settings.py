"""What the config may say of training. Torch-free, so that the command line can check it at once."""

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ntm_repro.errors import check_setting

if TYPE_CHECKING:
    import numpy as np

Loss = Enum("Loss", "bits nats mean")
Clip = Enum("Clip", "value norm none")
Schedule = Enum("Schedule", "linear cosine constant")


class Limits(NamedTuple):
    """Beyond which a gradient's norm and its components are clipped; infinite where they are not."""

    norm: float
    component: float


@dataclass
class TrainSettings:
    """How a model is trained.

    sequences: how many in all, those before train.first_sequence included.
    batch_size: sequences of an update.
    learning_rate: of the optimiser, at the start.
    log_every, checkpoint_every: in sequences.
    loss: what is minimised and clipped. bits, nats: the cost of a sequence, summed over its scored outputs; mean: the
    mean over them in nats, so that a short sequence weighs as much as a long one. Rows hold the bits, and the norm of
    their gradient, whatever it is.
    clip: of the gradient's components by value, of its norm, or none.
    clip_at: the largest absolute value of a component, or the largest norm.
    clip_through_time: whether the gradient of a sequence's state, too, is clipped to ±clip_at, component by component,
    where it passes from a step back to the one before ("all gradient components", paper section 4.6).
    loss_scale: what the loss is multiplied by for the optimiser; the clip is of the loss itself. RMSProp divides it out
    again but for its damping, so that a smaller scale makes calmer steps where gradients are small. The paper leaves it
    open.
    input_noise: half the width of uniform noise that is added, in training alone, to the input channels that hold bits.
    It rises from zero, is full half way between input_noise_from and input_noise_until, and falls to zero again; with
    an anneal_to of 0 it is always full. Rows are costs with it. 0 for none.
    input_noise_from, input_noise_until: where that noise begins and ends, as shares of the way to anneal_to. From the
    first sequence on it can hold learning up.
    average_over: over how many sequences, as an exponential mean, the weights are averaged. The mean is what the run
    makes: what is evaluated, shown and kept; rows are its costs, each of a sequence before it is trained on. Steps are
    taken from the weights themselves. 0 for none: the weights are the model (the paper).
    warm_up: over how many sequences the learning rate rises at the start, on a straight line from zero.
    schedule: how it falls to zero between anneal_from and anneal_to, on a straight line or half a cosine; with constant
    it does not. The paper names one rate for each run.
    anneal_from, anneal_to: numbers of sequences between which the learning rate falls to zero; with `anneal_to` 0 it
    never does. A run whose anneal_to is its length (recipe=stable) is another run if that length is changed.
    initial_weights: a run's folder or a weights.safetensors to begin with, of the same sizes, in place of random ones;
    the optimiser begins anew. Empty for none.
    initial_weights_sha256: the digest of those weights, by which the run is known wherever they lie; found by itself.
    first_sequence: how many sequences count as seen before the run begins; the training data, the learning rate's
    course and all records go on from there. Only with initial_weights.
    """

    sequences: int = 1_000_000
    batch_size: int = 1
    learning_rate: float = 1e-4
    log_every: int = 1_000
    checkpoint_every: int = 10_000
    loss: Loss = Loss.bits
    clip: Clip = Clip.value
    clip_at: float = 10.0
    clip_through_time: bool = True
    loss_scale: float = 1.0
    input_noise: float = 0.0
    input_noise_from: float = 0.0
    input_noise_until: float = 1.0
    average_over: int = 0
    warm_up: int = 0
    schedule: Schedule = Schedule.linear
    anneal_from: int = 0
    anneal_to: int = 0
    initial_weights: str = ""
    initial_weights_sha256: str = ""
    first_sequence: int = 0

    @property
    def gradient_bound(self) -> float:
        """How far a component of the state's gradient may go, of the cost in bits: ±clip_at of the loss, or any way."""
        return self.clip_at / self._unit if self.clip_through_time else math.inf

    @property
    def _unit(self) -> float:
        return 1.0 if self.loss is Loss.bits else math.log(2)

    def loss_of_a_bit(self, mask_TO: "np.ndarray") -> float:
        """What a bit of a sequence's cost counts in the loss. mask_TO: 1 where an output is scored, else 0."""
        return self._unit / max(1.0, float(mask_TO.sum())) if self.loss is Loss.mean else self._unit

    @property
    def limits(self) -> Limits:
        """What is clipped: each component (the paper), or the gradient's norm, or nothing."""
        return Limits(
            norm=self.clip_at if self.clip is Clip.norm else math.inf,
            component=self.clip_at if self.clip is Clip.value else math.inf,
        )

    def clip_of(self, gradient_norm: float, bit: float = 1.0) -> tuple[float, float]:
        """(factor, bound): the optimiser steps on factor · gradient of the bits, each component clipped to ±bound.

        bit: `loss_of_a_bit` of the batch. Keeps the loss's gradient within `limits`, and scales it by `loss_scale`.
        """
        limit, bound = self.limits
        norm = bit * gradient_norm
        factor = limit / norm if norm > limit else 1.0
        return factor * bit * self.loss_scale, bound * self.loss_scale

    @property
    def share_of_the_mean(self) -> float:
        """What an update's weights count in the running mean: 1 where that is over no more than a batch."""
        return min(1.0, self.batch_size / self.average_over)

    def learning_rate_after(self, sequences: int) -> float:
        """The rate of the update that follows the first `sequences` sequences."""
        rate = self.learning_rate * self._share_left(sequences)
        begun = sequences - self.first_sequence + self.batch_size
        return rate * (begun / self.warm_up) if begun < self.warm_up else rate

    def input_noise_after(self, sequences: int) -> float:
        """Half the width of the noise on the inputs of the batch that follows the first `sequences` sequences."""
        # Not by the number of sequences in all, which a run that goes on may have raised since.
        if not self.anneal_to:
            return self.input_noise
        begin, end = self.input_noise_from, self.input_noise_until
        done = min(1.0, max(0.0, (sequences / self.anneal_to - begin) / (end - begin)))
        return self.input_noise * 4 * done * (1 - done)

    def _share_left(self, sequences: int) -> float:
        """What annealing leaves of the rate: 1 at anneal_from, 0 at anneal_to."""
        if self.schedule is Schedule.constant or not self.anneal_to or sequences <= self.anneal_from:
            return 1.0
        share = (1 - sequences / self.anneal_to) / (1 - self.anneal_from / self.anneal_to)
        return share if self.schedule is Schedule.linear else (1 - math.cos(math.pi * share)) / 2

    def __post_init__(self) -> None:
        for key in ("sequences", "batch_size", "log_every", "checkpoint_every"):
            value = getattr(self, key)
            check_setting(value >= 1, key, value, "must be 1 or more")
        for key in ("learning_rate", "clip_at", "loss_scale"):
            value = getattr(self, key)
            check_setting(math.isfinite(value) and value > 0, key, value, "must be a finite number above 0")
        usable = math.isfinite(self.input_noise) and self.input_noise >= 0
        check_setting(usable, "input_noise", self.input_noise, "must be 0 (none) or a finite number above 0")
        begin, until = self.input_noise_from, self.input_noise_until
        check_setting(0 < until <= 1, "input_noise_until", until, "must be a share, above 0 and not above 1")
        why = f"must be a share, from 0 to below {{section}}input_noise_until={until:g}"
        check_setting(0 <= begin < until, "input_noise_from", begin, why)
        why = "must be false with {section}loss=mean, whose gradient has another scale in every sequence"
        uneven = self.loss is Loss.mean and self.clip_through_time
        check_setting(not uneven, "clip_through_time", self.clip_through_time, why)
        for key in ("average_over", "warm_up", "anneal_from", "first_sequence"):
            check_setting(getattr(self, key) >= 0, key, getattr(self, key), "must be 0 or more")
        if self.anneal_to:
            least = max(self.anneal_from + 1, self.sequences)
            why = f"must be 0, or above {{section}}anneal_from and not below {{section}}sequences: {least} or more"
            check_setting(self.anneal_to >= least, "anneal_to", self.anneal_to, why)
        check_setting("\0" not in self.initial_weights, "initial_weights", self.initial_weights, "names no file")
        if not self.initial_weights:
            for key in ("first_sequence", "initial_weights_sha256"):
                why = "goes with {section}initial_weights, which says from what the run begins"
                check_setting(not getattr(self, key), key, getattr(self, key), why)
        why = f"must be below {{section}}sequences, {self.sequences}, at which the run ends"
        check_setting(self.first_sequence < self.sequences, "first_sequence", self.first_sequence, why)
        digest = self.initial_weights_sha256
        known = not digest or re.fullmatch("[0-9a-f]{64}", digest)
        check_setting(bool(known), "initial_weights_sha256", digest, "must be 64 hexadecimal digits, or empty")
