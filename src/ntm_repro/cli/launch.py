"""Running the jobs of a command line with Hydra: here, through a launcher, or as an installed sweeper decides."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.plugins import Plugins
from hydra.core.utils import configure_log, run_job
from hydra.experimental.callback import Callback
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from ntm_repro.cli import compose, exit_codes
from ntm_repro.cli.compose import Job, Request
from ntm_repro.errors import RunError, UsageError

log = logging.getLogger(__name__)


def run(job: Job, train: Callable[[DictConfig], Any], loader: ConfigLoader) -> Exception | None:
    """Run a single job, whose config was checked, in this process; the error that ended it, which is in its log."""
    return _run(job, train, loader, "hydra.run.dir", None)


def sweep(
    request: Request, train: Callable[[DictConfig], Any], work: Callable[[DictConfig], Any], loader: ConfigLoader
) -> None:
    """Run the jobs of a sweep, one failing or not.

    train: what runs a checked config here. work: what runs a config that was composed elsewhere, importable there.
    Raises whatever a launcher or sweeper does.
    """
    master = request.master
    assert master is not None
    context = _context(loader)
    if not request.jobs:
        configure_log(master.hydra.hydra_logging, master.hydra.verbose)
        sweeper = Plugins.instance().instantiate_sweeper(hydra_context=context, task_function=work, config=master)
        sweeper.sweep(OmegaConf.to_container(master.hydra.overrides.task))  # type: ignore[arg-type]
        return
    _keep(master)
    together = master.hydra.sweeper.max_batch_size or len(request.jobs)
    launch = launching(master, train, work, loader)
    for first in range(0, len(request.jobs), together):
        launch(request.jobs[first : first + together], first)


def launching(
    master: DictConfig, train: Callable[[DictConfig], Any], work: Callable[[DictConfig], Any], loader: ConfigLoader
) -> Callable[[Sequence[Job], int], None]:
    """What runs jobs, of which the first has the given number, with the launcher that was chosen."""
    context = _context(loader)
    if master.hydra.runtime.choices["hydra/launcher"] == "basic":

        def here(jobs: Sequence[Job], first: int) -> None:
            for number, job in enumerate(jobs, first):
                with read_write(job.composed.hydra), open_dict(job.composed.hydra):
                    job.composed.hydra.job.id = job.composed.hydra.job.num = number
                _run(job, train, loader, "hydra.sweep.dir", "hydra.sweep.subdir")

        return here
    ray = OmegaConf.select(master, "hydra.launcher.ray.init")
    if ray is not None and ray.get("address") is not None:
        # Or the launcher adds a size, which Ray refuses for a cluster that is there.
        with read_write(ray), open_dict(ray):
            ray.setdefault("object_store_memory", None)
    launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=work, config=master)

    def elsewhere(jobs: Sequence[Job], first: int) -> None:
        launcher.launch([job.overrides for job in jobs], initial_job_idx=first)

    return elsewhere


def log_failure(error: Exception) -> None:
    """Into the job's log: Hydra would print it its own way and leave no traceback there."""
    if isinstance(error, RunError | UsageError):
        log.error("%s", error)
    else:
        log.exception("run failed")


def _run(
    job: Job, train: Callable[[DictConfig], Any], loader: ConfigLoader, folder: str, below: str | None
) -> Exception | None:
    failures: list[Exception] = []

    def task(_composed: DictConfig) -> None:
        try:
            train(job.config)  # the one that was checked
        except Exception as error:
            log_failure(error)
            failures.append(error)

    try:
        run_job(task, job.composed, folder, below, _context(loader))
    except OSError as error:  # Hydra's own files: train.log, .hydra
        failures.append(RunError(f"{error.filename or 'the run folder'}: {error.strerror}"))
    return failures[0] if failures else None


def _context(loader: ConfigLoader) -> HydraContext:
    return HydraContext(loader, Callback())  # type: ignore[arg-type] # the public base class: does nothing


def _keep(master: DictConfig) -> None:
    """Write multirun.yaml, as Hydra's own sweeper does."""
    folder = Path(master.hydra.sweep.dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(master, folder / "multirun.yaml")
    except OSError as error:
        raise RunError(f"{error.filename or folder}: {error.strerror}") from error


def show(words: Sequence[str]) -> None:
    """Let Hydra print what options such as `--help` and `--cfg job` ask for.

    The one place that sets `sys.argv`: there is no public way to give `hydra.main` a command line. Raises what Hydra
    raises for a config that cannot be composed.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # or Hydra prints its errors and exits by itself
    before, sys.argv = sys.argv, ["ntm-train", *words]
    try:
        hydra.main(version_base="1.3", config_path=compose.config_dir(), config_name=compose.CONFIG)(_nothing)()
    except SystemExit as leaving:  # Hydra's own way out, where what is printed is still to be written
        if leaving.code:
            raise UsageError(f"{' '.join(words)}: cannot be shown; {exit_codes.one_line(leaving)}") from leaving
    finally:
        sys.argv = before


def _nothing(_config: DictConfig) -> None:
    """The job of a command line that runs none."""
