"""How much of the bare updates' rate is left in a whole run: drawing, measuring, logging, the progress bar."""

import io
import time
from contextlib import ExitStack, redirect_stderr
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from ntm_repro.bench.cases import Case
from ntm_repro.bench.timing import FEWEST_ROUNDS
from ntm_repro.kernels import Kernel
from ntm_repro.tasks import Batch
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training import drawing, metrics
from ntm_repro.training.interruption import StopRequest
from ntm_repro.training.loggers import CsvLogger, Loggers, TensorBoardLogger, TerminalLogger
from ntm_repro.training.loop import Trainer, to_tensors
from ntm_repro.training.run import draw_example

WARM_UP = 3  # updates


class _Terminal(io.StringIO):
    """A terminal that nobody watches: the progress bar is drawn as in front of a user."""

    def isatty(self) -> bool:
        return True


class Run:
    """A `Trainer` with all that ntm-train gives it, in a folder; trains on in slices. Close it after use."""

    def __init__(self, subject: Case, kernel: Kernel, batch: int, folder: Path) -> None:
        self.trainer = Trainer(
            task=subject.task,
            kernel=kernel,
            settings=subject.training(batch),
            seed=subject.seed,
            device=torch.device("cpu"),
            identity=subject.name,
        )
        self._folder = folder
        self._stop = StopRequest()
        with ExitStack() as opened:
            self._sink = Loggers()
            opened.callback(self._sink.close)
            self._sink.add(CsvLogger(folder / "metrics.csv", metrics.columns(self.trainer.has_optimum), 0))
            self._sink.add(TensorBoardLogger(folder, subject.name, 0))
            with redirect_stderr(_Terminal()):
                self._sink.add(TerminalLogger(subject.train.sequences, 0))
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close its files."""
        self._opened.close()

    def train(self, updates: int) -> None:
        """The next updates, with rows and checkpoints where they fall."""
        trainer = self.trainer
        end = trainer.sequences + updates * trainer.settings.batch_size
        trainer.settings = replace(trainer.settings, sequences=end)
        trainer.run(self._sink, self._save, lambda: self._stop.received)

    def batches(self, first: int, updates: int) -> list[Batch]:
        """The batches that `updates` updates from sequence `first` on draw."""
        trainer, size = self.trainer, self.trainer.settings.batch_size
        return [trainer.task.draw(trainer.stream, at, size) for at in range(first, first + updates * size, size)]

    def train_bare(self, batches: list[Batch]) -> None:
        """Nothing but updates, on batches drawn beforehand: in blocks, as the loop makes them, or one by one."""
        trainer, done = self.trainer, 0
        rates = [trainer.settings.learning_rate] * len(batches)
        while done < len(batches):
            these = slice(done, done + drawing.BATCHES)
            updates = trainer.block.run(batches[these], rates[these], trainer.settings) if trainer.block else []
            if not updates:
                self._update(batches[done], rates[done])
            done += max(1, len(updates))

    def _update(self, batch: Batch, rate: float) -> None:
        kernel, optimiser, settings = self.trainer.kernel, self.trainer.optimiser, self.trainer.settings
        kernel.cost_and_gradient(*to_tensors(batch, self.trainer.device), settings.gradient_bound)
        optimiser.step(rate, *settings.clip_of(optimiser.gradient_norm()))

    def _save(self) -> None:
        self._sink.flush()
        checkpoints.save(self._folder, self.trainer.checkpoint())
        self._sink.pictures(self.trainer.sequences, draw_example(self.trainer))


def seconds_per_sequence(
    subject: Case, kernel: Kernel, batch: int, rounds: int, seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Seconds per sequence of the whole loop and of the bare updates in each round, on the same batches: both [R].

    All rounds together take about `seconds`, half of it for either. A round is one update at least, and where that
    takes long there are fewer rounds, but at least three (or `rounds`).
    """
    loop, bare = [], []
    with TemporaryDirectory(prefix="ntm-bench-") as folder, ExitStack() as stack:
        run = Run(subject, kernel, batch, Path(folder))
        stack.callback(run.close)
        run.train(WARM_UP)
        begin = time.perf_counter()
        run.train(WARM_UP)
        pace = (time.perf_counter() - begin) / WARM_UP
        updates = max(1, int(seconds / 2 / rounds / pace))
        end = time.perf_counter() + seconds
        for done in range(rounds):
            if done >= FEWEST_ROUNDS and time.perf_counter() > end:
                break
            batches = run.batches(run.trainer.sequences, updates)
            begin = time.perf_counter()
            run.train(updates)
            between = time.perf_counter()
            run.train_bare(batches)
            loop.append((between - begin) / (updates * batch))
            bare.append((time.perf_counter() - between) / (updates * batch))
    return np.array(loop), np.array(bare)
