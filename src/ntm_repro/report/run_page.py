"""A page for one run: how far it came, and its memory at work."""

from collections.abc import Callable
from pathlib import Path

from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs
from ntm_repro.figures import style
from ntm_repro.figures.run_store import Trained
from ntm_repro.kernels import Kernel
from ntm_repro.report import viewer
from ntm_repro.report.recordings import own_conditions, record
from ntm_repro.tasks import Task
from ntm_repro.training.convergence import final_cost


def page(folder: Path, load: Callable[[Path], tuple[Task, Kernel]]) -> str:
    """HTML of the run in `folder`, opened by `load` as for `RunStore`.

    Raises `UsageError` where there is no run, and for a model without an NTM's memory.
    """
    run = runs.read(folder)
    if run is None:
        raise UsageError(f"run={folder}: no readable summary.json there; name a run's folder")
    trained = Trained(run, *load(folder))
    recordings = [record(trained, condition) for condition in own_conditions(trained.task)]
    title = f"{trained.task.label}, {style.label(run.model)}, seed {run.seed}"
    line = f"{run.progress}, {final_cost(run.own_rows, run.first_sequence)}. From {folder}."
    return viewer.page(title[0].upper() + title[1:], [line], recordings)
