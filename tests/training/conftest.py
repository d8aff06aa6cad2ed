"""What the tests of training share: a run small enough to train in a test, and ways to look at it.

Fixtures return functions, so that one test can make several of a kind.
"""

import copy

import pytest
import torch

from ntm_repro import kernels, models
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, Settings
from ntm_repro.tasks.copy import Copy
from ntm_repro.training.checkpoint import Checkpoint
from ntm_repro.training.loop import Trainer
from ntm_repro.training.metrics import Window
from ntm_repro.training.settings import TrainSettings

IDENTITY = '{"run": "tiny"}'


@pytest.fixture(scope="session")
def tiny_trainer():
    """A function that makes a `Trainer` at sequence 0: a small NTM on copy, with the given train settings.

    Eager, since what is tested of training is the same with every kernel; tests of both say which.
    """

    def make(task=None, seed=1, identity=IDENTITY, kernel="eager", **settings):
        task = task or Copy(max_length=3)
        sizes = Settings(controller=ControllerSettings(size=8), memory=MemorySettings(locations=8, width=4))
        return Trainer(
            task=task,
            kernel=kernels.choose(kernel, models.build(sizes, task.inputs, task.outputs, seed)),
            settings=TrainSettings(**settings),
            seed=seed,
            device=torch.device("cpu"),
            identity=identity,
        )

    return make


@pytest.fixture(scope="session")
def a_checkpoint():
    """A function that makes a `Checkpoint` of a few hundred bytes."""

    def make(sequences=10, identity=IDENTITY):
        generator = torch.Generator().manual_seed(sequences)
        return Checkpoint(
            identity=identity,
            sequences=sequences,
            wall_seconds=1.25 * sequences,
            window=Window(sequences=3, updates=2, bits=0.1, error_bits=4.0, grad_norm=1 / 3, opened_at=7.5),
            model={"w_AB": torch.randn(3, 2, generator=generator), "b_A": torch.randn(3, generator=generator)},
            optimiser={"square": {"w_AB": torch.rand(3, 2, generator=generator)}},
        )

    return make


@pytest.fixture(scope="session")
def same():
    """A function that compares nested values, tensors bit by bit and floats exactly."""

    def compare(a, b):
        if isinstance(a, Checkpoint | Window):
            return type(a) is type(b) and compare(vars(a), vars(b))
        if isinstance(a, torch.Tensor):
            return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
        if isinstance(a, dict):
            return isinstance(b, dict) and a.keys() == b.keys() and all(compare(a[key], b[key]) for key in a)
        if isinstance(a, list | tuple):
            return type(a) is type(b) and len(a) == len(b) and all(map(compare, a, b))
        return type(a) is type(b) and a == b

    return compare


@pytest.fixture(scope="session")
def snapshot():
    """A function that gives a trainer's checkpoint as it is now; the trainer's own shares memory with the model."""
    return lambda trainer: copy.deepcopy(trainer.checkpoint())


class Recorder:
    """A sink that keeps everything it is given, in order."""

    def __init__(self):
        self.calls = []
        self.rows = []

    def row(self, row):
        self.calls.append(("row", row))
        self.rows.append(row)

    def pictures(self, sequences, pictures):
        self.calls.append(("pictures", sequences, pictures))

    def progress(self, sequences):
        self.calls.append(("progress", sequences))

    def flush(self):
        self.calls.append(("flush",))

    def close(self):
        self.calls.append(("close",))


@pytest.fixture(scope="session")
def recorder():
    """A function that makes a sink that keeps everything it is given."""
    return Recorder


@pytest.fixture(scope="session")
def contents():
    """A function that reads a whole folder: the bytes of each file by its path inside."""

    def read(folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read
