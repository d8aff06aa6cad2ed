"""The loop that is timed is ntm-train's, and the bare updates see the batches that the loop drew."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ntm_repro import kernels
from ntm_repro.bench import end_to_end
from ntm_repro.bench.cases import Case
from ntm_repro.bench.end_to_end import Run, seconds_per_sequence
from ntm_repro.models import ntm
from ntm_repro.models.ntm import ControllerSettings, MemorySettings
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.copy import Copy
from ntm_repro.training import metrics
from ntm_repro.training.settings import TrainSettings

NTM = ntm.Settings("ntm", ControllerSettings(size=8), memory=MemorySettings(locations=9, width=4))
SUBJECT = Case("copy/tiny", Copy(max_length=3), NTM, TrainSettings(log_every=10, checkpoint_every=20), seed=1)


@pytest.fixture
def run(tmp_path):
    run = Run(SUBJECT, kernels.choose("numba", SUBJECT.build()), 2, tmp_path)
    yield run
    run.close()


def test_rows_pictures_and_checkpoints_fall_where_ntm_trains_do(run, tmp_path):
    run.train(12)
    run.train(3)
    assert run.trainer.sequences == 30
    rows = metrics.read_rows(tmp_path / "metrics.csv")
    assert [row["sequences"] for row in rows] == [10, 20, 30]
    assert (tmp_path / "checkpoint.pt").exists()
    assert list(tmp_path.glob("events.out.tfevents.*"))


@pytest.mark.parametrize("kernel", ["numba", "eager"])
def test_the_bare_updates_train_on_the_batches_of_the_loop(kernel, tmp_path):
    (tmp_path / "once").mkdir()
    run = Run(SUBJECT, kernels.choose(kernel, SUBJECT.build()), 2, tmp_path / "once")
    batches = run.batches(0, 5)
    run.train(5)
    run.close()
    learned = run.trainer.kernel.parameters.values.clone()
    (tmp_path / "again").mkdir()
    again = Run(SUBJECT, kernels.choose(kernel, SUBJECT.build()), 2, tmp_path / "again")
    again.train_bare(batches)
    again.close()
    assert torch.equal(again.trainer.kernel.parameters.values, learned)


def test_both_times_of_every_round(monkeypatch):
    drawn = []
    one = SUBJECT.task.draw(Stream(1, Purpose.TRAIN), 0, 2)
    monkeypatch.setattr(end_to_end.Run, "batches", lambda self, first, updates: drawn.append((first, updates)) or [one])
    subject = replace(SUBJECT, train=TrainSettings())  # no checkpoint in so short a time
    loop, bare = seconds_per_sequence(subject, kernels.choose("numba", SUBJECT.build()), 2, rounds=3, seconds=1.0)
    assert len(loop) == len(bare) == len(drawn) == 3
    assert (loop > 0).all()
    assert (bare > 0).all()
    # Each round goes on where the one before it ended.
    (first, updates), (second, _), (third, _) = drawn
    assert (second - first, third - second) == (2 * updates, 2 * updates)
    assert first == 2 * 2 * end_to_end.WARM_UP
    # Of five sequences drawn, four were left out of the bare step: the loop must have taken longer.
    assert np.median(loop) > np.median(bare)
