"""hydra/sweeper=optuna: a study that takes its trials from the distributions on the command line.

Trials run through whichever launcher was chosen. What came of one is read from its folder, so that a launcher which
fails, or another process which went on with the run, changes nothing.
"""

import math
import re
import shlex
import statistics
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep, Transformer
from omegaconf import DictConfig, open_dict

from ntm_repro.cli import command_line, compose, exit_codes, objectives, schema, search_settings
from ntm_repro.cli.arguments import Arguments
from ntm_repro.cli.compose import Job
from ntm_repro.errors import RunError, UsageError, require
from ntm_repro.sweeps import objective
from ntm_repro.training import metrics
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from ntm_repro.sweeps.pruning import MedianPruning
    from ntm_repro.sweeps.study import Outcome, Study, Trial

FOLDER = Path("results/sweeps")
BETWEEN = 2.0  # seconds after which a process looks again whether another has left a trial
Launch = Callable[[Sequence[Job], int], None]  # runs jobs, of which the first has this number


class Search(NamedTuple):
    """A search as its command line says it, checked.

    results_dir: below which its runs are. space: by key. fixed: overrides of every job. seeds: of the runs of a trial,
    whose median is its objective. about: what all trials have in common.
    """

    name: str
    results_dir: str
    space: "dict[str, BaseDistribution]"
    fixed: list[str]
    seeds: list[int]
    about: dict[str, str]
    settings: DictConfig

    @property
    def folder(self) -> Path:
        """That of the study."""
        return FOLDER / self.name


def plan(words: Arguments, master: DictConfig, loader: ConfigLoader) -> Search:
    """The search of a command line; raises `UsageError` for a space that has points which no run can have.

    Sets the study's name in `master`, from which jobs are composed.
    """
    settings = master.hydra.sweeper
    _check(settings)
    parameters = [f"{key}={value}" for key, value in (settings.params or {}).items()]
    overrides = compose.check(words._replace(overrides=parameters + words.overrides), loader)
    by_key = {override.get_key_element(): override for override in overrides if not override.is_hydra_override()}
    seeds = _seeds(by_key.pop("seed", None))
    space = {key: _distribution(key, override) for key, override in by_key.items() if override.is_sweep_override()}
    if not space:
        raise UsageError(
            "hydra/sweeper=optuna: nothing to search; give a setting choice(…), range(…) or interval(…), as in "
            "'train.learning_rate=tag(log, interval(1e-5, 3e-3))'"
        )
    if settings.sampler.name == "grid":
        _check_grid(space)
    if "run_dir" in by_key:
        raise UsageError("run_dir: all trials would share it; set results_dir= instead")
    fixed = [f"{key}={by_key[key].get_value_element_as_str()}" for key in by_key if key not in space]
    base = _job(master, loader, [*fixed, f"seed={seeds[0]}"])
    about = _about(base, space, seeds)
    name = settings.study_name or _default_name(base, space, about)
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise UsageError(f"hydra.sweeper.study_name={name}: names a folder; use letters, digits, - and _")
    results_dir = base.config.results_dir if "results_dir" in by_key else str(FOLDER / name)
    if "results_dir" not in by_key:  # a prepared sweep's own is for its grid
        fixed.append(f"results_dir={results_dir}")
    with open_dict(master):
        master.hydra.sweeper.study_name = name
        master.hydra.overrides.hydra.append(f"hydra.sweeper.study_name='{name}'")
    search = Search(name, results_dir, space, fixed, seeds, about, settings)
    for params in _corners(space):
        _jobs(search, params, master, loader)
    return search


def _check(settings: DictConfig) -> None:
    whole = {"n_trials": settings.n_trials, "n_jobs": settings.n_jobs or 1}
    for key, value in whole.items():
        require(value >= 1, f"hydra.sweeper.{key}", value, "must be 1 or more")
    rate = settings.max_failure_rate
    require(0 <= rate <= 1, "hydra.sweeper.max_failure_rate", rate, "must be from 0 to 1")
    require(settings.sampler.seed >= 0, "hydra.sweeper.sampler.seed", settings.sampler.seed, "must be 0 or more")
    require(
        settings.direction == "minimize",
        "hydra.sweeper.direction",
        settings.direction,
        "every objective= is made small: minimize",
    )


def _seeds(override: Override | None) -> list[int]:
    """A search does not choose among seeds: every trial has a run of each."""
    if override is None:
        return [1]
    values = list(override.sweep_iterator()) if override.is_discrete_sweep() else [override.value()]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) < len(values) or not numbers:
        raise UsageError(
            f"{override.input_line}: name seeds one by one, as in seed=1,2,3; every trial has a run of each"
        )
    return numbers


def _distribution(key: str, override: Override) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value = override.value()
    try:
        if isinstance(value, IntervalSweep):
            low, high, log = value.start, value.end, "log" in value.tags
            assert low is not None
            assert high is not None
            if isinstance(low, int) and isinstance(high, int):
                return IntDistribution(low, high, log=log)
            return FloatDistribution(low, high, log=log)
        if isinstance(value, RangeSweep) and not value.shuffle and isinstance(value.start, int):
            numbers = list(value.range())
            if len(numbers) > 1 and all(isinstance(number, int) for number in numbers):
                return IntDistribution(min(numbers), max(numbers), step=abs(int(numbers[1] - numbers[0])))
        choices = list(dict.fromkeys(override.sweep_iterator(transformer=Transformer.encode)))
        return CategoricalDistribution(choices)  # type: ignore[arg-type]
    except Exception as error:  # Optuna's and Hydra's, of a distribution that is none
        raise UsageError(f"{override.input_line}: {exit_codes.one_line(error)}") from error


def _check_grid(space: "dict[str, BaseDistribution]") -> None:
    from ntm_repro.sweeps.study import LARGEST_GRID, grid

    size = math.prod(len(grid(key, distribution)) for key, distribution in space.items())
    require(
        size <= LARGEST_GRID, "hydra/sweeper/sampler", "grid", f"has {size:,} points; at most {LARGEST_GRID:,} work"
    )


def _corners(space: "dict[str, BaseDistribution]") -> list[dict[str, Any]]:
    """Points that show each value of a choice and both ends of an interval, the others at their first."""
    from ntm_repro.sweeps.study import ends

    values = {key: ends(distribution) for key, distribution in space.items()}
    first = {key: ends_of[0] for key, ends_of in values.items()}
    return [first, *({**first, key: value} for key, ends_of in values.items() for value in ends_of[1:])]


def _about(base: Job, space: "dict[str, BaseDistribution]", seeds: Sequence[int]) -> dict[str, str]:
    config = base.config
    identity = schema.identity(schema.plain(config))
    kept = {key: str(value) for key, value in identity.items() if key != "seed" and key not in space}
    searched = [f"{key}." for key in space if key in schema.TYPED_GROUPS]
    kept = {key: value for key, value in kept.items() if not key.startswith(tuple(searched))}
    more = {"train.sequences": config.train.sequences, "objective": config.objective.name, "seed": list(seeds)}
    return kept | {key: str(value) for key, value in more.items()}


def _default_name(base: Job, space: "dict[str, BaseDistribution]", about: dict[str, str]) -> str:
    from optuna.distributions import distribution_to_json

    said = repr(sorted(about.items())) + repr([(key, distribution_to_json(space[key])) for key in sorted(space)])
    keys = "-".join(key.rpartition(".")[2] for key in space)
    return f"{base.config.task.name}-{base.config.model.name}-{keys}-{sha256(said.encode()).hexdigest()[:8]}"


def _job(master: DictConfig, loader: ConfigLoader, overrides: list[str]) -> Job:
    with compose.explaining(overrides):
        return compose.checked(overrides, loader.load_sweep_config(master, overrides))


def _jobs(search: Search, params: dict[str, Any], master: DictConfig, loader: ConfigLoader) -> list[Job]:
    """The jobs of a trial, one for each seed. Raises `UsageError`, which names the trial's settings."""
    chosen = [f"{key}={_word(value)}" for key, value in params.items()]
    try:
        return [_job(master, loader, [*search.fixed, *chosen, f"seed={seed}"]) for seed in search.seeds]
    except Exception as error:
        line = str(error) if isinstance(error, UsageError) else exit_codes.one_line(error)
        raise UsageError(f"{line} (in the trial {' '.join(chosen)})") from error


def _word(value: Any) -> str:
    """A value as Hydra's grammar reads it; choices are encoded by it already."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def sweep(
    search: Search, master: DictConfig, loader: ConfigLoader, launch: Launch, check: Callable[[Job], Any]
) -> None:
    """Run the search until its study has as many trials as it asks for; prints each, and the best.

    check: raises `UsageError` where a job's folder cannot take it. Raises `RunError` where trials fail.
    """
    from ntm_repro.sweeps import study as studies

    settings = search.settings
    together = settings.n_jobs or (1 if master.hydra.runtime.choices["hydra/launcher"] == "basic" else 2)
    sampling = studies.Sampling(settings.sampler.name, settings.sampler.seed, settings.sampler.n_startup_trials)
    with studies.opened(search.folder, search.name, settings.storage, search.space, sampling, search.about) as study:
        print(f"study {search.name} · {_counted(study)} · {search.folder}", flush=True)
        study.write()
        while taken := study.take(together, settings.n_trials):
            _run(search, study, taken, master, loader, launch, check)
        while study.counts().get("running") and not study.counts().get("waiting"):
            # Of other processes: to be told here too what is the best of all, or to go on with what they leave.
            time.sleep(BETWEEN)
            if taken := study.take(together, settings.n_trials):
                _run(search, study, taken, master, loader, launch, check)
        _print_best(search, study, master, loader)


def _run(
    search: Search,
    study: "Study",
    taken: "Sequence[Trial]",
    master: DictConfig,
    loader: ConfigLoader,
    launch: Launch,
    check: Callable[[Job], Any],
) -> None:
    """Run trials and tell the study. One that failed stays the study's to be tried again, unless some may fail."""
    from ntm_repro.sweeps.study import Outcome

    jobs = {trial.number: _jobs(search, trial.params, master, loader) for trial in taken}
    to_launch: dict[str, Job] = {}
    for job in (job for of_trial in jobs.values() for job in of_trial):
        if not _was_pruned(job):
            check(job)
            to_launch.setdefault(schema.absolute(job.config.run_dir), job)  # two trials may be of one point
    trouble = ""
    try:
        if to_launch:
            launch(list(to_launch.values()), taken[0].number)
    except Exception as error:  # of a launcher: a job that was killed
        trouble = f"; {exit_codes.one_line(error).partition('. ')[0]}"
    failed = []
    for trial in taken:
        outcome, value = _outcome(jobs[trial.number])
        if outcome is Outcome.failed:
            failed.append(trial)
            continue
        _tell(study, trial, jobs[trial.number], outcome, value)
    if len(failed) > search.settings.max_failure_rate * len(taken):
        folder = RunFolder(Path(jobs[failed[0].number][0].config.run_dir))
        where = f"see {folder.log}" if folder.log.exists() else f"{folder.path} has no log"
        raise RunError(f"trial {failed[0].number} failed{trouble}; {where}; the same command goes on with it")
    for trial in failed:
        _tell(study, trial, jobs[trial.number], Outcome.failed, objective.UNKNOWN)


def _tell(study: "Study", trial: "Trial", jobs: Sequence[Job], outcome: "Outcome", value: float) -> None:
    runs = [{"seed": job.config.seed, "folder": job.config.run_dir} for job in jobs]
    path = RunFolder(Path(jobs[0].config.run_dir)).metrics
    rows = metrics.read_rows(path, objectives.end(jobs[0].config)) if path.exists() else []
    study.tell(trial, outcome, value, [(int(row["sequences"]), row["bits_per_sequence"]) for row in rows], runs)
    said = objective.said(jobs[0].config.objective, value) if outcome.name == "complete" else outcome.name
    chosen = " ".join(f"{key}={_word(value)}" for key, value in trial.params.items())
    print(f"trial {trial.number}: {said} · {chosen}", flush=True)


def _was_pruned(job: Job) -> bool:
    """Whether a run ended early before; a process that is gone may not have told the study."""
    summary = RunFolder(Path(job.config.run_dir)).read_summary() or {}
    return summary.get("status") == "pruned"


def _outcome(jobs: Sequence[Job]) -> "tuple[Outcome, float]":
    """How a trial came out, and the median of its runs, where one that was pruned counts as worst."""
    from ntm_repro.sweeps.study import Outcome

    values, pruned = [], False
    for job in jobs:
        summary = RunFolder(Path(job.config.run_dir)).read_summary() or {}
        status, long_enough = summary.get("status"), summary.get("sequences", 0) >= job.config.train.sequences
        if status == "diverged" or (status == "finished" and long_enough):
            values.append(objectives.of_job(job.config) if status == "finished" else objectives.WORST)
        elif status == "pruned":
            values.append(objectives.WORST)
            pruned = True
        else:
            return Outcome.failed, objective.UNKNOWN
    value = statistics.median(values)
    return (Outcome.pruned if pruned and math.isinf(value) else Outcome.complete), value


def _counted(study: "Study") -> str:
    counts = study.counts()
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if state != "waiting")
    return f"{words} trials" if words else "a new study"


def _print_best(search: Search, study: "Study", master: DictConfig, loader: ConfigLoader) -> None:
    print(f"\n{_counted(study)} in {study.where}")
    best = study.best()
    if best is None:
        print("no trial has come to an end with a finite objective")
        return
    job = _jobs(search, dict(best.params), master, loader)[0]
    assert best.values is not None
    said = objective.said(job.config.objective, best.values[0])
    print(f"best, trial {best.number}: {said}\n  {command_line.of_record(schema.plain(job.config), search.seeds)}")
    print(f"all of them on one page: {shlex.join(['ntm-sweep', search.results_dir])}")


def pruning(config: DictConfig) -> "MedianPruning | None":
    """What may end a job's run early: asked inside a job of this sweeper, wherever that runs."""
    if not is_searching():
        return None
    settings = HydraConfig.get().sweeper
    if settings.pruner.name != "median":
        return None
    from ntm_repro.sweeps.pruning import MedianPruning

    pruner = settings.pruner
    begin = config.train.sequences // 5 if pruner.n_warmup_steps is None else pruner.n_warmup_steps
    trials = FOLDER / str(settings.study_name) / "trials.json"
    return MedianPruning(trials, config.seed, pruner.n_startup_trials, begin)


def is_searching() -> bool:
    """Whether this is inside a job of this sweeper."""
    return HydraConfig.initialized() and HydraConfig.get().sweeper.get("_target_") == search_settings.TARGET
