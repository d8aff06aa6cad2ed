"""What figures and tables draw from: the evidence on disk, and its trained models opened on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ntm_repro.evidence import runs
from ntm_repro.evidence.runs import Run
from ntm_repro.kernels import Kernel
from ntm_repro.tasks import Task


class Trained(NamedTuple):
    """A run's task and its model as trained, ready to unroll."""

    run: Run
    task: Task
    kernel: Kernel


@dataclass(frozen=True)
class RunStore:
    """`evidence`: the folder of recorded runs. `load`: from a run's folder to its task and trained model.

    A trained model is opened once: several figures unroll it.
    """

    evidence: Path
    load: Callable[[Path], tuple[Task, Kernel]]
    _opened: dict[Path, Trained] = field(default_factory=dict, repr=False, compare=False)

    def runs(self, task: str, model: str) -> list[Run]:
        """All recorded runs of the pair, by seed."""
        return runs.find(self.evidence, task, model)

    def trained(self, task: str, model: str) -> Trained | None:
        """The pair's representative model, or None where no weights were kept."""
        run = runs.representative(self.runs(task, model))
        if run is None:
            return None
        if run.folder not in self._opened:
            self._opened[run.folder] = Trained(run, *self.load(run.folder))
        return self._opened[run.folder]

    def gaps(self, task: str, model: str) -> list[str]:
        """What is missing of a pair, in words fit for a figure."""
        return runs.gaps(task, model, self.runs(task, model))
