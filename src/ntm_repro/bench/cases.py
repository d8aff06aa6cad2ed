"""What is measured: a task and a model at the paper's sizes, on sequences of one length that stands for training's."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ntm_repro import models, optimisers
from ntm_repro.kernels import Kernel
from ntm_repro.models import Model
from ntm_repro.optimisers import graves_rmsprop
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Task
from ntm_repro.training.loop import to_tensors
from ntm_repro.training.settings import TrainSettings

Tensors = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Case:
    """A pair as ntm-train composes it. model: the settings that `models.build` takes."""

    name: str
    task: Task
    model: Any
    train: TrainSettings
    seed: int

    def build(self) -> Model:
        """The model as a run begins with it; each call makes another."""
        return models.build(self.model, self.task.inputs, self.task.outputs, self.seed)

    def training(self, batch: int) -> TrainSettings:
        """The pair's train settings for batches of this size."""
        return replace(self.train, batch_size=batch)

    def batch(self, size: int) -> Tensors:
        """input_TBI, target_TBO and mask_TO of `size` sequences of the length that stands for the task."""
        drawn = self.task.draw(Stream(self.seed, Purpose.TRAIN), 0, size, self.task.bench_condition)
        return to_tensors(drawn, torch.device("cpu"))


class TrainingStep:
    """What ntm-train does for a batch once it is drawn: cost and gradient, the gradient's norm, clip, optimiser."""

    def __init__(self, kernel: Kernel, settings: TrainSettings, batch: Tensors) -> None:
        self.kernel, self.batch = kernel, batch
        self.gradient_bound = settings.gradient_bound
        self.settings = settings
        self.optimiser = optimisers.make(graves_rmsprop.Settings(), kernel.parameters, kernel.compiled)
        self._first_values = kernel.parameters.values.clone()

    def __call__(self) -> None:
        self.kernel.cost_and_gradient(*self.batch, self.gradient_bound)
        self.optimiser.step(self.settings.learning_rate, *self.settings.clip_of(self.optimiser.gradient_norm()))

    def reset(self) -> None:
        """Restore the initial weights: an overfitted batch has denormal gradients, which distort times."""
        self.kernel.parameters.values.copy_(self._first_values)
        for slot in self.optimiser.slots.values():
            slot.zero_()
