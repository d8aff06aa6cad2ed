"""A page for one run: how far it came, and its memory at work."""

from collections.abc import Callable
from pathlib import Path

from ntm_repro.evidence import runs
from ntm_repro.evidence.runs import NAMES
from ntm_repro.figures.style import LABELS
from ntm_repro.kernels import Kernel
from ntm_repro.report import viewer
from ntm_repro.report.recordings import run_recordings
from ntm_repro.tasks import Task
from ntm_repro.training.convergence import final_cost


def page(folder: Path, load: Callable[[Path], tuple[Task, Kernel]]) -> str:
    """HTML of the run in `folder`, opened by `load` as for `Sources`; raises `UsageError` as `run_recordings` does."""
    recordings = run_recordings(folder, load)
    run = runs.read(folder)
    assert run is not None
    title = f"{NAMES[run.task]}, {LABELS[run.model]}, seed {run.seed}"
    line = f"{run.progress}, {final_cost(run.rows)}. From {folder}."
    return viewer.page(title[0].upper() + title[1:], [line], recordings)
