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

__all__ = ["WORST", "check", "end", "is_divergence", "of_job"]


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
    """The objective of a job's finished run; for `wrong_bits_long` it is evaluated first, where eval.json lacks it."""
    path = Path(config.run_dir)
    condition = None
    if config.objective is Objective.wrong_bits_long:
        condition = _evaluated(config, path)
    run = runs.read(path)
    return UNKNOWN if run is None else objective.of_run(config.objective, run, end(config), condition)


def _evaluated(config: DictConfig, path: Path) -> objective.Condition:
    """The condition that the objective is about, once eval.json has it for the weights as they are now."""
    from ntm_repro.cli import evaluate

    condition = objective.long_condition(schema.settings(config, "task"))
    run = runs.read(path)
    recorded = run.evaluation if run is not None else None
    fresh = run is not None and recorded is not None and recorded["checkpoint_sequences"] == run.sequences
    if run is None or not fresh or math.isnan(objective.wrong_bits(run, condition)):
        evaluate.condition(path, config, condition)
    return condition


def is_divergence(error: BaseException) -> bool:
    """Whether a job ended because a loss or a gradient was not finite."""
    from ntm_repro.training.loop import Diverged

    return isinstance(error, Diverged) or isinstance(error.__cause__, Diverged)
