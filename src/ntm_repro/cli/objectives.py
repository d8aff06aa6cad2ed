"""`objective=`: the number that a job of a sweep returns to what started it."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from ntm_repro.cli import schema
from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs
from ntm_repro.sweeps import objective
from ntm_repro.sweeps.objective import UNKNOWN, WORST, Objective
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.training.resume import ResumeDecision

__all__ = ["WORST", "check", "end", "is_divergence", "of_job", "prepare"]


def end(config: DictConfig) -> int:
    """After how many sequences a run of this config ends: train.sequences, in whole batches."""
    size = config.train.batch_size
    return -(-config.train.sequences // size) * size


def check(config: DictConfig, decision: "ResumeDecision") -> None:
    """Raise `UsageError` where the objective cannot be told: a longer run no longer has the weights it had."""
    if config.objective is not Objective.wrong_bits_long or not decision.finished:
        return
    folder = RunFolder(Path(config.run_dir))
    trained = (folder.read_summary() or {}).get("sequences", 0)
    if trained > end(config):
        raise UsageError(
            f"objective={config.objective.name}: {folder.path} was trained on {trained:,} sequences, and what it did "
            f"after {end(config):,} cannot be tested any more; choose another run_dir or results_dir"
        )


def of_job(config: DictConfig) -> float:
    """The objective of a job's run that ended, which `prepare` was called for."""
    run = runs.read(Path(config.run_dir))
    condition = objective.long_condition(schema.settings(config, "task"))
    return UNKNOWN if run is None else objective.of_run(config.objective, run, end(config), condition)


def prepare(config: DictConfig) -> None:
    """For `wrong_bits_long`, evaluate a finished run where eval.json does not have that for its weights."""
    if config.objective is not Objective.wrong_bits_long:
        return
    path = Path(config.run_dir)
    run = runs.read(path)
    if run is None or not run.is_finished:
        return
    condition = objective.long_condition(schema.settings(config, "task"))
    recorded = run.evaluation
    fresh = recorded is not None and recorded["checkpoint_sequences"] == run.sequences
    if not fresh or math.isnan(objective.wrong_bits(run, condition)):
        from ntm_repro.cli import evaluate

        evaluate.one_condition(path, config, condition)


def is_divergence(error: BaseException) -> bool:
    """Whether a job ended because a loss or a gradient was not finite."""
    from ntm_repro.training.loop import Diverged

    return isinstance(error, Diverged) or isinstance(error.__cause__, Diverged)
