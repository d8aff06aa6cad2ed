"""Batches are drawn several at a time, and no result can tell."""

import numpy as np
import pytest
import torch

from ntm_repro import kernels, models
from ntm_repro.models import ntm
from ntm_repro.models.ntm import ControllerSettings, MemorySettings
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams
from ntm_repro.training import drawing
from ntm_repro.training.loop import Trainer
from ntm_repro.training.settings import TrainSettings

TASK = DynamicNGrams(length=9, context=3)
NTM = ntm.Settings("ntm", ControllerSettings(size=6), memory=MemorySettings(locations=8, width=4))


class Watched:
    """A trainer that notes which sequences were drawn, and which the kernel was given."""

    def __init__(self, monkeypatch, batch_size=2, sequences=1000):
        kernel = kernels.choose("numba", models.build(NTM, TASK.inputs, TASK.outputs, seed=1))
        self.trainer = Trainer(
            task=TASK,
            kernel=kernel,
            settings=TrainSettings(batch_size=batch_size, sequences=sequences),
            seed=1,
            device=torch.device("cpu"),
            identity="",
        )
        self.drawn, self.given = [], []
        learn = kernel.cost_and_gradient

        def watched_learn(*tensors_and_bound):
            *tensors, _ = tensors_and_bound
            self.given.append([tensor.numpy() for tensor in tensors])
            return learn(*tensors_and_bound)

        def watched_draw(task, stream, first, count, condition=None):
            self.drawn.append(first)
            return draw(task, stream, first, count, condition)

        draw = DynamicNGrams.draw
        monkeypatch.setattr(kernel, "cost_and_gradient", watched_learn)
        monkeypatch.setattr(DynamicNGrams, "draw", watched_draw)

    def last_is(self, first):
        """Whether the kernel was last given the batch that begins at `first`."""
        batch = TASK.draw(self.trainer.stream, first, self.trainer.settings.batch_size)
        return all(np.array_equal(*pair) for pair in zip(self.given[-1], batch[2:], strict=True))


@pytest.fixture
def watched(monkeypatch):
    return lambda **settings: Watched(monkeypatch, **settings)


def test_each_update_trains_on_the_batch_that_is_next(watched):
    watched = watched()
    for number in range(2 * drawing.BATCHES + 3):
        watched.trainer.update()
        assert watched.last_is(2 * number)


def test_each_batch_is_drawn_once_and_none_past_the_end(watched):
    watched = watched(batch_size=3, sequences=3 * drawing.BATCHES + 4)
    trainer = watched.trainer
    while trainer.sequences < trainer.settings.sequences:
        trainer.update()
    assert watched.drawn == [3 * number for number in range(drawing.BATCHES + 2)]


def test_the_window_has_the_optimum_of_the_batches_trained_on(watched):
    trainer = watched().trainer
    for _ in range(3):
        trainer.update()
    expected = 0.0
    for first in (0, 2, 4):
        expected += float(TASK.optimum_bits(TASK.draw(trainer.stream, first, 2)).sum())
    assert trainer.window.optimum_bits == expected


def test_what_was_drawn_is_of_no_use_after_going_back(watched):
    watched = watched()
    trainer = watched.trainer
    trainer.update()
    checkpoint = trainer.checkpoint()
    for _ in range(4):
        trainer.update()
    trainer.restore(checkpoint)
    trainer.update()
    assert watched.last_is(2)


def test_a_longer_run_goes_on_where_a_shorter_one_ended(watched):
    watched = watched(sequences=6)
    trainer = watched.trainer
    for number in range(5):
        trainer.update()
        assert watched.last_is(2 * number)
    assert trainer.sequences == 10
