"""ntm-train: check every job of the command line, then let Hydra run them."""

import logging
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from ntm_repro.cli import compose, exit_codes, schema
from ntm_repro.errors import RunError, UsageError
from ntm_repro.training import convergence, metrics
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.training.resume import ResumeDecision

log = logging.getLogger(__name__)

# Here and not in main(): a launcher's worker processes import this module and need the resolvers too.
compose.register()


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-train", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError`, `RunError` or `KeyboardInterrupt`."""
    arguments = compose.recorded_run(argv)
    try:
        configs, sweep = compose.jobs(arguments)
        plans = [] if configs is None else [plan(config) for config in configs]
    except (UsageError, KeyboardInterrupt):
        raise
    except Exception as error:  # composing and checking see nothing but what the user typed
        raise UsageError(exit_codes.one_line(error)) from error

    if configs and not sweep and plans[0].finished:
        print(finished_line(RunFolder(Path(configs[0].run_dir))))
        return exit_codes.DONE
    if sweep and configs:
        return _sweep(arguments, configs, argv)
    try:
        failure = _hydra(arguments)
    except Exception as error:
        if configs is not None:
            raise
        raise UsageError(exit_codes.one_line(error)) from error  # help, or the config, of what cannot be composed
    except KeyboardInterrupt as interruption:
        raise KeyboardInterrupt(f"{str(interruption) or 'interrupted'}; resume with: {resume_command(argv)}") from None
    if isinstance(failure, UsageError | RunError):
        raise failure
    if failure is not None and configs:
        log_file = RunFolder(Path(configs[0].run_dir)).log
        line = f"{type(failure).__name__}: {exit_codes.one_line(failure)}; the traceback is in {log_file}"
        raise RunError(line) from failure
    return exit_codes.DONE


def plan(config: DictConfig) -> "ResumeDecision":
    """What a job's folder says it has to do; raises `UsageError` where it cannot be done."""
    from ntm_repro import kernels
    from ntm_repro.cli import factory
    from ntm_repro.training import resume

    kernels.check(config.kernel.name, factory.device(config.device.name).type)
    folder = RunFolder(Path(config.run_dir))
    wanted = schema.identity(schema.plain(config))
    record = compose.load_record(folder.path)
    there = None if record is None else schema.identity(record)
    return resume.decide(
        folder,
        identity=schema.canonical(wanted),
        recorded=None if there is None else schema.canonical(there),
        difference=schema.difference(there or {}, wanted),
        resume=config.resume,
        sequences=config.train.sequences,
    )


def _train(config: DictConfig) -> None:
    from ntm_repro.cli import factory
    from ntm_repro.training.run import run

    folder = RunFolder(Path(config.run_dir))
    with folder.locked():
        decided = plan(config)  # anew: until the lock was taken another process may have trained there
        if decided.finished:
            print(finished_line(folder))
            return
        record = schema.plain(config)
        trainer = factory.trainer(config)
        begin = f", resumed at {decided.checkpoint.sequences:,} sequences" if decided.checkpoint else ""
        threads = f"{config.threads} thread{'s' if config.threads > 1 else ''}"
        size = f"{trainer.model.parameter_count:,} parameters"
        where = f"{trainer.kernel.name} kernel, {trainer.device}, {threads}"
        what = f"{config.task.name} · {config.model.name} · seed {config.seed} · {size} · {where}"
        print(f"{what} · {config.run_dir}{begin}", flush=True)
        run(trainer, folder, decided, record, OmegaConf.to_yaml(OmegaConf.create(record)))
    print(finished_line(folder), flush=True)


def finished_line(folder: RunFolder) -> str:
    """How a finished run came out."""
    summary = folder.read_summary() or {}
    parts = [
        f"finished: {summary.get('sequences', 0):,} sequences in {summary.get('wall_seconds', 0) / 60:.1f} min",
        convergence.outcome(_rows(folder, summary)),
        str(folder.path),
    ]
    return " · ".join(parts)


def _rows(folder: RunFolder, summary: dict[str, Any]) -> list[metrics.Row]:
    """metrics.csv up to where the summary ends; none where the file is gone."""
    return metrics.read_rows(folder.metrics, summary.get("sequences")) if folder.metrics.exists() else []


def resume_command(argv: Sequence[str]) -> str:
    """The command line that goes on where this one stopped."""
    return shlex.join(["ntm-train", *(argument for argument in argv if not argument.startswith("resume="))])


def _hydra(arguments: Sequence[str]) -> Exception | None:
    """Let Hydra run the job or jobs; the first failure that reached this process."""
    import hydra

    failures: list[Exception] = []

    def job(composed: DictConfig) -> None:
        try:
            _train(schema.typed(composed))
        except Exception as error:  # Hydra would print it its own way and leave no traceback in the job's log
            if isinstance(error, RunError | UsageError):
                log.error("%s", error)
            else:
                log.exception("run failed")
            failures.append(error)

    os.environ["HYDRA_FULL_ERROR"] = "1"  # or Hydra exits by itself on Ctrl-C
    before, sys.argv = sys.argv, ["ntm-train", *arguments]
    try:
        hydra.main(version_base="1.3", config_path=compose.config_dir(), config_name=compose.CONFIG)(job)()
    except SystemExit as leaving:  # Hydra's own way out after --help, where what is printed is still to be written
        if leaving.code:
            raise
    except OSError as error:  # Hydra's own files: train.log, .hydra
        raise RunError(f"{error.filename or 'the run folder'}: {error.strerror}") from error
    finally:
        sys.argv = before
    return failures[0] if failures else None


def _sweep(arguments: Sequence[str], configs: Sequence[DictConfig], argv: Sequence[str]) -> int:
    """All jobs, one failing or not; then where each result is and which failed."""
    interrupted, trouble = False, ""
    try:
        _hydra(arguments)
    except KeyboardInterrupt:
        interrupted = True
    except Exception as error:  # of a launcher: a job that was killed, a setting of its own that it refuses
        # Submitit's errors end in the job's own log; their first sentence says which job it was.
        trouble = f"; {exit_codes.one_line(error).partition('. ')[0]}"
    failed = 0
    print("\nresults")
    for config in configs:
        folder = RunFolder(Path(config.run_dir))
        summary = folder.read_summary() or {}
        status = summary.get("status", "not started" if interrupted else "failed")
        done = status == "finished" and summary.get("sequences", 0) >= config.train.sequences
        if done:
            print(
                f"  {folder.path}: {summary['sequences']:,} sequences, {convergence.final_cost(_rows(folder, summary))}"
            )
        else:
            failed += 1
            where = f"; see {folder.log}" if folder.log.exists() else ""
            status = "failed" if status == "interrupted" and not interrupted else status
            print(f"  {folder.path}: {status.upper()} at {summary.get('sequences', 0):,} sequences{where}")
    if interrupted:
        raise KeyboardInterrupt(f"interrupted; resume with: {resume_command(argv)}")
    if failed:
        raise RunError(f"{failed} of {len(configs)} runs did not finish{trouble}; the same command goes on with them")
    return exit_codes.DONE


if __name__ == "__main__":
    main()
