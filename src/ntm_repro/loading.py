"""Recorded runs from Python: the trained model and the task of a run's folder."""

from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ntm_repro.errors import UsageError
from ntm_repro.models import Model
from ntm_repro.tasks import Task


class Loaded(NamedTuple):
    """model: as trained, ready to be called. task: what it was trained on."""

    model: Model
    task: Task


def load(run: str | PathLike[str]) -> Loaded:
    """The trained model and the task of a run's folder, from its last checkpoint or its `weights.safetensors`.

    run: a folder with `config.yaml`, such as results/runs/copy/ntm/seed1 or results/paper/copy/ntm/seed1. Nothing in it
    is executed. Raises `ValueError` where it holds no run, no weights, or weights that do not fit.

    >>> model, task = load("results/paper/copy/ntm/seed1")  # doctest: +SKIP
    """
    from ntm_repro.cli import load_run  # the command line's own way to open a run

    folder = Path(run)
    try:
        recorded = load_run.load(folder, load_run.read_config(folder))
    except UsageError as error:
        raise ValueError(str(error).removeprefix("run=")) from error
    return Loaded(recorded.kernel.model, recorded.task)
