"""ntm-train: compose and check every job of the command line, then run them as Hydra launches jobs."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from ntm_repro.cli import (
    arguments,
    compose,
    exit_codes,
    initial_weights,
    launch,
    objectives,
    own_configs,
    recorded,
    schema,
    search,
    search_settings,
    streams,
)
from ntm_repro.cli.arguments import Arguments
from ntm_repro.cli.compose import Request
from ntm_repro.errors import RunError, UsageError
from ntm_repro.files import readable
from ntm_repro.training import convergence, metrics
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader

    from ntm_repro.training.resume import ResumeDecision


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-train", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError`, `RunError` or `KeyboardInterrupt`."""
    words = arguments.parse(recorded.expand_run(argv))
    if words.printing:
        _show(words)
        return exit_codes.DONE
    with compose.session() as loader:
        try:
            request = compose.read(words, loader)
            plans = [_checked(job.config) for job in request.jobs]
            searched = None
            if request.master is not None and search_settings.is_ours(request.master):
                searched = search.plan(words, request.master, loader)
        except (UsageError, KeyboardInterrupt):
            raise
        except Exception as error:  # composing and checking see nothing but what the user typed
            raise UsageError(exit_codes.one_line(error)) from error
        try:
            if searched is not None and request.master is not None:
                launcher = launch.launching(request.master, _train, work, loader)
                search.sweep(searched, request.master, loader, launcher, lambda job: plan(job.config))
                return exit_codes.DONE
            if request.master is not None:
                return _sweep(request, loader)
            if plans[0].finished:
                print(finished_line(RunFolder(Path(request.jobs[0].config.run_dir))))
                return exit_codes.DONE
            return _single(request, loader)
        except KeyboardInterrupt as interruption:
            line = f"{str(interruption) or 'interrupted'}; resume with: {resume_command(argv)}"
            raise KeyboardInterrupt(line) from None


def _show(words: Arguments) -> None:
    """Print help or a config; nothing is created, and torch stays where it is."""
    try:
        with compose.session(settings="--help" not in words.printing) as loader:
            if "--shell-completion" not in words.printing:
                compose.check(words, loader)
        with own_configs.explaining(words.config_dir, words.overrides):
            launch.show([*words.printing, *words.overrides])
    except (UsageError, RunError):
        raise
    except Exception as error:
        with compose.session(), compose.explaining([*compose.search_override(words.config_dir), *words.overrides]):
            raise UsageError(exit_codes.one_line(error)) from error


def _single(request: Request, loader: "ConfigLoader") -> int:
    (job,) = request.jobs
    failure = launch.run(job, _train, loader)
    if isinstance(failure, UsageError | RunError):
        raise failure
    if failure is not None:
        log_file = RunFolder(Path(job.config.run_dir)).log
        line = f"{type(failure).__name__}: {exit_codes.one_line(failure)}; the traceback is in {log_file}"
        raise RunError(line) from failure
    return exit_codes.DONE


def _checked(config: DictConfig) -> "ResumeDecision":
    """The plan of a job whose initial weights, if it needs any, are there and fit; raises `UsageError` otherwise."""
    config = initial_weights.identified(config)
    decided = plan(config)
    if decided.checkpoint is None and not decided.finished:
        initial_weights.fitting(config)
    return decided


def plan(config: DictConfig) -> "ResumeDecision":
    """What a job's folder says it has to do; raises `UsageError` where it cannot be done.

    config: with the digest of its initial weights.
    """
    from ntm_repro import kernels
    from ntm_repro.cli import factory
    from ntm_repro.training import resume

    kernels.check(config.kernel.name, factory.device(config.device.name).type)
    folder = RunFolder(Path(config.run_dir))
    identity = schema.identity(schema.plain(config))
    record = recorded.load_record(folder.path)
    recorded_identity = None if record is None else schema.identity(record)
    decision = resume.decide(
        folder,
        identity=schema.canonical(identity),
        recorded=None if recorded_identity is None else schema.canonical(recorded_identity),
        difference=schema.difference(recorded_identity or {}, identity),
        resume=config.resume,
        sequences=config.train.sequences,
        first_sequence=config.train.first_sequence,
        complete=schema.completed_text,
    )
    objectives.check(config, decision)
    return decision


def work(composed: DictConfig) -> float:
    """A job of a launcher or an installed sweeper: checked where it runs, in whichever process that is.

    Returns the job's `objective`, which a sweeper makes small: infinite for a run that diverged, NaN for one too short
    to tell. Raises `RunError`, which travels between processes.
    """
    streams.prepare()  # a launcher's processes begin here, not with a command
    try:
        config = schema.typed(composed)
        _train(config, wait=True)
        return objectives.of_job(config)
    except Exception as error:
        launch.log_failure(error)
        if objectives.is_divergence(error):
            return objectives.WORST
        raise RunError(exit_codes.one_line(error)) from None


def _train(config: DictConfig, wait: bool = False) -> None:
    """Train a checked config in its folder. wait: for a process that was left at work there, until it is done."""
    from ntm_repro.cli import factory
    from ntm_repro.training.run import run

    folder = RunFolder(Path(config.run_dir))
    with folder.locked(wait or search.is_searching()):
        config = initial_weights.identified(config)
        decided = plan(config)  # anew: until the lock was taken another process may have trained there
        if decided.finished:
            print(finished_line(folder))
            objectives.prepare(config)
            return
        record = schema.plain(config)
        weights = initial_weights.fitting(config) if decided.checkpoint is None else None
        if weights is not None:
            initial_weights.keep_record(config, weights, folder)
        trainer = factory.trainer(config, weights)
        begin = _begin(config, decided)
        threads = f"{config.threads} thread{'s' if config.threads > 1 else ''}"
        size = f"{trainer.model.parameter_count:,} parameters"
        where = f"{trainer.kernel.name} kernel, {trainer.device}, {threads}"
        what = f"{config.task.name} · {config.model.name} · seed {config.seed} · {size} · {where}"
        print(f"{what} · {config.run_dir}{begin}", flush=True)
        pruning = search.pruning(config)
        judge = {} if pruning is None else {"is_hopeless": pruning.is_hopeless}
        run(trainer, folder, decided, record, OmegaConf.to_yaml(OmegaConf.create(record)), **judge)
        objectives.prepare(config)
    print(finished_line(folder), flush=True)


def _begin(config: DictConfig, decided: "ResumeDecision") -> str:
    """Where a run begins or goes on, where that is not at random weights, for its first line."""
    if decided.checkpoint is not None:
        return f", resumed at {decided.checkpoint.sequences:,} sequences"
    if not config.train.initial_weights:
        return ""
    return f", from {readable(config.train.initial_weights)} at {config.train.first_sequence:,} sequences"


def finished_line(folder: RunFolder) -> str:
    """How a run that ended came out: finished, or pruned."""
    summary = folder.read_summary() or {}
    first = summary.get("first_sequence", 0)
    since = f" (from {first:,} on)" if first else ""
    parts = [
        f"{summary.get('status', 'finished')}: {summary.get('sequences', 0):,} sequences{since} in "
        f"{summary.get('wall_seconds', 0) / 60:.1f} min",
        convergence.outcome(_rows(folder, summary), first),
        str(folder.path),
    ]
    return " · ".join(parts)


def _rows(folder: RunFolder, summary: dict[str, Any]) -> list[metrics.Row]:
    """metrics.csv up to where the summary ends; none where the file is gone."""
    return metrics.read_rows(folder.metrics, summary.get("sequences")) if folder.metrics.exists() else []


def resume_command(argv: Sequence[str]) -> str:
    """The command line that goes on where this one stopped."""
    return shlex.join(["ntm-train", *(argument for argument in argv if not argument.startswith("resume="))])


def _sweep(request: Request, loader: "ConfigLoader") -> int:
    """All jobs, one failing or not; then where each result is and which failed."""
    interruption: KeyboardInterrupt | None = None
    trouble = ""
    try:
        launch.sweep(request, _train, work, loader)
    except KeyboardInterrupt as stopped:
        interruption = stopped
    except Exception as error:  # of a launcher: a job that was killed, a setting of its own that it refuses
        if not request.jobs:
            raise RunError(exit_codes.one_line(error)) from error
        # Submitit's errors end in the job's own log; their first sentence says which job it was.
        trouble = f"; {exit_codes.one_line(error).partition('. ')[0]}"
    if request.jobs:
        failed = _print_results([job.config for job in request.jobs], interruption is not None)
    if interruption is not None:
        raise KeyboardInterrupt("interrupted")
    if request.jobs and failed:
        count = f"{failed} of {len(request.jobs)} runs did not finish"
        raise RunError(f"{count}{trouble}; the same command goes on with them")
    return exit_codes.DONE


def _print_results(configs: Sequence[DictConfig], interrupted: bool) -> int:
    """Where each result of a sweep is; returns how many runs are neither finished nor diverged, which is a result."""
    failed = 0
    print("\nresults")
    for config in configs:
        folder = RunFolder(Path(config.run_dir))
        summary = folder.read_summary() or {}
        status = summary.get("status", "not started" if interrupted else "failed")
        sequences = summary.get("sequences", 0)
        if status == "finished" and sequences >= config.train.sequences:
            print(f"  {folder.path}: {_result(folder, objectives.end(config), summary)}")
            continue
        failed += status != "diverged"
        where = f"; see {folder.log}" if folder.log.exists() else ""
        status = "failed" if status == "interrupted" and not interrupted else status
        print(f"  {folder.path}: {status.upper()} at {sequences:,} sequences{where}")
    return failed


def _result(folder: RunFolder, wanted: int, summary: dict[str, Any]) -> str:
    """A finished run's cost after as many sequences as its sweep asks for, however many it was trained on."""
    trained = summary["sequences"]
    rows = metrics.read_rows(folder.metrics, wanted) if folder.metrics.exists() else []
    cost = convergence.final_cost(rows, summary.get("first_sequence", 0))
    if trained <= wanted:
        return f"{trained:,} sequences, {cost}"
    return f"the first {wanted:,} of its {trained:,} sequences, {cost}"


if __name__ == "__main__":
    main()
